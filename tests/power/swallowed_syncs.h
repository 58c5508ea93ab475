// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_SWALLOWED_SYNCS_H_
#define STATECPP_TESTS_POWER_SWALLOWED_SYNCS_H_

namespace statecpp {

// From now on fsync and fdatasync of this process do nothing and succeed, and
// O_DSYNC means nothing.
void SwallowSyncs();

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_SWALLOWED_SYNCS_H_
