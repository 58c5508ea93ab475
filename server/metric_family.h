// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_METRIC_FAMILY_H_
#define STATECPP_SERVER_METRIC_FAMILY_H_

#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <utility>

#include "engine/distribution.h"

namespace statecpp {

// A metric with its samples, filled one at a time.
//
//   MetricFamily keys("statecpp_keys", prometheus::MetricType::Gauge, "…");
//   keys.Add({{"component", "orders"}}, 12);
//
// Of prometheus-cpp this takes the text format alone. Its counters and
// histograms are not used: they lock, and what they would count is counted
// already where it happens.
class MetricFamily {
 public:
  using Labels = std::map<std::string, std::string>;

  MetricFamily(const char* name, prometheus::MetricType type,
               const char* help) {
    family_.name = name;
    family_.type = type;
    family_.help = help;
  }

  // A counter's or a gauge's.
  void Add(const Labels& labels, double value);
  // A histogram's. `unit`: how many of what was added make one of what is
  // shown, as 1e9 nanoseconds a second.
  void Add(const Labels& labels, const Distribution::Reading& reading,
           double unit);

  prometheus::MetricFamily Take() && { return std::move(family_); }

 private:
  prometheus::ClientMetric& NewMetric(const Labels& labels);

  prometheus::MetricFamily family_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_METRIC_FAMILY_H_
