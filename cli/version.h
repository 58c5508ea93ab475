// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_VERSION_H_
#define STATECPP_CLI_VERSION_H_

namespace statecpp {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace statecpp

#endif  // STATECPP_CLI_VERSION_H_
