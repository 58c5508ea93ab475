// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CRASH_SHARED_LEDGER_H_
#define STATECPP_TESTS_CRASH_SHARED_LEDGER_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace statecpp {

// What a process that writes to a store has begun and what was acknowledged to
// it, in memory that it shares with the one that will kill it: every step is in
// there the moment it is taken, however the writer ends.
//
// The keys are cut into slots. A slot belongs to one thread of the writer, so
// its writes come one after the other, and after a crash it holds what its last
// acknowledged write left or what the one begun after that leaves.

// One write of a slot, in 64 bits: the number of the write, how large its value
// is, and what it does. 0: nothing was ever written.
class Write {
 public:
  enum class Kind : uint64_t { kSet, kSetWithTtl, kDelete };

  Write() = default;
  explicit Write(uint64_t word) : word_(word) {}
  Write(uint64_t number, uint64_t size_class, Kind kind)
      : word_(number << 8 | size_class << 2 | static_cast<uint64_t>(kind)) {}

  uint64_t word() const { return word_; }
  uint64_t number() const { return word_ >> 8; }
  Kind kind() const { return static_cast<Kind>(word_ & 3); }

  static constexpr size_t kSizes[] = {0, 30, 900, 1100, 5000, 30'000, 200'000};
  static constexpr uint64_t kSizeClasses = std::size(kSizes);

  // What it leaves at a key; nullopt: nothing. No two writes leave the same.
  std::optional<std::string> ValueAt(const std::string& key) const {
    if (word_ == 0 || kind() == Kind::kDelete) return std::nullopt;
    return absl::StrCat(key, " write ", word_, " ",
                        std::string(kSizes[(word_ >> 2) & 63],
                                    static_cast<char>('a' + number() % 26)));
  }

 private:
  uint64_t word_ = 0;
};

struct Slot {
  std::atomic<uint64_t> numbers;       // of writes, none of them used again
  std::atomic<uint64_t> begun;         // Write::word of the latest
  std::atomic<uint64_t> acknowledged;  // and of the latest that was
  // Of the acknowledged write, at each key.
  std::atomic<uint64_t> etags[2];
};

struct SharedLedger {
  // Slots of two keys, written by transactions, and then those of one key.
  static constexpr int kPairs = 16;
  static constexpr int kSlots = 64;
  static constexpr uint32_t kMaxETags = 1 << 20;

  // Items with next to no time to live, so that there is something to sweep.
  static constexpr int kMortals = 32;
  static constexpr absl::Duration kMortalsTtl = absl::Milliseconds(2);

  // How the writer is to go about it. Set before it starts.
  uint64_t seed;
  int threads;
  int max_size_mib;
  uint64_t size_classes;  // only the first so many of Write::kSizes
  bool sweep;

  // The writer has the store open.
  std::atomic<bool> ready;
  Slot slots[kSlots];
  // A number at one key that all threads increment on condition of its ETag:
  // increments begun and not refused, and those acknowledged.
  std::atomic<uint64_t> increments_begun;
  std::atomic<uint64_t> increments_acknowledged;
  // Every ETag that the store returned.
  std::atomic<uint32_t> etag_count;
  std::atomic<uint64_t> etags[kMaxETags];
  std::atomic<uint64_t> acknowledged;
  // The first answer that no store may give.
  std::atomic<bool> complained;
  char complaint[512];

  static constexpr int KeysOf(int slot) { return slot < kPairs ? 2 : 1; }
  static std::string Key(int slot, int side) {
    return absl::StrCat("app||", slot % 5, "||slot", slot, side);
  }
  static std::string CounterKey() { return "app||counter"; }
  static std::string MortalKey(int i) { return absl::StrCat("app||mortal", i); }

  // The ledger in this file, which is made when it is not there. It stays
  // mapped.
  static SharedLedger* Map(const std::string& file) {
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(SharedLedger)) != 0) std::abort();
    void* const memory = mmap(nullptr, sizeof(SharedLedger),
                              PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) std::abort();
    close(fd);
    return static_cast<SharedLedger*>(memory);
  }
};

static_assert(std::atomic<uint64_t>::is_always_lock_free,
              "the ledger is shared between processes");

}  // namespace statecpp

#endif  // STATECPP_TESTS_CRASH_SHARED_LEDGER_H_
