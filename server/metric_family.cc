// SPDX-License-Identifier: Apache-2.0
#include "server/metric_family.h"

#include <prometheus/client_metric.h>

#include <cstdint>
#include <limits>

namespace statecpp {

prometheus::ClientMetric& MetricFamily::NewMetric(const Labels& labels) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  for (const auto& [name, value] : labels) {
    metric.label.push_back({name, value});
  }
  return metric;
}

void MetricFamily::Add(const Labels& labels, double value) {
  prometheus::ClientMetric& metric = NewMetric(labels);
  if (family_.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void MetricFamily::Add(const Labels& labels,
                       const Distribution::Reading& reading, double unit) {
  prometheus::ClientMetric::Histogram& histogram = NewMetric(labels).histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    count += reading.counts[i];
    histogram.bucket.push_back(
        {count, i < reading.bounds.size()
                    ? static_cast<double>(reading.bounds[i]) / unit
                    : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_count = count;
  histogram.sample_sum = static_cast<double>(reading.sum) / unit;
}

}  // namespace statecpp
