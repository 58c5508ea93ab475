// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_CALL_FILTER_H_
#define STATECPP_TESTS_PROGRAM_CALL_FILTER_H_

#include <linux/filter.h>

#include <string>
#include <vector>

namespace statecpp {

// The seccomp profile in `file`, of the form that Docker and Kubernetes take,
// as the kernel takes it. Made by the library that they make it with; calls
// that it does not know are left out, as they are by them.
//
//   program_options.call_filter =
//       CallFilterOf(RunfilePath("deploy/seccomp.json"));
//
// A field of the profile that is not understood here fails the test: whatever
// would be passed over could be what forbids something.
std::vector<sock_filter> CallFilterOf(const std::string& file);

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_CALL_FILTER_H_
