// SPDX-License-Identifier: Apache-2.0
//
//   store_writer STORE LEDGER
//
// Opens the store and writes to it from many threads until it is killed. What
// it does is in the ledger, before and after each call (shared_ledger.h).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "tests/crash/shared_ledger.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

// One thread, and the slots that are its own.
class Writer {
 public:
  Writer(Store& store, SharedLedger& ledger, int index)
      : store_(store), ledger_(ledger), random_(ledger.seed + index) {
    for (int slot = index; slot < SharedLedger::kSlots;
         slot += ledger.threads) {
      (slot < SharedLedger::kPairs ? pairs_ : singles_).push_back(slot);
    }
  }

  void WriteForEver() {
    for (;;) {
      switch (Draw(9)) {
        case 0:
          Increment();
          break;
        case 1:
          MustNotHold();
          break;
        case 2:
          WriteBulk();
          break;
        case 3:
          WriteMortal();
          break;
        case 4:
        case 5:
          WriteSingle(singles_[Draw(singles_.size())]);
          break;
        default:
          WritePair(pairs_[Draw(pairs_.size())]);
      }
    }
  }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }

  // The next write of a slot, entered as begun.
  Write Begin(int slot) {
    constexpr Write::Kind kKinds[] = {Write::Kind::kSet, Write::Kind::kSet,
                                      Write::Kind::kSetWithTtl,
                                      Write::Kind::kDelete};
    const Write write(++ledger_.slots[slot].numbers, Draw(ledger_.size_classes),
                      kKinds[Draw(4)]);
    ledger_.slots[slot].begun = write.word();
    return write;
  }

  static WriteOp OpOf(const Write& write, std::string key) {
    WriteOp op;
    std::optional<std::string> value = write.ValueAt(key);
    op.key = std::move(key);
    if (!value.has_value()) {
      op.kind = WriteOp::Kind::kDelete;
      return op;
    }
    op.value = *std::move(value);
    if (write.kind() == Write::Kind::kSetWithTtl) op.ttl = absl::Hours(1);
    return op;
  }

  void NoteETag(const ETag& etag) {
    if (etag == ETag(0)) return;  // a delete
    const uint32_t at = ledger_.etag_count++;
    if (at < SharedLedger::kMaxETags) ledger_.etags[at] = etag.version();
  }

  // An answer has come.
  void End(int slot, const Write& write,
           const absl::StatusOr<std::vector<ETag>>& etags) {
    Slot& entry = ledger_.slots[slot];
    if (!etags.ok()) {
      // Surely not applied; anything else is no answer to these calls.
      if (!absl::IsResourceExhausted(etags.status())) Complain(etags.status());
      entry.begun = entry.acknowledged.load();
      return;
    }
    for (size_t side = 0; side < etags->size(); ++side) {
      NoteETag((*etags)[side]);
      entry.etags[side] = (*etags)[side].version();
    }
    entry.acknowledged = write.word();
    ++ledger_.acknowledged;
  }

  void WritePair(int slot) {
    const Write write = Begin(slot);
    std::vector<WriteOp> ops;
    for (int side = 0; side < 2; ++side) {
      ops.push_back(OpOf(write, SharedLedger::Key(slot, side)));
    }
    End(slot, write, store_.Transact(std::move(ops)));
  }

  // On condition of the version that the ledger knows, now and then.
  void WriteSingle(int slot) {
    const Slot& entry = ledger_.slots[slot];
    const bool is_there = Write(entry.acknowledged).ValueAt("").has_value();
    const ETag last(entry.etags[0]);
    const Write write = Begin(slot);
    WriteOp op = OpOf(write, SharedLedger::Key(slot, 0));
    if (Draw(2) == 0) {
      op.precondition =
          is_there ? Precondition::Match(last) : Precondition::Absent();
    }
    End(slot, write, store_.Transact({std::move(op)}));
  }

  void WriteBulk() {
    std::vector<Write> writes;
    std::vector<WriteOp> ops;
    for (const int slot : singles_) {
      writes.push_back(Begin(slot));
      ops.push_back(OpOf(writes.back(), SharedLedger::Key(slot, 0)));
    }
    const std::vector<Store::WriteResult> results =
        store_.BulkWrite(std::move(ops));
    for (size_t i = 0; i < writes.size(); ++i) {
      if (results[i].ok()) {
        End(singles_[i], writes[i], std::vector<ETag>{*results[i]});
      } else {
        End(singles_[i], writes[i], results[i].status());
      }
    }
  }

  void WriteMortal() {
    const absl::StatusOr<ETag> etag =
        store_.Set({.key = SharedLedger::MortalKey(
                        static_cast<int>(Draw(SharedLedger::kMortals))),
                    .value = "soon gone",
                    .ttl = SharedLedger::kMortalsTtl});
    if (!etag.ok() && !absl::IsResourceExhausted(etag.status())) {
      Complain(etag.status());
    }
  }

  // A write that is refused leaves nothing, now or after a crash.
  void MustNotHold() {
    const int slot = pairs_[Draw(pairs_.size())];
    const absl::Status status =
        store_
            .Transact({{.key = SharedLedger::Key(slot, 0), .value = "never"},
                       {.key = SharedLedger::Key(slot, 1),
                        .value = "never",
                        .precondition = Precondition::Match(ETag(random_()))}})
            .status();
    if (!absl::IsFailedPrecondition(status)) Complain(status);
  }

  void Increment() {
    const absl::StatusOr<std::optional<Item>> item =
        store_.Get(SharedLedger::CounterKey());
    if (!item.ok()) return Complain(item.status());
    uint64_t count = 0;
    if (item->has_value() && !absl::SimpleAtoi((*item)->value, &count)) {
      return Complain(absl::DataLossError((*item)->value));
    }
    ++ledger_.increments_begun;
    const absl::StatusOr<ETag> etag = store_.Set(
        {.key = SharedLedger::CounterKey(),
         .value = absl::StrCat(count + 1),
         .precondition = item->has_value() ? Precondition::Match((*item)->etag)
                                           : Precondition::Absent()});
    if (etag.ok()) {
      NoteETag(*etag);
      ++ledger_.increments_acknowledged;
      ++ledger_.acknowledged;
      return;
    }
    --ledger_.increments_begun;
    if (!absl::IsFailedPrecondition(etag.status()) &&
        !absl::IsResourceExhausted(etag.status())) {
      Complain(etag.status());
    }
  }

  void Complain(const absl::Status& status) {
    if (ledger_.complained.exchange(true)) return;
    std::snprintf(ledger_.complaint, sizeof(ledger_.complaint), "%s",
                  status.ToString().c_str());
  }

  Store& store_;
  SharedLedger& ledger_;
  std::mt19937_64 random_;
  std::vector<int> pairs_;
  std::vector<int> singles_;
};

int Main(const std::string& path, SharedLedger& ledger) {
  const uint64_t max_size = static_cast<uint64_t>(ledger.max_size_mib) << 20;
  const absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path,
                   .keys = TestKeys(),
                   .max_size = max_size,
                   .cleanup_interval = ledger.sweep ? absl::Milliseconds(1)
                                                    : absl::ZeroDuration()});
  if (!store.ok()) {
    std::snprintf(ledger.complaint, sizeof(ledger.complaint), "%s",
                  store.status().ToString().c_str());
    ledger.complained = true;
    return 1;
  }
  ledger.ready = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < ledger.threads; ++i) {
    threads.emplace_back([&, i] { Writer(**store, ledger, i).WriteForEver(); });
  }
  // Grows while they write, where there is more to have.
  for (uint64_t size = max_size; size < 4 * max_size; size += max_size / 4) {
    if (!(*store)->GrowTo(size).ok()) return 1;
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return statecpp::Main(argv[1], *statecpp::SharedLedger::Map(argv[2]));
}
