// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CONTRACT_SUBJECT_H_
#define STATECPP_TESTS_CONTRACT_SUBJECT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace statecpp {

// What Dapr's contract lets one ask of a key, in its own words.
struct Operation {
  enum class Kind { kSet, kDelete };
  enum class Concurrency { kUnspecified, kFirstWrite, kLastWrite };

  Kind kind = Kind::kSet;
  std::string key;
  std::string value = "";
  // An empty text asks for nothing, as no ETag does.
  std::optional<std::string> etag = std::nullopt;
  Concurrency concurrency = Concurrency::kUnspecified;
  // `ttlInSeconds`, of a set.
  std::optional<int64_t> ttl = std::nullopt;
  std::string content_type = "";
};

// What a read shows.
struct Reading {
  std::string value;
  std::string etag;
  std::string content_type;
  bool expires = false;

  bool operator==(const Reading&) const = default;
};
using Readings = std::vector<std::optional<Reading>>;

inline std::ostream& operator<<(std::ostream& out, const Reading& reading) {
  return out << "\"" << reading.value.substr(0, 100) << "\" (" << reading.etag
             << ")";
}

// What is answered, as far as the contract tells answers apart.
enum class Verdict {
  kDone,
  kMismatch,  // another version stands there, or something, or nothing
  kInvalid,   // cannot be asked at all
  kFailed,    // none of these: never right
};

inline std::ostream& operator<<(std::ostream& out, Verdict verdict) {
  static constexpr const char* kNames[] = {"done", "mismatch", "invalid",
                                           "failed"};
  return out << kNames[static_cast<int>(verdict)];
}

// One who keeps the contract: the reference model, the library, the program
// behind its socket. The cases of this folder are the same for all of them.
class Subject {
 public:
  virtual ~Subject() = default;

  virtual std::optional<Reading> Get(const std::string& key) = 0;
  virtual Readings BulkGet(const std::vector<std::string>& keys) = 0;

  virtual Verdict Write(const Operation& operation) = 0;
  // Operations of one kind, each on its own. An answer other than kDone is that
  // of one of those that failed.
  virtual Verdict Bulk(const std::vector<Operation>& operations) = 0;
  virtual Verdict Transact(const std::vector<Operation>& operations) = 0;

  // The words of the last answer other than kDone; nullopt of one who has none.
  virtual std::optional<std::string> LastRefusal() const {
    return std::nullopt;
  }

  // Returns when all items with a time to live of at most two seconds have
  // expired, and none with one of a minute.
  virtual void AwaitExpiry() = 0;
};

// Defined once in each of the tests that are linked with the cases.
std::unique_ptr<Subject> NewSubject();

}  // namespace statecpp

#endif  // STATECPP_TESTS_CONTRACT_SUBJECT_H_
