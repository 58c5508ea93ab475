// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_STORED_FACTS_H_
#define STATECPP_TESTS_FAULTS_STORED_FACTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/store.h"
#include "tests/faults/run_record.h"

namespace statecpp {

// The keys that operations write to; others are not looked at.
const std::vector<std::string>& WrittenKeys();

// What a caller can see of an open store:
//
//   item KEY     the item's value, content type and expiry
//   etag KEY     its ETag
//   records      how many there are, expired ones included
//   slot NAME    of a sealed store, that it is there
//   data key ID  whether it is active
//
// An error is a fact, too.
Facts FactsOf(const Store& store);

// What is judged of a run: what it did, and what is there afterwards.
class Judgement {
 public:
  // What each run began with, and what it leaves when no call fails.
  Facts before;
  Facts after;
  // Whether some of it may be there.
  bool each = false;

  // Empty, or what is wrong with what was `found`, after the answers that the
  // record holds.
  std::string WrongWith(const RunRecord& record, const Facts& found) const;

  // Whether all of it is there.
  bool IsDone(const Facts& found) const;

 private:
  // Facts that it changes.
  std::vector<std::string> Touched() const;
  std::string WrongUntouched(const Facts& found) const;
  std::string WrongTouched(const RunRecord& record, const Facts& found) const;
  std::string WrongCount(const RunRecord& record, const Facts& found) const;
  std::string WrongETags(const RunRecord& record, const Facts& found) const;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_STORED_FACTS_H_
