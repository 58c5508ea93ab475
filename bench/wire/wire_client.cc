// SPDX-License-Identifier: Apache-2.0
//
// Loads a state store's socket for a fixed time, by a closed loop or an open
// one, and prints one line of JSON: README.md says what is in it.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/statusor.h"
#include "bench/wire/call_slot.h"
#include "bench/wire/load.h"
#include "bench/wire/operation_mix.h"

namespace statecpp::wire {
namespace {

constexpr int64_t kWarmUpCalls = 200;

struct Flags {
  std::string socket;
  OperationMix mix;
  int in_flight = 1;
  int connections = 1;
  // Of an open loop; 0: a closed one.
  double rate = 0;
  Load::Bounds bounds = {.seconds = 1, .calls = 2'000'000};
  int server_pid = 0;
  CallShape shape;
  std::string encryption;
  bool filled = false;
};

// CPU time of a process so far, in seconds: that of each thread, by the
// scheduler's own clock, which is finer than the ticks of /proc/PID/stat.
double CpuSeconds(int pid) {
  if (pid == 0) return 0;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  double nanoseconds = 0;
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    double ran = 0;
    std::ifstream(task.path() / "schedstat") >> ran;
    nanoseconds += ran;
  }
  return nanoseconds * 1e-9;
}

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  std::string mix = "ping";
  CLI::App app("Loads a state store's socket and prints one line of JSON.");
  app.add_option("--socket", flags.socket, "The server's socket")->required();
  app.add_option("--op", mix,
                 "What to call: ping, get, set, bulkget or transact, or a mix "
                 "as get:9,set:1");
  app.add_option("--in-flight", flags.in_flight,
                 "Calls under way, over all connections")
      ->check(CLI::Range(1, 4096));
  app.add_option("--connections", flags.connections, "Connections")
      ->check(CLI::Range(1, 64));
  app.add_option("--rate", flags.rate,
                 "Calls a second, due at even intervals: an open loop, to "
                 "which --in-flight means nothing")
      ->check(CLI::Range(1.0, 1e6));
  app.add_option("--seconds", flags.bounds.seconds, "How long")
      ->check(CLI::Range(0.1, 600.0));
  app.add_option("--max-calls", flags.bounds.calls, "How many at most");
  app.add_option("--server-pid", flags.server_pid,
                 "Whose CPU time to report per call");
  app.add_option("--keys", flags.shape.keys, "How many keys there are")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--value-bytes", flags.shape.value_bytes, "Of each value");
  app.add_option("--batch", flags.shape.batch,
                 "Keys of a bulkget and of a transact")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--instance", flags.shape.instance,
                 "Which component calls are for");
  app.add_option("--encryption", flags.encryption,
                 "Configures the instance first, with this value");
  app.add_flag("--filled", flags.filled,
               "The keys are there from an earlier run; else sets them first");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit(app.exit(error));
  }
  const absl::StatusOr<OperationMix> parsed = OperationMix::Parse(mix);
  if (!parsed.ok()) {
    fprintf(stderr, "%s\n", std::string(parsed.status().message()).c_str());
    exit(2);
  }
  flags.mix = *parsed;
  return flags;
}

int Main(int argc, char** argv) {
  const Flags flags = ParseFlags(argc, argv);
  Load load(flags.socket, flags.connections, flags.shape);
  if (!flags.encryption.empty()) load.Configure(flags.encryption);
  if (!flags.filled) load.FillKeys();
  // Opens every connection.
  load.RunClosed(flags.mix, {.seconds = 10, .calls = kWarmUpCalls},
                 std::max(flags.in_flight, flags.connections));

  const double cpu_before = CpuSeconds(flags.server_pid);
  const Load::Result result =
      flags.rate > 0 ? load.RunOpen(flags.mix, flags.bounds, flags.rate)
                     : load.RunClosed(flags.mix, flags.bounds, flags.in_flight);
  const double cpu = CpuSeconds(flags.server_pid) - cpu_before;

  const auto calls = static_cast<double>(result.latencies.count());
  const auto microseconds = [&result](double quantile) {
    return static_cast<double>(result.latencies.Quantile(quantile)) / 1000;
  };
  printf(
      "{\"calls\": %.0f, \"qps\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
      "\"p999_us\": %.1f, \"max_us\": %.1f, \"backlog\": %zu, "
      "\"server_cpu_us\": %.2f}\n",
      calls, calls / result.seconds, microseconds(0.5), microseconds(0.99),
      microseconds(0.999), microseconds(1), result.backlog, cpu * 1e6 / calls);
  return 0;
}

}  // namespace
}  // namespace statecpp::wire

int main(int argc, char** argv) { return statecpp::wire::Main(argc, argv); }
