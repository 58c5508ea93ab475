// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_FAIL_POINT_H_
#define STATECPP_ENGINE_FAIL_POINT_H_

// Places at which tests end this process, and faults that they plant in it:
//
//   STATECPP_FAIL_POINT("commit.durable");
//   if (STATECPP_SABOTAGE("reuse-etags")) return 7;
//
// A program that is built in the usual way has neither: both macros are nothing
// then, and //tests/sabotage looks into the released program for what they
// would have left. `--//engine:fail_points`, which the rule with_fail_points
// sets, builds them in. What acts is chosen by the environment at the start:
//
//   STATECPP_FAIL_POINT=commit.durable:3   kill -9 at the third passage
//   STATECPP_SABOTAGE=reuse-etags          that fault, all the time
//
// A fail point stands between two steps of something that a crash must not
// leave half done. A sabotage is a mistake that somebody could make, in the
// place where it could be made; //tests/sabotage has for each of them a test
// that notices.

#ifdef STATECPP_FAIL_POINTS

#include "absl/strings/string_view.h"

namespace statecpp {

// Thread-safe.
void PassFailPoint(absl::string_view name);
bool IsSabotaged(absl::string_view name);

}  // namespace statecpp

#define STATECPP_FAIL_POINT(name) ::statecpp::PassFailPoint(name)
#define STATECPP_SABOTAGE(name) ::statecpp::IsSabotaged(name)

#else

#define STATECPP_FAIL_POINT(name) static_cast<void>(0)
#define STATECPP_SABOTAGE(name) false

#endif  // STATECPP_FAIL_POINTS

#endif  // STATECPP_ENGINE_FAIL_POINT_H_
