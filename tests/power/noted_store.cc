// SPDX-License-Identifier: Apache-2.0
#include "tests/power/noted_store.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/power/recorder.h"

namespace statecpp {
namespace {

using Change = Notes::Write::Change;

// No two writes leave the same bytes, nor the same in any sector.
std::string ValueOf(uint64_t number, size_t size) {
  const std::string word = absl::StrCat("write ", number, " ");
  std::string value = word;
  while (value.size() < size) value += word;
  return value;
}

}  // namespace

NotedStore::NotedStore(std::string path, const Notes& until, size_t events)
    : path_(std::move(path)) {
  for (const Notes::Write& write : until.writes) {
    if (write.begun >= events) continue;
    const bool settled = write.acknowledged < events;
    notes_.writes.push_back(
        {.items = write.items,
         .begun = 0,
         .acknowledged = settled ? size_t{0} : Notes::kNever});
  }
  if (until.IsMade(events)) notes_.made = 0;
  clock_.Advance(
      std::max(absl::ZeroDuration(), until.Now(events) - clock_.Now()));
  // Not to be taken for the values of those writes.
  numbers_ = 1'000'000;
}

absl::Status NotedStore::Open(std::shared_ptr<const MasterKeys> keys) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    notes_.times.emplace_back(Recorder::Get().position(), clock_.Now());
  }
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path_,
                   .keys = std::move(keys),
                   .max_size = uint64_t{64} << 20,
                   .cleanup_interval = absl::ZeroDuration(),
                   .clock = &clock_});
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (notes_.made == Notes::kNever) notes_.made = Recorder::Get().position();
  return absl::OkStatus();
}

WriteOp NotedStore::OpOf(const std::string& key, size_t size,
                         std::vector<Change>& items) {
  if (absl::StartsWith(key, "-")) {
    items.push_back({.key = key.substr(1), .value = std::nullopt});
    return {.kind = WriteOp::Kind::kDelete, .key = key.substr(1)};
  }
  uint64_t number = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    number = ++numbers_;
  }
  items.push_back({.key = key, .value = ValueOf(number, size)});
  return {.key = key, .value = *items.back().value};
}

size_t NotedStore::Begin(std::vector<Change> items) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t position = Recorder::Get().position();
  notes_.writes.push_back({.items = std::move(items), .begun = position});
  if (lie_ == Lie::kAcknowledgeFirst) {
    notes_.writes.back().acknowledged = position;
  }
  return notes_.writes.size() - 1;
}

void NotedStore::End(size_t write, const std::vector<ETag>& etags) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Notes::Write& it = notes_.writes[write];
  if (lie_ != Lie::kAcknowledgeFirst) {
    it.acknowledged = Recorder::Get().position();
  }
  for (size_t i = 0; i < etags.size(); ++i) {
    if (it.items[i].value.has_value()) it.items[i].etag = etags[i].version();
  }
}

absl::Status NotedStore::Set(const std::string& key, size_t size,
                             std::optional<absl::Duration> ttl) {
  std::vector<Change> items;
  WriteOp op = OpOf(key, size, items);
  op.ttl = ttl;
  if (ttl.has_value()) items.front().expires = clock_.Now() + *ttl;
  const size_t write = Begin(std::move(items));
  const absl::StatusOr<ETag> etag = store_->Set(std::move(op));
  if (etag.ok()) End(write, {*etag});
  return etag.status();
}

absl::Status NotedStore::Delete(const std::string& key) {
  const size_t write = Begin({{.key = key, .value = std::nullopt}});
  const absl::Status status = store_->Delete({.key = key});
  if (status.ok()) End(write, {});
  return status;
}

absl::Status NotedStore::Transact(const std::vector<std::string>& keys,
                                  size_t size) {
  std::vector<Change> items;
  std::vector<WriteOp> ops;
  for (const std::string& key : keys) ops.push_back(OpOf(key, size, items));
  const size_t write = Begin(std::move(items));
  absl::StatusOr<std::vector<ETag>> etags = std::vector<ETag>();
  if (lie_ == Lie::kTearTransactions) {
    for (WriteOp& op : ops) {
      auto one = store_->Transact({std::move(op)});
      if (!one.ok()) return one.status();
      etags->push_back(one->front());
    }
  } else {
    etags = store_->Transact(std::move(ops));
  }
  if (etags.ok()) End(write, *etags);
  return etags.status();
}

absl::Status NotedStore::Bulk(const std::vector<std::string>& keys,
                              size_t size) {
  std::vector<WriteOp> ops;
  std::vector<size_t> writes;
  for (const std::string& key : keys) {
    std::vector<Change> items;
    ops.push_back(OpOf(key, size, items));
    writes.push_back(Begin(std::move(items)));
  }
  const std::vector<Store::WriteResult> results =
      store_->BulkWrite(std::move(ops));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!results[i].ok()) return results[i].status();
    End(writes[i], {*results[i]});
  }
  return absl::OkStatus();
}

absl::Status NotedStore::Refused(const std::string& key,
                                 const std::string& other) {
  const absl::Status status =
      store_
          ->Transact({{.key = key, .value = "never"},
                      {.key = other,
                       .value = "never",
                       .precondition = Precondition::Match(ETag(1))}})
          .status();
  if (status.ok()) return absl::InternalError("what may not hold, held");
  return absl::IsFailedPrecondition(status) ? absl::OkStatus() : status;
}

absl::Status NotedStore::AdvanceAndSweep(absl::Duration time) {
  clock_.Advance(time);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    notes_.times.emplace_back(Recorder::Get().position(), clock_.Now());
  }
  return store_->Sweep().status();
}

void NotedStore::NoteKeys(int which) {
  const std::lock_guard<std::mutex> lock(mutex_);
  notes_.keys.emplace_back(Recorder::Get().position(), which);
}

absl::Status NotedStore::ReadAll() {
  std::set<std::string> keys;
  for (const Notes::Write& write : notes_.writes) {
    for (const Change& item : write.items) keys.insert(item.key);
  }
  std::vector<Change> items;
  for (const std::string& key : keys) {
    const auto item = store_->Get(key);
    if (!item.ok()) return item.status();
    items.push_back({.key = key, .value = std::nullopt});
    if (!item->has_value()) continue;
    items.back().value = (*item)->value;
    items.back().etag = (*item)->etag.version();
    items.back().expires = (*item)->expires.value_or(absl::InfiniteFuture());
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t position = Recorder::Get().position();
  notes_.writes.push_back(
      {.items = std::move(items), .begun = position, .acknowledged = position});
  return absl::OkStatus();
}

}  // namespace statecpp
