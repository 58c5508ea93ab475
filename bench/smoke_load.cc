// SPDX-License-Identifier: Apache-2.0
//
// A brief load for smoke.py: does what daprd does for one component, from
// several threads at once, and prints one line of JSON.
//
//   smoke_load SOCKET CALLS
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp {
namespace {

namespace proto = ::dapr::proto::components::v1;

constexpr int kThreads = 16;
constexpr int64_t kKeys = 10000;
constexpr size_t kValueBytes = 1024;

void MustBeOk(const char* what, const grpc::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.error_message().c_str());
  // Other threads still hold the stub.
  std::_Exit(1);
}

// daprd says with every call which component it is for.
std::unique_ptr<grpc::ClientContext> NewContext() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("x-component-instance", "smoke");
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(30));
  return context;
}

void Init(proto::StateStore::Stub& stub) {
  proto::InitRequest request;
  (*request.mutable_metadata()->mutable_properties())["encryption"] = "off";
  proto::InitResponse response;
  MustBeOk("Init", stub.Init(NewContext().get(), request, &response));
}

void Set(proto::StateStore::Stub& stub, const std::string& key) {
  proto::SetRequest request;
  request.set_key(key);
  request.set_value(std::string(kValueBytes, 'v'));
  proto::SetResponse response;
  MustBeOk("Set", stub.Set(NewContext().get(), request, &response));
}

void Get(proto::StateStore::Stub& stub, const std::string& key) {
  proto::GetRequest request;
  request.set_key(key);
  proto::GetResponse response;
  MustBeOk("Get", stub.Get(NewContext().get(), request, &response));
}

// One Set to nine Gets. Returns calls per second.
double Load(proto::StateStore::Stub& stub, int64_t calls) {
  std::atomic<int64_t> next = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int64_t n; (n = next.fetch_add(1)) < calls;) {
        const std::string key = "smoke||key-" + std::to_string(n % kKeys);
        n % 10 == 0 ? Set(stub, key) : Get(stub, key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - begin;
  return static_cast<double>(calls) / took.count();
}

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: smoke_load SOCKET CALLS\n");
    return 2;
  }
  const auto stub = proto::StateStore::NewStub(grpc::CreateChannel(
      std::string("unix://") + argv[1], grpc::InsecureChannelCredentials()));
  const int64_t calls = std::atoll(argv[2]);
  Init(*stub);
  std::printf("{\"calls\": %lld, \"calls_per_second\": %.0f}\n",
              static_cast<long long>(calls), Load(*stub, calls));
  return 0;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) { return statecpp::Main(argc, argv); }
