// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STAT_TEXT_H_
#define STATECPP_CLI_STAT_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "engine/keys_status.h"
#include "engine/store_stats.h"

// What `statecpp stat` prints. Thread-safe.
namespace statecpp {

// "1.5 GiB"
std::string SizeText(uint64_t bytes);

struct StatView {
  std::string store;
  StoreStats stats;
  KeysStatus keys;
  bool served = false;
  // Whether max_size is what serves the store, and no guess of this program.
  bool knows_max_size = false;
};

// A line for each group of figures. `now` is what the sweep is late by.
std::string StatText(const StatView& view, absl::Time now);
// One object on a line.
std::string StatJson(const StatView& view);

}  // namespace statecpp

#endif  // STATECPP_CLI_STAT_TEXT_H_
