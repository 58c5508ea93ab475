// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/acceptor.h"
#include "server/admin_service.h"
#include "server/admin_socket.h"
#include "server/call_log.h"
#include "server/component_socket.h"
#include "server/data_root.h"
#include "server/free_memory.h"
#include "server/health_service.h"
#include "server/http_listener.h"
#include "server/instances.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/rpc_loop.h"
#include "server/server_keys.h"
#include "server/state_store_service.h"
#include "server/worker_pool.h"

namespace statecpp {
namespace {

// daprd sends bulks and transactions of any size; it receives up to 4 MiB.
constexpr int kMaxRequestSize = 64 << 20;
// On one connection; a daprd has one for each component.
constexpr int kMaxCallsPerConnection = 1024;
// Names and values, and 32 bytes for each name. daprd sends a few hundred.
constexpr int kMaxMetadataSize = 8 << 10;
// For a peer that connects and says nothing.
constexpr int kHandshakeTimeoutMs = 10'000;
// For one that is connected and is not there any more: stopped, wedged.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// Of gRPC's own threads, which answer reflection and calls of methods that are
// not there. It would make one for each.
constexpr int kMaxGrpcThreads = 16;
// Of what gRPC has read and not handed on, messages in parts above all. It
// cancels calls that would take more.
constexpr size_t kMaxGrpcMemory = size_t{512} << 20;
// Free memory past this goes back to the system.
constexpr size_t kKeepMemory = size_t{128} << 20;
constexpr int kWorkers = 4;
// Queries at a time; others wait for these, and nothing else does.
constexpr int kQueries = 4;
// For calls in hand when new ones are refused already.
constexpr absl::Duration kFinishCalls = absl::Seconds(5);
constexpr absl::Duration kDrainPoll = absl::Milliseconds(20);

void LogConnection(const AcceptorEvent& event) {
  // One line for each of daprd's reconnects would bury the others.
  if (event.kind == AcceptorEvent::Kind::kAccepted) return;
  LogWarning(event.text);
}

// Says first that it waits, for until then nothing else tells why there is no
// socket.
absl::StatusOr<DataRoot> OpenRoot(const ServerOptions& options) {
  const auto open = [&options](absl::Duration lock_timeout) {
    return DataRoot::Open(options.data_root, lock_timeout,
                          options.allow_network_file_system);
  };
  absl::StatusOr<DataRoot> root = open(absl::ZeroDuration());
  if (!absl::IsUnavailable(root.status()) ||
      options.lock_timeout <= absl::ZeroDuration()) {
    return root;
  }
  LogInfo("waiting for the data root",
          {{"upTo", absl::FormatDuration(options.lock_timeout)},
           {"because", root.status().message()}});
  return open(options.lock_timeout);
}

absl::StatusOr<ServerKeys> OpenKeys(const ServerOptions& options) {
  return ServerKeys::Open(
      {.data_root = options.data_root,
       .source = options.key_source,
       .key_folder = options.key_folder,
       .allow_loose = options.allow_loose_keys,
       .development = options.development,
       .on_warning = [](absl::string_view text) { LogWarning(text); }});
}

struct RootAndKeys {
  DataRoot root;
  ServerKeys keys;
};

absl::StatusOr<RootAndKeys> OpenRootAndKeys(const ServerOptions& options) {
  if (options.development) {  // whose key is made in the data root
    absl::StatusOr<DataRoot> root = OpenRoot(options);
    if (!root.ok()) return root.status();
    absl::StatusOr<ServerKeys> keys = OpenKeys(options);
    if (!keys.ok()) return keys.status();
    return RootAndKeys{*std::move(root), *std::move(keys)};
  }
  // Where there is no key, nothing is made.
  absl::StatusOr<ServerKeys> keys = OpenKeys(options);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<DataRoot> root = OpenRoot(options);
  if (!root.ok()) return root.status();
  return RootAndKeys{*std::move(root), *std::move(keys)};
}

}  // namespace

// Members in the order in which one stands on another; they end in reverse.
class Server::Impl {
 public:
  Impl(DataRoot root, ServerKeys keys, std::unique_ptr<ComponentSocket> socket,
       const ServerOptions& options)
      : root_(std::move(root)),
        keys_(std::move(keys)),
        socket_(std::move(socket)),
        instances_(
            root_, keys_,
            {.max_instances = options.max_instances,
             .allow_network_file_system = options.allow_network_file_system,
             .on_failed = options.on_failed,
             .on_assertion = options.on_assertion}),
        workers_(kWorkers),
        queries_(kQueries),
        opener_(1),
        call_log_(options.slow_operation, workers_),
        admin_service_(root_, instances_),
        state_store_(
            instances_, call_log_,
            {.workers = workers_, .queries = queries_, .opener = opener_}),
        health_(instances_),
        loop_(builder_.AddCompletionQueue(),
              [this] { workers_.Run([] { ReturnFreeMemory(kKeepMemory); }); }),
        acceptor_(socket_->TakeListener(),
                  {.max_connections = options.max_connections,
                   .allowed_uids = options.allowed_uids,
                   .observer = LogConnection}),
        metrics_({.instances = instances_,
                  .refused_for_room = loop_.calls_in_hand().refused(),
                  .refused_without_instance = state_store_.refused(),
                  .successes = admin_service_.successes(),
                  .version = options.version}),
        metrics_address_(options.metrics_address) {}

  ~Impl() { Stop(absl::ZeroDuration()); }

  absl::Status Start() {
    instances_.LookForMissingKeys();
    if (absl::Status listens = ListenForHttp(); !listens.ok()) return listens;
    LimitClients();
    state_store_.RegisterWith(builder_);
    health_.RegisterWith(builder_);
    acceptor_.AttachTo(builder_);
    grpc_ = builder_.BuildAndStart();
    if (grpc_ == nullptr) {
      return absl::InternalError("gRPC did not start; nothing is served");
    }
    loop_.Start([this] {
      state_store_.Arm(loop_);
      health_.Arm(loop_);
    });
    if (absl::Status started = acceptor_.Start(); !started.ok()) return started;
    ListenForAdmin();
    if (absl::Status shown = socket_->Publish(); !shown.ok()) return shown;
    for (const std::string& warning : socket_->warnings()) LogWarning(warning);
    if (http_ != nullptr) http_->Start();
    return absl::OkStatus();
  }

  void Unlink() {
    health_.StopServing();
    socket_->Unlink();
    if (admin_ != nullptr) admin_->Unlink();
  }

  void Stop(absl::Duration drain) {
    if (grpc_ == nullptr) return;
    Unlink();
    acceptor_.Stop();
    const absl::Time drained = absl::Now() + drain;
    while (acceptor_.open_connections() > 0 && absl::Now() < drained) {
      absl::SleepFor(kDrainPoll);
    }
    // gRPC's shutdown waits for the peers to close their connections, and an
    // idle peer may not even read that it should. When every call was answered
    // they are closed from here.
    std::thread shutdown([this] {
      grpc_->Shutdown(absl::ToChronoTime(absl::Now() + kFinishCalls));
    });
    loop_.Join();
    grpc_server_cancel_all_calls(grpc_->c_server());
    shutdown.join();
    loop_.Drain();
    grpc_.reset();
    // They hold on to stores for as long as they answer.
    admin_.reset();
    http_.reset();
    instances_.Close();
  }

  const std::string& socket_path() const { return socket_->path(); }
  std::string key_description() const { return keys_.description(); }
  std::string metrics_url() const {
    return http_ == nullptr ? "" : absl::StrCat("http://", http_->address());
  }

 private:
  absl::Status ListenForHttp() {
    if (metrics_address_.empty()) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<HttpListener>> http = HttpListener::Listen(
        metrics_address_, {},
        [this](absl::string_view path) { return AnswerHttp(path); });
    if (http.ok()) http_ = *std::move(http);
    return http.status();
  }

  // The process answers; whether a store does is what /readyz says, which is to
  // say what grpc.health.v1 does of the state store's service.
  HttpAnswer AnswerHttp(absl::string_view path) {
    if (path == "/metrics") {
      return {.content_type = kMetricsContentType, .body = metrics_.Text()};
    }
    if (path == "/healthz") return {.body = "ok\n"};
    if (path == "/readyz") {
      if (health_.StoreIsServing()) return {.body = "ready\n"};
      return {.code = 503,
              .body =
                  "not ready: stopping, or a component waits "
                  "for its key\n"};
    }
    return {.code = 404, .body = "/metrics, /healthz and /readyz are here\n"};
  }

  // What a client may ask of gRPC before we hear of it (docs/limits.md).
  void LimitClients() {
    builder_.SetMaxReceiveMessageSize(kMaxRequestSize);
    builder_.SetMaxSendMessageSize(-1);
    grpc::ResourceQuota quota("clients");
    quota.Resize(kMaxGrpcMemory).SetMaxThreads(kMaxGrpcThreads);
    builder_.SetResourceQuota(quota);
    for (const auto& [argument, value] : std::map<std::string, int>{
             {GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection},
             {GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataSize},
             {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs},
             {GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs},
             {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs},
             {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
             // Else only two of its pings go out while no data does.
             {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0}}) {
      builder_.AddChannelArgument(argument, value);
    }
  }

  // State is served without it, too.
  void ListenForAdmin() {
    absl::StatusOr<std::unique_ptr<AdminSocket>> socket = AdminSocket::Listen(
        root_.path(),
        [this](const AdminRequest& request, AdminListener& listener) {
          return admin_service_.Answer(request, listener);
        });
    if (socket.ok()) {
      admin_ = *std::move(socket);
    } else {
      LogWarning(
          "there is no admin socket, so keys can only be changed while no "
          "server runs",
          {{"error", socket.status().message()}});
    }
  }

  const DataRoot root_;
  const ServerKeys keys_;
  const std::unique_ptr<ComponentSocket> socket_;
  Instances instances_;
  WorkerPool workers_;
  WorkerPool queries_;
  // One thread, since instances are configured one at a time.
  WorkerPool opener_;
  CallLog call_log_;
  AdminService admin_service_;
  StateStoreService state_store_;
  HealthService health_;
  grpc::ServerBuilder builder_;
  RpcLoop loop_;
  Acceptor acceptor_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<AdminSocket> admin_;
  const Metrics metrics_;
  const std::string metrics_address_;
  std::unique_ptr<HttpListener> http_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options) {
  absl::StatusOr<RootAndKeys> opened = OpenRootAndKeys(options);
  if (!opened.ok()) return opened.status();
  if (options.on_locked != nullptr) options.on_locked();
  absl::StatusOr<std::unique_ptr<ComponentSocket>> socket =
      ComponentSocket::Bind(
          {.folder = options.socket_folder, .mode = options.socket_mode});
  if (!socket.ok()) return socket.status();

  // By hand: in a static library the plugin's own initialiser is lost.
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto impl =
      std::make_unique<Impl>(std::move(opened->root), std::move(opened->keys),
                             *std::move(socket), options);
  if (absl::Status started = impl->Start(); !started.ok()) return started;
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::string& Server::socket_path() const { return impl_->socket_path(); }

std::string Server::metrics_url() const { return impl_->metrics_url(); }

std::string Server::key_description() const { return impl_->key_description(); }

void Server::Unlink() { impl_->Unlink(); }

void Server::Stop(absl::Duration drain) { impl_->Stop(drain); }

}  // namespace statecpp
