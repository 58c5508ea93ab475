// SPDX-License-Identifier: Apache-2.0
//
// Loads a state store's socket: a fixed number of calls under way, the next one
// started when one ends, for a fixed time. Prints one line of JSON.

#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp::wire {
namespace {

namespace proto = ::dapr::proto::components::v1;
using Clock = std::chrono::steady_clock;

constexpr int kKeys = 1000;
constexpr int kWarmUpCalls = 200;

struct Flags {
  std::string socket;
  std::string op = "ping";
  int in_flight = 1;
  int connections = 1;
  double seconds = 1;
  int64_t max_calls = 2'000'000;
  int server_pid = 0;
  size_t value_bytes = 128;
  std::string instance;
  std::string encryption;
};

// CPU time of a process so far, in seconds: that of each thread, by the
// scheduler's own clock, which is finer than the ticks of /proc/PID/stat.
double CpuSeconds(int pid) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  double nanoseconds = 0;
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    double ran = 0;
    std::ifstream(task.path() / "schedstat") >> ran;
    nanoseconds += ran;
  }
  return nanoseconds * 1e-9;
}

// One place for a call under way. Reused for the next call when one ends.
class Slot {
 public:
  virtual ~Slot() = default;
  virtual void Begin(int64_t number) = 0;
  virtual const grpc::Status& status() const = 0;

  Clock::time_point began;
};

std::string KeyOf(int64_t number) {
  return "bench||key-" + std::to_string(number % kKeys);
}

void Fill(const Flags&, int64_t, proto::PingRequest*) {}

void Fill(const Flags&, int64_t number, proto::GetRequest* request) {
  request->set_key(KeyOf(number));
}

void Fill(const Flags& flags, int64_t number, proto::SetRequest* request) {
  request->set_key(KeyOf(number));
  request->set_value(std::string(flags.value_bytes, 'v'));
}

void NameInstance(const Flags& flags, grpc::ClientContext& context) {
  if (flags.instance.empty()) return;
  context.AddMetadata("x-component-instance", flags.instance);
}

template <class In, class Out>
class UnarySlot final : public Slot {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Out>>;
  using Starter = Reader (proto::StateStore::Stub::*)(grpc::ClientContext*,
                                                      const In&,
                                                      grpc::CompletionQueue*);

  UnarySlot(const Flags& flags, proto::StateStore::Stub* stub,
            grpc::CompletionQueue* queue, Starter starter)
      : flags_(flags), stub_(stub), queue_(queue), starter_(starter) {}

  void Begin(int64_t number) override {
    reader_.reset();
    context_.emplace();
    NameInstance(flags_, *context_);
    Fill(flags_, number, &in_);
    out_.Clear();
    began = Clock::now();
    reader_ = (stub_->*starter_)(&*context_, in_, queue_);
    reader_->Finish(&out_, &status_, this);
  }

  const grpc::Status& status() const override { return status_; }

 private:
  const Flags& flags_;
  proto::StateStore::Stub* const stub_;
  grpc::CompletionQueue* const queue_;
  const Starter starter_;
  std::optional<grpc::ClientContext> context_;
  In in_;
  Out out_;
  grpc::Status status_;
  Reader reader_;
};

class Client {
 public:
  explicit Client(const Flags& flags) : flags_(flags) {
    for (int i = 0; i < flags.connections; ++i) {
      grpc::ChannelArguments arguments;
      // Without it, channels to one address share one connection.
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      stubs_.push_back(proto::StateStore::NewStub(grpc::CreateCustomChannel(
          "unix://" + flags.socket, grpc::InsecureChannelCredentials(),
          arguments)));
    }
  }

  // Configures the instance, as daprd does. Ends the process if that fails.
  void Init() {
    grpc::ClientContext context;
    NameInstance(flags_, context);
    proto::InitRequest request;
    (*request.mutable_metadata()->mutable_properties())["encryption"] =
        flags_.encryption;
    proto::InitResponse response;
    const grpc::Status status =
        stubs_.front()->Init(&context, request, &response);
    if (status.ok()) return;
    fprintf(stderr, "Init failed: %s\n", status.error_message().c_str());
    exit(1);
  }

  // Runs up to `calls` calls and no longer than `seconds`; keeps a latency for
  // each. Ends the process if one fails.
  void Run(const std::string& op, int64_t calls, double seconds) {
    latencies_.clear();
    const Clock::time_point end =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(seconds));
    std::vector<std::unique_ptr<Slot>> slots;
    int64_t begun = 0;
    for (int i = 0; i < flags_.in_flight && begun < calls; ++i) {
      slots.push_back(NewSlot(op, i));
      slots.back()->Begin(begun++);
    }
    for (int64_t open = begun; open > 0;) {
      void* tag = nullptr;
      bool ok = false;
      queue_.Next(&tag, &ok);
      Slot* slot = static_cast<Slot*>(tag);
      const Clock::time_point now = Clock::now();
      if (!slot->status().ok()) {
        fprintf(stderr, "%s failed: %s\n", op.c_str(),
                slot->status().error_message().c_str());
        // Other calls still refer to `slots`.
        exit(1);
      }
      latencies_.push_back(
          std::chrono::duration<double, std::micro>(now - slot->began).count());
      if (now < end && begun < calls) {
        slot->Begin(begun++);
      } else {
        --open;
      }
    }
  }

  // The latency, in microseconds, that the share `q` of the calls kept.
  double Quantile(double q) {
    std::sort(latencies_.begin(), latencies_.end());
    return latencies_[static_cast<size_t>(
        q * static_cast<double>(latencies_.size() - 1))];
  }

  size_t calls() const { return latencies_.size(); }

 private:
  std::unique_ptr<Slot> NewSlot(const std::string& op, int number) {
    using Stub = proto::StateStore::Stub;
    Stub* stub = stubs_[static_cast<size_t>(number) % stubs_.size()].get();
    if (op == "get") {
      return std::make_unique<UnarySlot<proto::GetRequest, proto::GetResponse>>(
          flags_, stub, &queue_, &Stub::AsyncGet);
    }
    if (op == "set") {
      return std::make_unique<UnarySlot<proto::SetRequest, proto::SetResponse>>(
          flags_, stub, &queue_, &Stub::AsyncSet);
    }
    return std::make_unique<UnarySlot<proto::PingRequest, proto::PingResponse>>(
        flags_, stub, &queue_, &Stub::AsyncPing);
  }

  const Flags flags_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<proto::StateStore::Stub>> stubs_;
  std::vector<double> latencies_;
};

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  CLI::App app("Loads a state store's socket and prints one line of JSON.");
  app.add_option("--socket", flags.socket, "The server's socket")->required();
  app.add_option("--op", flags.op, "What to call")
      ->check(CLI::IsMember({"ping", "get", "set"}));
  app.add_option("--in-flight", flags.in_flight, "Calls under way")
      ->check(CLI::Range(1, 4096));
  app.add_option("--connections", flags.connections, "Connections")
      ->check(CLI::Range(1, 64));
  app.add_option("--seconds", flags.seconds, "How long")
      ->check(CLI::Range(0.1, 60.0));
  app.add_option("--max-calls", flags.max_calls, "How many at most");
  app.add_option("--server-pid", flags.server_pid,
                 "Whose CPU time to report per call");
  app.add_option("--value-bytes", flags.value_bytes, "Of a value that is set");
  app.add_option("--instance", flags.instance, "Which component calls are for");
  app.add_option("--encryption", flags.encryption,
                 "Configures the instance first, with this value");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit(app.exit(error));
  }
  return flags;
}

int Main(int argc, char** argv) {
  const Flags flags = ParseFlags(argc, argv);
  Client client(flags);
  if (!flags.encryption.empty()) client.Init();
  // Every key exists before the first Get, and every connection is open.
  client.Run("set", kKeys, /*seconds=*/10);
  client.Run(flags.op, kWarmUpCalls, /*seconds=*/10);

  const double cpu_before =
      flags.server_pid > 0 ? CpuSeconds(flags.server_pid) : 0;
  const Clock::time_point begin = Clock::now();
  client.Run(flags.op, flags.max_calls, flags.seconds);
  const double seconds =
      std::chrono::duration<double>(Clock::now() - begin).count();
  const double cpu =
      flags.server_pid > 0 ? CpuSeconds(flags.server_pid) - cpu_before : 0;

  const double calls = static_cast<double>(client.calls());
  printf(
      "{\"calls\": %.0f, \"qps\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
      "\"server_cpu_us\": %.2f}\n",
      calls, calls / seconds, client.Quantile(0.50), client.Quantile(0.99),
      cpu * 1e6 / calls);
  return 0;
}

}  // namespace
}  // namespace statecpp::wire

int main(int argc, char** argv) { return statecpp::wire::Main(argc, argv); }
