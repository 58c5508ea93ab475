// SPDX-License-Identifier: Apache-2.0
#include "engine/store.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/notification.h"
#include "crypto/random.h"
#include "engine/commit_queue.h"
#include "engine/errors.h"
#include "engine/fail_point.h"
#include "engine/key_listing.h"
#include "engine/keys.h"
#include "engine/lmdb_storage.h"
#include "engine/prefix_delete.h"
#include "engine/query_page.h"
#include "engine/record.h"
#include "engine/record_scan.h"
#include "engine/stats_reading.h"
#include "engine/store_backup.h"
#include "engine/store_folder.h"
#include "engine/store_header.h"
#include "engine/store_keys.h"
#include "engine/store_verifier.h"
#include "engine/sweeper.h"
#include "engine/trusted_time.h"
#include "engine/write_call.h"
#include "engine/write_plan.h"

namespace statecpp {
namespace {

absl::Status MakeStore(const std::string& folder, const Options& options) {
  const MasterKeys* const keys = options.keys.get();
  if (keys != nullptr && !IsMasterKeyName(keys->front().name())) {
    return error::BadKeyName(keys->front().name());
  }
  const std::string header =
      keys == nullptr ? NewPlainHeader(SystemRandom())
                      : NewSealedHeader(keys->front(), SystemRandom());
  const absl::StatusOr<OpenedHeader> opened = OpenHeader(header, keys, folder);
  if (!opened.ok()) return opened.status();
  return LmdbStorage::Make(folder, header, *opened->keyring,
                           absl::ToUnixMillis(options.clock->Now()),
                           SystemRandom());
}

// The bytes of values that one call may read.
struct Room {
  uint64_t limit;
  uint64_t left;
};

// The live item of a record, or nullopt if it has expired. Its value takes
// room, and is not read where there is too little left.
Store::ReadResult ItemOf(const Keyring& keyring, absl::string_view key,
                         absl::string_view record_key, absl::string_view record,
                         absl::Time now, Room& room) {
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(keyring, record_key, record);
  if (!reader.ok() && STATECPP_SABOTAGE("hide-damage")) return std::nullopt;
  if (!reader.ok()) return reader.status();
  if (reader->key() != key) return error::HashCollision();
  if (reader->IsExpired(now) && !STATECPP_SABOTAGE("show-the-expired")) {
    return std::nullopt;
  }
  if (reader->value_size() > room.left) {
    return error::ItemPastReplyLimit(room.limit);
  }
  absl::StatusOr<std::string> value = reader->ReadValue();
  if (!value.ok()) return value.status();
  room.left -= value->size();
  Item item = {.value = *std::move(value),
               .etag = ETag(reader->version()),
               .content_type = std::string(reader->content_type()),
               .expires = std::nullopt};
  if (reader->expires_ms() != 0) {
    item.expires = absl::FromUnixMillis(reader->expires_ms());
  }
  return item;
}

}  // namespace

// A bulk write on its way: a call for each op.
struct Store::Bulk {
  std::vector<WriteOp> ops;
  CallBounds bounds;
  // The next op of the same key; ops.size() where there is none.
  std::vector<size_t> next;
  // Whether the call has returned, or its answer is there: who comes second
  // begins the next op of the key.
  std::vector<std::atomic<bool>> first_is_past;
  std::vector<WriteResult> results;
  BulkDone done;
  std::atomic<size_t> left;
};

// Members in the order in which one stands on another; they end in reverse.
class Store::Impl {
 public:
  Impl(const Options& options, StoreFolder folder,
       std::unique_ptr<LmdbStorage> storage)
      : folder_(std::move(folder)),
        on_assertion_(options.on_assertion),
        storage_(std::move(storage)),
        time_(*options.clock,
              absl::FromUnixMillis(storage_->accumulator().high_water_ms())),
        queue_(*storage_, time_,
               {.queued_batches = options.max_queued_writes,
                .queued_bytes = options.max_queued_bytes},
               options.on_failed),
        sweeper_(*storage_, storage_->keyring(), queue_, time_,
                 options.cleanup_interval),
        resealer_(*storage_, queue_),
        keys_(*storage_, queue_, resealer_, folder_.path()) {}

  // `now` decides what has expired: one moment for all keys of a call.
  ReadResult Read(const KeyedSnapshot& view, absl::string_view key,
                  absl::Time now, Room& room) const {
    if (key.empty()) return error::EmptyKey();
    const std::string record_key = RecordKey(view.keyring->paths(), key);
    const absl::StatusOr<std::optional<absl::string_view>> record =
        view.snapshot->Get(Space::kRecords, record_key);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return std::nullopt;
    return ItemOf(*view.keyring, key, record_key, **record, now, room);
  }

  absl::StatusOr<KeyedSnapshot> OpenSnapshot() {
    if (absl::Status health = queue_.health(); !health.ok()) return health;
    return storage_->keyring().Read(*storage_);
  }

  void Write(std::vector<WriteOp> ops, CallBounds bounds,
             WriteCall::Done done) {
    absl::StatusOr<WritePlan> plan =
        WritePlan::Make(storage_->keyring().Get(), SystemRandom(), time_.Wall(),
                        std::move(ops));
    if (!plan.ok()) return done(plan.status());
    WriteCall::Start(*storage_, storage_->keyring(), queue_, time_,
                     *std::move(plan), bounds, std::move(done));
  }

  // The ops of one key from `i` on, each when the one before is answered: it
  // could otherwise be judged, or even committed, before that one. A loop and
  // not a recursion where answers come at once.
  void WriteInOrder(const std::shared_ptr<Bulk>& bulk, size_t i) {
    for (; i < bulk->ops.size(); i = bulk->next[i]) {
      std::vector<WriteOp> one;
      one.push_back(std::move(bulk->ops[i]));
      Write(std::move(one), bulk->bounds,
            [this, bulk, i](absl::StatusOr<std::vector<ETag>> etags) {
              bulk->results[i] =
                  etags.ok() ? WriteResult(etags->front()) : etags.status();
              if (bulk->first_is_past[i].exchange(true)) {
                WriteInOrder(bulk, bulk->next[i]);
              }
              // The last one to answer hands over.
              if (bulk->left.fetch_sub(1) == 1) {
                bulk->done(std::move(bulk->results));
              }
            });
      if (!bulk->first_is_past[i].exchange(true)) return;
    }
  }

  // For calls that look more than once.
  RecordScan::Look Look() {
    return [this] { return OpenSnapshot(); };
  }

  const CurrentKeyring& keyring() const { return storage_->keyring(); }
  CommitQueue& queue() { return queue_; }
  absl::StatusOr<WalkReport> Verify(VerifyRequest request,
                                    const VerifyEvents& events) {
    if (absl::Status whole = storage_->CheckFiles(); !whole.ok()) return whole;
    request.accept = false;
    WalkRequest walk =
        WalkRequestOf(request, folder_.path(), time_.ForVisibility());
    walk.served = true;
    absl::StatusOr<WalkReport> report =
        WalkInChild(walk, request.program, events, [this](absl::string_view) {
          return absl::StatusOr<std::shared_ptr<const Keyring>>(
              storage_->keyring().Get());
        });
    // If the walk did not live to do so itself.
    storage_->ClearStaleReaders();
    return report;
  }

  const std::string& path() const { return folder_.path(); }
  void (*on_assertion() const)(const char* text) { return on_assertion_; }
  LmdbStorage& storage() { return *storage_; }
  TrustedTime& time() { return time_; }
  Sweeper& sweeper() { return sweeper_; }
  StoreKeys& keys() { return keys_; }

 private:
  const StoreFolder folder_;
  void (*const on_assertion_)(const char* text);
  const std::unique_ptr<LmdbStorage> storage_;
  TrustedTime time_;
  CommitQueue queue_;
  Sweeper sweeper_;
  Resealer resealer_;
  StoreKeys keys_;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

absl::StatusOr<std::unique_ptr<Store>> Store::Open(Options options) {
  absl::StatusOr<StoreFolder> folder =
      StoreFolder::Open(options, [&options](const std::string& new_folder) {
        return MakeStore(new_folder, options);
      });
  if (!folder.ok()) return folder.status();
  absl::StatusOr<std::unique_ptr<LmdbStorage>> storage = LmdbStorage::Open(
      folder->path(), options.max_size, SystemRandom(), options.on_assertion,
      [&](absl::string_view header)
          -> absl::StatusOr<std::shared_ptr<const Keyring>> {
        absl::StatusOr<OpenedHeader> opened =
            OpenHeader(header, options.keys.get(), folder->path());
        if (!opened.ok()) return opened.status();
        return std::move(opened->keyring);
      });
  if (!storage.ok()) {
    // A failed sync, here as later, is for the owner to end the process by.
    if (absl::IsUnknown(storage.status()) && options.on_failed != nullptr) {
      options.on_failed(storage.status());
    }
    return storage.status();
  }
  if ((*storage)->stale_readers() > 0 && options.on_warning != nullptr) {
    options.on_warning("a reader of a process that died was cleared");
  }
  return std::unique_ptr<Store>(new Store(std::make_unique<Impl>(
      options, *std::move(folder), *std::move(storage))));
}

absl::StatusOr<std::optional<Item>> Store::Get(absl::string_view key) const {
  const absl::StatusOr<KeyedSnapshot> view = impl_->OpenSnapshot();
  if (!view.ok()) return view.status();
  constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  Room room = {kNoLimit, kNoLimit};
  return impl_->Read(*view, key, impl_->time().ForVisibility(), room);
}

absl::StatusOr<std::vector<Store::ReadResult>> Store::BulkGet(
    absl::Span<const absl::string_view> keys, uint64_t max_bytes) const {
  const absl::StatusOr<KeyedSnapshot> view = impl_->OpenSnapshot();
  if (!view.ok()) return view.status();
  std::vector<ReadResult> results;
  results.reserve(keys.size());
  Room room = {max_bytes, max_bytes};
  const absl::Time now = impl_->time().ForVisibility();
  for (const absl::string_view key : keys) {
    results.push_back(impl_->Read(*view, key, now, room));
  }
  return results;
}

void Store::TransactAsync(std::vector<WriteOp> ops, CallBounds bounds,
                          TransactDone done) {
  if (ops.empty()) return done(std::vector<ETag>());
  impl_->Write(std::move(ops), bounds, std::move(done));
}

void Store::BulkWriteAsync(std::vector<WriteOp> ops, CallBounds bounds,
                           BulkDone done) {
  if (ops.empty()) return done({});
  const size_t count = ops.size();
  auto bulk = std::make_shared<Bulk>();
  bulk->ops = std::move(ops);
  bulk->bounds = bounds;
  bulk->next.assign(count, count);
  bulk->first_is_past = std::vector<std::atomic<bool>>(count);
  bulk->results.assign(count, absl::UnknownError("not answered"));
  bulk->done = std::move(done);
  bulk->left = count;

  std::vector<size_t> firsts;
  {
    absl::flat_hash_map<absl::string_view, size_t> last_of_key;
    for (size_t i = 0; i < count; ++i) {
      const auto [last, is_new] = last_of_key.try_emplace(bulk->ops[i].key, i);
      if (is_new) {
        firsts.push_back(i);
      } else {
        bulk->next[std::exchange(last->second, i)] = i;
      }
    }
  }
  for (const size_t first : firsts) impl_->WriteInOrder(bulk, first);
}

absl::StatusOr<std::vector<ETag>> Store::Transact(std::vector<WriteOp> ops) {
  absl::StatusOr<std::vector<ETag>> result;
  absl::Notification answered;
  TransactAsync(std::move(ops), {},
                [&](absl::StatusOr<std::vector<ETag>> etags) {
                  result = std::move(etags);
                  answered.Notify();
                });
  answered.WaitForNotification();
  return result;
}

std::vector<Store::WriteResult> Store::BulkWrite(std::vector<WriteOp> ops) {
  std::vector<WriteResult> results;
  absl::Notification answered;
  BulkWriteAsync(std::move(ops), {}, [&](std::vector<WriteResult> all) {
    results = std::move(all);
    answered.Notify();
  });
  answered.WaitForNotification();
  return results;
}

absl::StatusOr<ETag> Store::Set(WriteOp op) {
  op.kind = WriteOp::Kind::kSet;
  std::vector<WriteOp> ops;
  ops.push_back(std::move(op));
  const absl::StatusOr<std::vector<ETag>> etags = Transact(std::move(ops));
  if (!etags.ok()) return etags.status();
  return etags->front();
}

absl::Status Store::Delete(WriteOp op) {
  op.kind = WriteOp::Kind::kDelete;
  std::vector<WriteOp> ops;
  ops.push_back(std::move(op));
  return Transact(std::move(ops)).status();
}

absl::StatusOr<int64_t> Store::DeleteWithPrefix(absl::string_view prefix) {
  return DeleteChildren(impl_->Look(), impl_->keyring(), impl_->queue(),
                        impl_->time().ForVisibility(), prefix);
}

absl::StatusOr<KeyPage> Store::ListKeys(const KeyQuery& query) const {
  return ReadKeyPage(impl_->Look(), impl_->keyring(), SystemRandom(),
                     impl_->time().ForVisibility(), query);
}

absl::StatusOr<QueryPage> Store::Query(const statecpp::Query& query,
                                       const CallBounds& bounds) const {
  return ReadQueryPage(impl_->Look(), impl_->keyring(), SystemRandom(),
                       impl_->time().ForVisibility(), query, bounds);
}

absl::Status Store::GrowTo(uint64_t max_size) {
  absl::Status grown = impl_->storage().GrowTo(max_size);
  if (absl::IsUnknown(grown)) impl_->queue().Fail(grown);
  return grown;
}

void Store::SetCleanupInterval(absl::Duration interval) {
  impl_->sweeper().SetInterval(interval);
}

StoreKeys& Store::keys() const { return impl_->keys(); }

absl::StatusOr<int64_t> Store::Sweep() { return impl_->sweeper().Sweep(); }

absl::StatusOr<Store::Stats> Store::GetStats() const {
  return ReadStats(impl_->storage(), impl_->path(),
                   impl_->time().ForVisibility());
}

absl::StatusOr<StoreFigures> Store::GetFigures() const {
  return ReadStoreFigures(impl_->storage(), impl_->queue(), impl_->sweeper());
}

absl::Status Store::CheckIntegrity() const {
  absl::Status first = absl::OkStatus();
  const absl::StatusOr<WalkOutcome> walked = impl_->storage().Walk(
      {.now = impl_->time().ForVisibility()}, [&](const WalkFinding& finding) {
        if (!first.ok()) return;
        first = error::StoreDamaged(NameOf(finding.kind), finding.place,
                                    finding.reason);
      });
  if (!walked.ok()) return walked.status();
  return first;
}

absl::StatusOr<WalkReport> Store::Verify(const VerifyRequest& request,
                                         const VerifyEvents& events) {
  return impl_->Verify(request, events);
}

absl::StatusOr<BackupReport> Store::Backup(const BackupRequest& request) {
  return BackUp(impl_->storage(), impl_->queue(), request,
                impl_->on_assertion());
}

}  // namespace statecpp
