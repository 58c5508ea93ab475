// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define STATECPP_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/item.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Matchers for statuses, which Debian's abseil has none of, and for items.
//
//   EXPECT_THAT(store.Set(op), IsOk());
//   EXPECT_THAT(store.Set(op), StatusIs(kFailedPrecondition, HasSubstr("e1")));
//   EXPECT_THAT(store.Get("a"), IsOkAndHolds(HasValue("1")));
namespace statecpp {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return arg.ok();
}

MATCHER_P(HasCode, code, "has the code " + absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

MATCHER_P2(StatusIs, code, message,
           "has the code " + absl::StatusCodeToString(code) + " and a text") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code &&
         ::testing::ExplainMatchResult(
             message, std::string(StatusOf(arg).message()), result_listener);
}

MATCHER_P(IsOkAndHolds, inner, "is OK and holds a value") {
  if (!arg.ok()) {
    *result_listener << StatusOf(arg).ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(inner, *arg, result_listener);
}

MATCHER(IsMissing, "is no item") { return !arg.has_value(); }

MATCHER_P(HasValue, value, "is an item of a value") {
  if (!arg.has_value()) {
    *result_listener << "no item";
    return false;
  }
  return ::testing::ExplainMatchResult(value, arg->value, result_listener);
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_STATUS_MATCHERS_H_
