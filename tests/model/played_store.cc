// SPDX-License-Identifier: Apache-2.0
#include "tests/model/played_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/secret.h"
#include "engine/store_copy.h"
#include "engine/store_keys.h"
#include "tests/model/agreement.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kGrowth = uint64_t{128} << 10;

}  // namespace

PlayedStore::PlayedStore(const Opening& opening)
    : opening_(opening), reference_(clock_) {
  if (opening_.is_sealed) {
    auto keys = std::make_shared<MasterKeys>();
    keys->push_back(NextMasterKey());
    keys_ = std::move(keys);
  }
}

absl::Status PlayedStore::Make() {
  if (absl::Status opened = Open(); !opened.ok()) return opened;
  return SetSentinel();
}

absl::Status PlayedStore::Open() {
  for (;;) {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = keys_,
                     .max_size = opening_.max_size,
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    if (store.ok()) {
      store_ = *std::move(store);
      return absl::OkStatus();
    }
    // Of a copy other pages may be in use, and more of them.
    if (!absl::IsInvalidArgument(store.status()) ||
        opening_.max_size >= Options().max_size) {
      return Wrong("the store does not open", store.status());
    }
    opening_.max_size += kGrowth;
    ++growths_;
  }
}

absl::Status PlayedStore::Grow(uint64_t bytes) {
  opening_.max_size += bytes;
  ++growths_;
  return store_->GrowTo(opening_.max_size);
}

bool PlayedStore::GrowsAt(const absl::Status& full) {
  return absl::IsResourceExhausted(full) &&
         opening_.max_size < Options().max_size && Grow(kGrowth).ok();
}

absl::Status PlayedStore::MakeRoom(uint64_t bytes) {
  const absl::StatusOr<Store::Stats> stats = store_->GetStats();
  if (!stats.ok()) return stats.status();
  const uint64_t needed = stats->used_bytes + bytes;
  if (needed <= opening_.max_size) return absl::OkStatus();
  return Grow(needed - opening_.max_size);
}

absl::Status PlayedStore::SetSentinel() {
  const std::vector<WriteOp> ops = {{.key = kSentinel, .value = "s"}};
  absl::StatusOr<ETag> etag = store_->Set(ops.front());
  while (GrowsAt(etag.status())) etag = store_->Set(ops.front());
  if (!etag.ok()) return Wrong("a set without a condition", etag.status());
  reference_.Apply(ops, {*etag});
  return absl::OkStatus();
}

absl::Status PlayedStore::Look() {
  const absl::StatusOr<std::optional<Item>> item = store_->Get(kSentinel);
  if (!item.ok()) return Wrong("a get", item.status());
  reference_.Look();
  return absl::OkStatus();
}

absl::Status PlayedStore::Advance(absl::Duration span) {
  if (absl::Status settled = Settle(); !settled.ok()) return settled;
  clock_.Advance(span);
  return Look();
}

absl::Status PlayedStore::Jump(absl::Duration span) {
  if (absl::Status settled = Settle(); !settled.ok()) return settled;
  clock_.Jump(span);
  return Look();
}

absl::Status PlayedStore::Settle() {
  const absl::StatusOr<StoreKeys::Status> before = store_->keys().GetStatus();
  if (!before.ok()) return Wrong("the status of the keys", before.status());
  if (!before->sealed) return absl::OkStatus();
  if (!store_->keys().WaitForResealer(absl::Seconds(60))) {
    return Wrong("records are not sealed anew within a minute");
  }
  const StoreKeys::Status after = *store_->keys().GetStatus();
  if (!after.resealer.error.ok()) {
    return Wrong("records are not sealed anew", after.resealer.error);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PlayedStore::Sweep() {
  const absl::StatusOr<int64_t> first = store_->Sweep();
  if (!first.ok()) return Wrong("a sweep", first.status());
  // What was sealed anew just then is left to the next sweep.
  if (absl::Status settled = Settle(); !settled.ok()) return settled;
  const absl::StatusOr<int64_t> second = store_->Sweep();
  if (!second.ok()) return Wrong("a sweep", second.status());
  // Whether a sweep committed anything, and the time with it, is its own
  // affair.
  if (absl::Status set = SetSentinel(); !set.ok()) return set;
  return *first + *second;
}

absl::Status PlayedStore::Reopen(absl::Duration pause) {
  // Whatever it is that the store does meanwhile, it goes on with it.
  if (pause > absl::ZeroDuration()) {
    if (absl::Status settled = Settle(); !settled.ok()) return settled;
  }
  return ChangeClosed([this, pause] {
    clock_.Advance(pause);
    return absl::OkStatus();
  });
}

absl::Status PlayedStore::Crash() {
  // Files that change while they are copied are nothing that a kill leaves.
  if (absl::Status settled = Settle(); !settled.ok()) return settled;
  const std::string copy = dir_.Path("copy");
  std::error_code failed;
  fs::copy(path_, copy, fs::copy_options::recursive, failed);
  if (failed) return Wrong(absl::StrCat("a copy fails: ", failed.message()));
  return ChangeClosed([&] {
    fs::remove_all(path_, failed);
    if (!failed) fs::rename(copy, path_, failed);
    return failed ? Wrong(failed.message()) : absl::OkStatus();
  });
}

absl::Status PlayedStore::ChangeClosed(
    absl::FunctionRef<absl::Status()> change) {
  if (absl::Status whole = store_->CheckIntegrity(); !whole.ok()) {
    return Wrong("before the store is closed it is damaged", whole);
  }
  store_.reset();
  if (absl::Status changed = change(); !changed.ok()) return changed;
  reference_.Reopen();
  if (absl::Status opened = Open(); !opened.ok()) return opened;
  if (absl::Status whole = store_->CheckIntegrity(); !whole.ok()) {
    return Wrong("the store that was opened is damaged", whole);
  }
  return Look();
}

MasterKey PlayedStore::NextMasterKey() {
  std::vector<uint8_t> bytes(Secret::kSize,
                             static_cast<uint8_t>(++master_keys_));
  bytes.front() = static_cast<uint8_t>(master_keys_ >> 8);
  return MasterKey::FromKey(absl::StrCat("key-", master_keys_),
                            Secret(std::move(bytes)));
}

absl::Status PlayedStore::Rotate() {
  StoreKeys& keys = store_->keys();
  if (!opening_.is_sealed) {
    return CompareCodes(keys.Rotate().status(),
                        absl::StatusCode::kInvalidArgument,
                        "a rotation of a plain store");
  }
  // Each record is about to be written once more.
  const absl::StatusOr<Store::Stats> stats = store_->GetStats();
  if (!stats.ok()) return Wrong("figures", stats.status());
  if (absl::Status made = MakeRoom(stats->used_bytes); !made.ok()) return made;
  const absl::Status rotated = keys.Rotate().status();
  if (!rotated.ok()) return Wrong("a rotation", rotated);
  // That kept the time, and what is sealed anew from now on will.
  return SetSentinel();
}

absl::Status PlayedStore::Retire() {
  StoreKeys& keys = store_->keys();
  if (!opening_.is_sealed) {
    return CompareCodes(keys.Retire(1), absl::StatusCode::kInvalidArgument,
                        "retiring a key of a plain store");
  }
  if (absl::Status settled = Settle(); !settled.ok()) return settled;
  const absl::StatusOr<StoreKeys::Status> status = keys.GetStatus();
  if (!status.ok()) return Wrong("the status of the keys", status.status());
  for (const StoreKeys::Status::DataKey& key : status->data_keys) {
    const absl::Status retired = keys.Retire(key.id);
    const absl::Status fits = CompareCodes(
        retired,
        key.active ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kOk,
        absl::StrCat("retiring data key ", key.id));
    if (!fits.ok()) return fits;
  }
  return SetSentinel();
}

absl::Status PlayedStore::ReplaceMasterKey() {
  StoreKeys& keys = store_->keys();
  auto next = std::make_shared<MasterKeys>();
  next->push_back(NextMasterKey());
  const absl::Status added = keys.AddSlot(next->front());
  if (!opening_.is_sealed) {
    return CompareCodes(added, absl::StatusCode::kInvalidArgument,
                        "a key slot of a plain store");
  }
  if (!added.ok()) return Wrong("a new key slot", added);
  const absl::Status removed = keys.RemoveSlot(keys_->front().name(), *next);
  if (!removed.ok()) return Wrong("removing the former key slot", removed);
  const absl::Status former = CompareCodes(keys.CheckKeys(keys_.get()),
                                           absl::StatusCode::kPermissionDenied,
                                           "opening by a key that was removed");
  if (!former.ok()) return former;
  keys_ = std::move(next);
  return SetSentinel();
}

absl::Status PlayedStore::Encrypt() {
  return ChangeClosed([this] {
    auto keys = std::make_shared<MasterKeys>();
    keys->push_back(NextMasterKey());
    const absl::Status encrypted =
        EncryptStore({.path = path_,
                      .keys = opening_.is_sealed ? keys_ : keys,
                      .clock = &clock_})
            .status();
    if (opening_.is_sealed) {
      return CompareCodes(encrypted, absl::StatusCode::kAlreadyExists,
                          "encrypting a sealed store");
    }
    if (!encrypted.ok()) return Wrong("encrypting", encrypted);
    opening_.is_sealed = true;
    keys_ = std::move(keys);
    return CompareCodes(Store::Open({.path = path_, .clock = &clock_}).status(),
                        absl::StatusCode::kPermissionDenied,
                        "opening a store without a key that was just sealed");
  });
}

absl::Status PlayedStore::Compact() {
  return ChangeClosed([this] {
    const absl::Status compacted =
        CompactStore({.path = path_, .keys = keys_, .clock = &clock_}).status();
    return compacted.ok() ? compacted : Wrong("compacting", compacted);
  });
}

}  // namespace statecpp
