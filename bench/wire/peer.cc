// SPDX-License-Identifier: Apache-2.0

#include "bench/wire/peer.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/acceptor.h"
#include "server/component_socket.h"
#include "server/lock_order.h"

namespace statecpp::wire {
namespace {

// Any will do; all peers answer the same.
constexpr char kETag[] = "0123456789abcdef";

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void DieUnless(const absl::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  exit(1);
}

}  // namespace

grpc::Status TinyStore::Init(const proto::InitRequest&, proto::InitResponse*) {
  return grpc::Status::OK;
}

grpc::Status TinyStore::Features(const proto::FeaturesRequest&,
                                 proto::FeaturesResponse* response) {
  response->add_features("ETAG");
  response->add_features("TRANSACTIONAL");
  return grpc::Status::OK;
}

grpc::Status TinyStore::Ping(const proto::PingRequest&, proto::PingResponse*) {
  return grpc::Status::OK;
}

grpc::Status TinyStore::Get(const proto::GetRequest& request,
                            proto::GetResponse* response) {
  absl::MutexLock lock(&mu_);
  const auto row = rows_.find(request.key());
  if (row == rows_.end()) return grpc::Status::OK;
  response->set_data(row->second);
  response->mutable_etag()->set_value(kETag);
  return grpc::Status::OK;
}

grpc::Status TinyStore::Set(const proto::SetRequest& request,
                            proto::SetResponse*) {
  absl::MutexLock lock(&mu_);
  rows_[request.key()] = request.value();
  return grpc::Status::OK;
}

grpc::Status TinyStore::BulkSet(const proto::BulkSetRequest& request,
                                proto::BulkSetResponse*) {
  absl::MutexLock lock(&mu_);
  for (const proto::SetRequest& item : request.items()) {
    rows_[item.key()] = item.value();
  }
  return grpc::Status::OK;
}

PeerFlags ParseFlags(int argc, char** argv) {
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  SkipLockOrderChecks();  // as the server does

  PeerFlags flags;
  CLI::App app("A state store that keeps nothing, to measure the wire.");
  app.add_option("--socket", flags.socket, "The socket to publish")->required();
  app.add_flag("--notify-when-done", flags.notify_when_done,
               "Ask gRPC to report each call's cancellation");
  app.add_flag("--throughput", flags.throughput,
               "Set grpc.optimization_target to throughput");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit(app.exit(error));
  }
  return flags;
}

std::unique_ptr<grpc::Server> ServeUntilSignalled(
    grpc::ServerBuilder& builder, const PeerFlags& flags,
    const std::function<void()>& started) {
  const std::filesystem::path path = flags.socket;
  absl::StatusOr<std::unique_ptr<ComponentSocket>> socket =
      ComponentSocket::Bind(
          {.folder = path.parent_path(), .name = path.filename()});
  DieUnless(socket.status());
  Acceptor acceptor((*socket)->TakeListener(), AcceptorOptions());

  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  acceptor.AttachTo(builder);
  // A bulk that fills the store has some MiB.
  builder.SetMaxReceiveMessageSize(64 << 20);
  if (flags.throughput) {
    builder.AddChannelArgument(GRPC_ARG_OPTIMIZATION_TARGET, "throughput");
  }
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) exit(1);
  DieUnless(acceptor.Start());
  started();
  DieUnless((*socket)->Publish());

  const sigset_t signals = EndSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  (*socket)->Unlink();
  acceptor.Stop();
  server->Shutdown(std::chrono::system_clock::now());
  return server;
}

}  // namespace statecpp::wire
