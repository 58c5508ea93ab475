// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_ACCUMULATOR_H_
#define STATECPP_ENGINE_ACCUMULATOR_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "crypto/keyring.h"
#include "crypto/multiset_hash.h"
#include "crypto/random.h"

namespace statecpp {

// What a store knows of all its records together, brought up to date in the
// LMDB transaction that changes them and sealed beside them. A walk over the
// records that comes to another sum or count finds records that were replayed,
// deleted, brought back or planted. Format v1, final; little endian.
//
//   accumulator := fmt(u8) = 1 alg(u8) 0(u16) nonce[24] sealed{ state } tag[16]
//   state       := commit_seq(u64) open_count(u64) high_water_ms(i64)
//                  unreadable(u64) sum[32] chain[32]
//                  key_count(u32) { key_id(u32) records(u64) }*
//   ad          := "lse/1/acc\0" store_id[16]
//
//   term  := BLAKE2b-256(acc key, "rec\0" record_key header nonce head_tag)
//   sum   := sum of the terms of all records, modulo 2^256
//   chain := BLAKE2b-256(acc key, "chain\0" former chain, commit_seq, sum)
//
// A term needs no opened record: it covers the record through its tag.
//
// Thread-compatible, and cheap to copy: a transaction works on a copy.
class Accumulator {
 public:
  // Of an empty store. Refers to the keyring.
  explicit Accumulator(const Keyring& keyring) : keyring_(&keyring) {}

  // From now on refers to another keyring of the same store.
  void UseKeyring(const Keyring& keyring) { keyring_ = &keyring; }

  // nullopt when `sealed` is not what Seal returned in this store.
  static std::optional<Accumulator> Open(const Keyring& keyring,
                                         absl::string_view sealed);

  // Goes on from where the accumulator of another store stands, of which this
  // one becomes a copy: in commits, openings and time, not in records.
  void ContinueFrom(const Accumulator& other) {
    commit_seq_ = other.commit_seq_;
    open_count_ = other.open_count_;
    high_water_ms_ = other.high_water_ms_;
  }

  // Takes note that the record at `record_key` was replaced; nullopt stands for
  // no record. Where the former one is too damaged to have a term, the sum
  // cannot follow, and it counts as unreadable.
  void Replace(absl::string_view record_key,
               const std::optional<absl::string_view>& former,
               const std::optional<absl::string_view>& current);

  // Takes note of one more commit and seals the state as it then is.
  std::string SealNextCommit(Random& random);

  // LMDB transactions that changed the store: the order of its commits.
  uint64_t commit_seq() const { return commit_seq_; }

  // Times the store was opened.
  uint64_t open_count() const { return open_count_; }
  void CountOpen() { ++open_count_; }

  // Milliseconds since 1970 that have passed for certain (trusted_time.h).
  int64_t high_water_ms() const { return high_water_ms_; }
  void KeepHighWater(int64_t ms) { high_water_ms_ = ms; }

  // Damaged records that were replaced or removed: while this is not zero, sum
  // and counts are not those of the records.
  uint64_t unreadable() const { return unreadable_; }

  uint64_t records() const;
  const std::map<uint32_t, uint64_t>& records_by_key() const {
    return records_by_key_;
  }

  // From now on stands for the records of `counted`, a complete walk over the
  // same store whose owner has accepted what differed. Nobody can see any more
  // what that was. The order of commits and the time go on.
  void Accept(const Accumulator& counted);

  // True when both stand for the same records.
  bool SameRecords(const Accumulator& other) const {
    return sum_ == other.sum_ && records_by_key_ == other.records_by_key_;
  }

 private:
  std::string EncodeState() const;
  bool DecodeState(absl::string_view state);

  const Keyring* keyring_;
  uint64_t commit_seq_ = 0;
  uint64_t open_count_ = 0;
  int64_t high_water_ms_ = 0;
  uint64_t unreadable_ = 0;
  MultisetHash sum_;
  MultisetHash::Term chain_ = {};
  // Records sealed under each data key; no entry for a key that has none.
  std::map<uint32_t, uint64_t> records_by_key_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_ACCUMULATOR_H_
