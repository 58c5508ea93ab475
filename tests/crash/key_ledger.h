// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CRASH_KEY_LEDGER_H_
#define STATECPP_TESTS_CRASH_KEY_LEDGER_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/master_key.h"

namespace statecpp {

// One change of a store's keys.
struct KeyChange {
  enum class Kind : uint64_t { kNone, kAdd, kRemove, kRotate, kRetire };

  Kind kind = Kind::kNone;
  // A master key's number or a data key's id.
  uint64_t number = 0;

  uint64_t word() const { return number << 8 | static_cast<uint64_t>(kind); }
  static KeyChange Of(uint64_t word) {
    return {static_cast<Kind>(word & 0xff), word >> 8};
  }
};

// What a process that changes a store's keys has begun and what was answered,
// in memory that it shares with the one that will kill it. Beside the changes,
// one item counts: its writer compares its ETag each time.
struct KeyLedger {
  static constexpr uint64_t kMasterKeys = 12;
  static constexpr uint64_t kMaxDataKeys = 4096;

  // Set before the process starts.
  uint64_t seed;

  // It has the store open.
  std::atomic<bool> ready;
  // What it does now: KeyChange::word. Taken back by the answer.
  std::atomic<uint64_t> in_hand;
  // As the answers so far leave it.
  std::atomic<bool> has_slot[kMasterKeys];
  std::atomic<bool> has_data_key[kMaxDataKeys];
  std::atomic<uint64_t> active_id;
  // The counting item: increments begun and acknowledged.
  std::atomic<uint64_t> increments_begun;
  std::atomic<uint64_t> increments_acknowledged;
  // Of each kind, how many were answered with success.
  std::atomic<uint64_t> done[5];
  // The first answer that no store may give.
  std::atomic<bool> complained;
  char complaint[512];

  static std::string CounterKey() { return "counter"; }

  // Master key `number`; 0 is the one that the store is made with.
  static MasterKey Key(uint64_t number) {
    return MasterKey::FromKey(
        absl::StrCat("key-", number),
        Secret(std::vector<uint8_t>(Secret::kSize,
                                    static_cast<uint8_t>(0x30 + number))));
  }
  static std::shared_ptr<const MasterKeys> Keys(uint64_t number) {
    auto keys = std::make_shared<MasterKeys>();
    keys->push_back(Key(number));
    return keys;
  }

  // The ledger in this file, which is made when it is not there. It stays
  // mapped.
  static KeyLedger* Map(const std::string& file) {
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(KeyLedger)) != 0) std::abort();
    void* const memory = mmap(nullptr, sizeof(KeyLedger),
                              PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) std::abort();
    close(fd);
    return static_cast<KeyLedger*>(memory);
  }
};

static_assert(std::atomic<uint64_t>::is_always_lock_free,
              "the ledger is shared between processes");

}  // namespace statecpp

#endif  // STATECPP_TESTS_CRASH_KEY_LEDGER_H_
