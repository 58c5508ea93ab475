// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.h"

#include <prometheus/text_serializer.h>

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/store_figures.h"
#include "server/instance_figures.h"
#include "server/metric_family.h"
#include "server/process_figures.h"

namespace statecpp {
namespace {

using Families = std::vector<prometheus::MetricFamily>;
using Type = prometheus::MetricType;

constexpr double kNanoseconds = 1e9;
constexpr double kPlain = 1;

// An instance as one look found it. No figures: its store cannot be read.
struct Seen {
  std::string name;
  std::shared_ptr<const Instance> instance;
  std::optional<StoreFigures> store;

  MetricFamily::Labels Labels() const { return {{"component", name}}; }
};

std::vector<Seen> Look(const Instances& instances) {
  std::vector<Seen> all;
  for (auto& [name, instance] : instances.All()) {
    absl::StatusOr<StoreFigures> figures = instance->store->GetFigures();
    all.push_back({.name = name,
                   .instance = std::move(instance),
                   .store = figures.ok() ? std::optional(*std::move(figures))
                                         : std::nullopt});
  }
  return all;
}

// --- Of a store, one number each.

struct StoreNumber {
  const char* name;
  Type type;
  const char* help;
  double (*of)(const StoreFigures& figures);
};

// As many as figures says, but for those under the active key.
double PendingRecords(const StoreFigures& figures) {
  double pending = 0;
  for (const auto& [key, records] : figures.records_by_key) {
    if (key != figures.active_key) pending += static_cast<double>(records);
  }
  return pending;
}

template <auto member>
double Number(const StoreFigures& figures) {
  return static_cast<double>(figures.*member);
}
template <auto member>
double Seconds(const StoreFigures& figures) {
  return absl::ToDoubleSeconds(figures.*member);
}

constexpr StoreNumber kStoreNumbers[] = {
    {"statecpp_write_queue_depth", Type::Gauge,
     "Writes that wait to be committed.", Number<&StoreFigures::queue_depth>},
    {"statecpp_keys", Type::Gauge,
     "Items in the store, expired ones that were not removed yet included.",
     Number<&StoreFigures::records>},
    {"statecpp_expiring_keys", Type::Gauge,
     "Entries in the index of times to live: as many items expire at most, "
     "since one that is written again leaves entries behind.",
     Number<&StoreFigures::expiry_entries>},
    {"statecpp_map_size_bytes", Type::Gauge,
     "maxSize: the bytes that items and their index may take.",
     Number<&StoreFigures::max_size>},
    {"statecpp_map_used_bytes", Type::Gauge, "What they take of it.",
     Number<&StoreFigures::used_bytes>},
    {"statecpp_free_pages", Type::Gauge,
     "Pages of the file that are free to be used again.",
     Number<&StoreFigures::free_pages>},
    {"statecpp_file_bytes", Type::Gauge,
     "What data.mdb takes of the disk, with the blocks set aside for deletes.",
     Number<&StoreFigures::file_bytes>},
    {"statecpp_filesystem_avail_bytes", Type::Gauge,
     "What is left on that disk for the server.",
     Number<&StoreFigures::disk_bytes>},
    {"statecpp_readers", Type::Gauge, "Snapshots that are being read.",
     Number<&StoreFigures::readers>},
    {"statecpp_oldest_reader_age_seconds", Type::Gauge,
     "For how long the oldest of them has been behind, as scrapes saw it; "
     "while it is, freed pages cannot be used again.",
     Seconds<&StoreFigures::oldest_reader_age>},
    {"statecpp_oldest_reader_lag_txns", Type::Gauge,
     "Commits since the oldest of them.",
     Number<&StoreFigures::oldest_reader_lag>},
    {"statecpp_stale_readers_cleared_total", Type::Counter,
     "Snapshots of processes that died, which were let go of.",
     Number<&StoreFigures::cleared_readers>},
    {"statecpp_ttl_expired_total", Type::Counter,
     "Expired items that were removed.", Number<&StoreFigures::swept>},
    {"statecpp_ttl_lag_seconds", Type::Gauge,
     "How long the first of the expired items has waited to be removed.",
     Seconds<&StoreFigures::sweep_lag>},
    {"statecpp_rekey_pending_keys", Type::Gauge,
     "Items that are sealed under a former data key.", PendingRecords},
};

void AddStoreNumbers(const std::vector<Seen>& all, Families& families) {
  for (const StoreNumber& number : kStoreNumbers) {
    MetricFamily family(number.name, number.type, number.help);
    for (const Seen& seen : all) {
      if (seen.store.has_value()) {
        family.Add(seen.Labels(), number.of(*seen.store));
      }
    }
    families.push_back(std::move(family).Take());
  }
}

void AddKeys(const std::vector<Seen>& all, Families& families) {
  MetricFamily family("statecpp_key_info", Type::Gauge,
                      "1 for each data key that seals items, and for the one "
                      "that seals new ones; none where the store is plain.");
  for (const Seen& seen : all) {
    if (!seen.store.has_value() || seen.store->active_key == 0) continue;
    std::map<uint32_t, uint64_t> keys = seen.store->records_by_key;
    keys[seen.store->active_key];
    for (const auto& [key, records] : keys) {
      family.Add({{"component", seen.name}, {"key_id", absl::StrCat(key)}}, 1);
    }
  }
  families.push_back(std::move(family).Take());
}

void AddCommits(const std::vector<Seen>& all, Families& families) {
  const auto add = [&](const char* name, const char* help,
                       Distribution::Reading StoreFigures::*reading,
                       double unit) {
    MetricFamily family(name, Type::Histogram, help);
    for (const Seen& seen : all) {
      if (!seen.store.has_value()) continue;
      family.Add(seen.Labels(), *seen.store.*reading, unit);
    }
    families.push_back(std::move(family).Take());
  };
  add("statecpp_commit_duration_seconds",
      "How long commits took, from judging what is to be written on.",
      &StoreFigures::commit_time, kNanoseconds);
  add("statecpp_sync_duration_seconds",
      "The part of them in which pages are written and the disk is waited for.",
      &StoreFigures::sync_time, kNanoseconds);
  add("statecpp_commit_batch_operations", "Writes that shared a commit.",
      &StoreFigures::commit_writes, kPlain);
}

// --- Of the calls to an instance.

void AddResults(const std::vector<Seen>& all, Families& families) {
  MetricFamily family("statecpp_operations_total", Type::Counter,
                      "Calls by what came of them.");
  for (const Seen& seen : all) {
    for (size_t o = 0; o < kOperationNames.size(); ++o) {
      const auto& results = seen.instance->figures->operations[o].results;
      for (size_t r = 0; r < kResultNames.size(); ++r) {
        const bool is_miss = static_cast<Result>(r) == Result::kMiss;
        if (is_miss && static_cast<Operation>(o) != Operation::kGet) continue;
        family.Add({{"component", seen.name},
                    {"operation", kOperationNames[o]},
                    {"result", kResultNames[r]}},
                   static_cast<double>(results[r]));
      }
    }
  }
  families.push_back(std::move(family).Take());
}

struct CallDistribution {
  const char* name;
  const char* help;
  double unit;
  Distribution OperationFigures::*of;
  bool (*has)(Operation operation);
};

void AddCalls(const std::vector<Seen>& all, Families& families) {
  const CallDistribution distributions[] = {
      {"statecpp_operation_duration_seconds",
       "From a call's arrival until its reply goes out.", kNanoseconds,
       &OperationFigures::duration, [](Operation) { return true; }},
      {"statecpp_operation_items",
       "Items that a bulk or a transaction is about, or a query returned.",
       kPlain, &OperationFigures::items, HasItems},
      {"statecpp_value_bytes", "Sizes of the values written and returned.",
       kPlain, &OperationFigures::value_bytes, HasValues}};
  for (const CallDistribution& each : distributions) {
    MetricFamily family(each.name, Type::Histogram, each.help);
    for (const Seen& seen : all) {
      for (size_t o = 0; o < kOperationNames.size(); ++o) {
        if (!each.has(static_cast<Operation>(o))) continue;
        const OperationFigures& figures = seen.instance->figures->operations[o];
        family.Add(
            {{"component", seen.name}, {"operation", kOperationNames[o]}},
            (figures.*each.of).Read(), each.unit);
      }
    }
    families.push_back(std::move(family).Take());
  }
}

void AddInstanceCounts(const std::vector<Seen>& all, Families& families) {
  struct Count {
    const char* name;
    Type type;
    const char* help;
    double (*of)(const InstanceFigures& figures);
  };
  const Count counts[] = {
      {"statecpp_inflight_requests", Type::Gauge,
       "Calls that were taken up and not answered yet.",
       [](const InstanceFigures& f) {
         return static_cast<double>(f.calls_in_flight);
       }},
      {"statecpp_auth_failures_total", Type::Counter,
       "Records that were asked for and did not open: damaged, moved or "
       "changed.",
       [](const InstanceFigures& f) { return static_cast<double>(f.damaged); }},
      {"statecpp_query_scanned_total", Type::Counter,
       "Records that queries looked at.",
       [](const InstanceFigures& f) {
         return static_cast<double>(f.query_scanned);
       }},
      {"statecpp_query_returned_total", Type::Counter,
       "Items that queries returned.", [](const InstanceFigures& f) {
         return static_cast<double>(f.query_returned);
       }}};
  for (const Count& count : counts) {
    MetricFamily family(count.name, count.type, count.help);
    for (const Seen& seen : all) {
      family.Add(seen.Labels(), count.of(*seen.instance->figures));
    }
    families.push_back(std::move(family).Take());
  }
}

// --- Of the server.

// In Prometheus' way: seconds since 1970.
double Timestamp(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

// None where this process has made none.
void AddBackups(const std::vector<Seen>& all, const LastSuccesses& successes,
                Families& families) {
  using Backup = LastSuccesses::Backup;
  const auto add = [&](const char* name, const char* help,
                       double (*of)(const Backup& backup)) {
    MetricFamily family(name, Type::Gauge, help);
    for (const Seen& seen : all) {
      const std::optional<Backup> last =
          successes.BackupOf(seen.instance->config.data_dir);
      if (last.has_value()) family.Add(seen.Labels(), of(*last));
    }
    families.push_back(std::move(family).Take());
  };
  add("statecpp_backup_last_success_timestamp_seconds",
      "When the last backup was made that this process made, in seconds since "
      "1970.",
      [](const Backup& b) { return Timestamp(b.ended); });
  add("statecpp_backup_duration_seconds", "How long it took.",
      [](const Backup& b) { return absl::ToDoubleSeconds(b.took); });
  add("statecpp_backup_bytes", "Of its data.mdb.",
      [](const Backup& b) { return static_cast<double>(b.bytes); });
}

void AddVerifies(const std::vector<Seen>& all, const LastSuccesses& successes,
                 Families& families) {
  MetricFamily family("statecpp_verify_last_success_timestamp_seconds",
                      Type::Gauge,
                      "When this process last found every record whole, by a "
                      "verify that was not quick, in seconds since 1970.");
  for (const Seen& seen : all) {
    const std::optional<absl::Time> last =
        successes.VerifyOf(seen.instance->config.data_dir);
    if (last.has_value()) family.Add(seen.Labels(), Timestamp(*last));
  }
  families.push_back(std::move(family).Take());
}

void AddUp(const std::vector<Seen>& all, const Instances& instances,
           Families& families) {
  MetricFamily family("statecpp_instance_up", Type::Gauge,
                      "1: the component is served; 0: its store cannot be "
                      "read, or waits for its key.");
  for (const Seen& seen : all) {
    family.Add(seen.Labels(), seen.store.has_value() ? 1 : 0);
  }
  for (const std::string& name : instances.Down()) {
    family.Add({{"component", name}}, 0);
  }
  families.push_back(std::move(family).Take());
}

void AddProcess(Families& families) {
  const ProcessFigures figures = ReadProcessFigures();
  const auto add = [&](const char* name, Type type, const char* help,
                       double value) {
    MetricFamily family(name, type, help);
    family.Add({}, value);
    families.push_back(std::move(family).Take());
  };
  add("process_cpu_seconds_total", Type::Counter, "Processor time used.",
      figures.cpu_seconds);
  add("process_resident_memory_bytes", Type::Gauge,
      "Memory in use, with what of the data is in the page cache and mapped.",
      static_cast<double>(figures.resident_bytes));
  add("process_virtual_memory_bytes", Type::Gauge,
      "Addresses in use; a store takes those of its maxSize.",
      static_cast<double>(figures.virtual_bytes));
  add("process_open_fds", Type::Gauge, "Descriptors in use.",
      static_cast<double>(figures.open_descriptors));
  add("process_max_fds", Type::Gauge, "Descriptors that it may use.",
      static_cast<double>(figures.max_descriptors));
  add("process_threads", Type::Gauge, "Threads.",
      static_cast<double>(figures.threads));
  add("process_start_time_seconds", Type::Gauge,
      "When it was started, in seconds since 1970.",
      figures.start_time_seconds);
}

}  // namespace

Families Metrics::Collect() const {
  const std::vector<Seen> all = Look(source_.instances);
  Families families;
  AddResults(all, families);
  AddCalls(all, families);
  AddInstanceCounts(all, families);
  AddCommits(all, families);
  AddStoreNumbers(all, families);
  AddKeys(all, families);
  AddBackups(all, source_.successes, families);
  AddVerifies(all, source_.successes, families);
  AddUp(all, source_.instances, families);

  MetricFamily refused("statecpp_refused_calls_total", Type::Counter,
                       "Calls that came to no component, and count in no other "
                       "metric: there was no room for them, or the component "
                       "could not be served.");
  refused.Add({{"reason", "no_room"}},
              static_cast<double>(source_.refused_for_room));
  refused.Add({{"reason", "no_component"}},
              static_cast<double>(source_.refused_without_instance));
  families.push_back(std::move(refused).Take());

  MetricFamily build("statecpp_build_info", Type::Gauge,
                     "1, of the program that runs, and of the LMDB that it has "
                     "loaded.");
  build.Add({{"version", source_.version}, {"lmdb", LmdbVersion()}}, 1);
  families.push_back(std::move(build).Take());
  AddProcess(families);
  return families;
}

std::string Metrics::Text() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, Collect());
  return text.str();
}

}  // namespace statecpp
