// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_ADMIN_STATS_PROTO_H_
#define STATECPP_API_ADMIN_STATS_PROTO_H_

#include "engine/store_stats.h"
#include "statecpp/v1/admin.pb.h"

// Between a store's figures and what is sent of them, which knows milliseconds
// and nothing less. Thread-safe.
namespace statecpp {

v1::Stats StatsToProto(const StoreStats& stats);
StoreStats StatsFromProto(const v1::Stats& message);

}  // namespace statecpp

#endif  // STATECPP_API_ADMIN_STATS_PROTO_H_
