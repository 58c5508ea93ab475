// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_VERIFY_TEXT_H_
#define STATECPP_CLI_VERIFY_TEXT_H_

#include <ostream>
#include <string>
#include <utility>

#include "engine/walk_report.h"

namespace statecpp {

// How `verify` says what a walk finds: findings as they come, then what they
// come to. For people, a line each:
//
//   damaged record 0099c1…: its tag does not fit bytes, key and place
//   all records: they are not those that the store wrote: 1 of 50 are missing
//   orders: 49 records (3 expired, 1 damaged), 18223 bytes, commit 57
//   data key 1: 49 records, 50 expected
//   expiry index: 3 entries, 1 of them left behind
//   orders is DAMAGED: …
//
// or as one object of JSON, with the same names.
class VerifyText {
 public:
  enum class Form { kLines, kJson };
  // What was asked for beside the walk; decides which advice is given.
  struct Asked {
    bool accept = false;
    bool drop_damaged = false;
  };

  VerifyText(std::ostream& out, Form form, std::string store, Asked asked)
      : out_(out), form_(form), store_(std::move(store)), asked_(asked) {}

  void Found(const WalkFinding& finding);
  // Last, and once.
  void Report(const WalkReport& report);

 private:
  void PrintReport(const WalkReport& report);
  void PrintVerdict(const WalkReport& report);
  void BeginJson();
  void PrintJson(const WalkReport& report);

  std::ostream& out_;
  const Form form_;
  const std::string store_;
  const Asked asked_;
  bool json_begun_ = false;
  bool json_has_findings_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_CLI_VERIFY_TEXT_H_
