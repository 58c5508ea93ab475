// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_METRICS_H_
#define STATECPP_SERVER_METRICS_H_

#include <prometheus/metric_family.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "server/instances.h"
#include "server/last_successes.h"

namespace statecpp {

// What Prometheus scrapes: the figures of every instance, of its store and of
// the process, in Prometheus' text format. docs/operations.md lists them.
//
// Counting goes on whether or not anybody looks. A look takes figures that were
// counted and reads a few pages of each store; it waits for no commit, and no
// call waits for it. All series of an instance are there from its Init on.
//
// Labels are names of components, of operations and of results, never a key, a
// value, an app or an error's text. Two components that share a store each show
// its figures.
//
// Thread-safe.
class Metrics {
 public:
  struct Source {
    const Instances& instances;
    // Calls that were refused before they came to an instance.
    const std::atomic<uint64_t>& refused_for_room;
    const std::atomic<uint64_t>& refused_without_instance;
    const LastSuccesses& successes;
    std::string version;
  };

  explicit Metrics(Source source) : source_(std::move(source)) {}

  // In the order in which they are shown.
  std::vector<prometheus::MetricFamily> Collect() const;

  std::string Text() const;

 private:
  const Source source_;
};

// The type of that text, as HTTP names it.
inline constexpr char kMetricsContentType[] =
    "text/plain; version=0.0.4; charset=utf-8";

}  // namespace statecpp

#endif  // STATECPP_SERVER_METRICS_H_
