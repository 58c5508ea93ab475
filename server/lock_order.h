// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_LOCK_ORDER_H_
#define STATECPP_SERVER_LOCK_ORDER_H_

namespace statecpp {

// From now on no lock of this process looks whether it was ever taken in
// another order than before. For the program to call, once and before it uses
// gRPC; a library leaves this to its host.
//
// Debian builds abseil with these checks: each lock and unlock, gRPC's among
// them, goes through a graph that all threads share under one more lock. They
// are for tests, which keep them; a call of a server takes some thirty locks.
void SkipLockOrderChecks();

}  // namespace statecpp

#endif  // STATECPP_SERVER_LOCK_ORDER_H_
