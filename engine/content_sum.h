// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CONTENT_SUM_H_
#define STATECPP_ENGINE_CONTENT_SUM_H_

#include <cstdint>

#include "crypto/multiset_hash.h"
#include "crypto/secret.h"
#include "engine/record.h"

namespace statecpp {

// What the records of a store say, all together and in no order: keys, values,
// content types, versions and expiry, and not how they are sealed or where they
// stand. Two stores come to the same sum when their items are the same.
//
//   const Secret key = Secret::Random();  // for both; kept nowhere
//   ContentSum sum(key);
//   sum.Add(content);
//
// Thread-compatible. Refers to the key.
class ContentSum {
 public:
  explicit ContentSum(const Secret& key) : key_(&key) {}

  void Add(const RecordContent& content);

  uint64_t records() const { return records_; }
  // Records with an expiry.
  uint64_t expiring() const { return expiring_; }

  bool SameAs(const ContentSum& other) const {
    return records_ == other.records_ && sum_ == other.sum_;
  }

 private:
  const Secret* key_;
  uint64_t records_ = 0;
  uint64_t expiring_ = 0;
  MultisetHash sum_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CONTENT_SUM_H_
