// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_SERVER_H_
#define STATECPP_SERVER_SERVER_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/key_source.h"

namespace statecpp {

// How to serve. The folders have no default here; flags and environment are the
// program's.
struct ServerOptions {
  std::string socket_folder = "";
  std::optional<mode_t> socket_mode = std::nullopt;
  std::string data_root = "";
  // How long to wait for another process that serves the data root.
  absl::Duration lock_timeout = absl::ZeroDuration();
  bool allow_network_file_system = false;
  // The server's own key, the folder of those that components may name, and
  // whether they may lie in the data root: as in ServerKeys::Options.
  std::shared_ptr<const KeySource> key_source = nullptr;
  std::string key_folder = "";
  bool allow_loose_keys = false;
  bool development = false;
  // Called when lock and key are had, before anything is there for others to
  // see.
  std::function<void()> on_locked = nullptr;
  // Whose connections are served; those of anybody if not set.
  std::optional<std::vector<uid_t>> allowed_uids = std::nullopt;
  int max_connections = 256;
  // Component instances that may be open at the same time, at least 1.
  int max_instances = 256;
  // Where metrics and probes are answered over HTTP: "127.0.0.1:9464"; empty:
  // nowhere.
  std::string metrics_address = "";
  // For the metrics to say.
  std::string version = "";
  // A call that takes so long is logged, with where the time went; zero: none.
  absl::Duration slow_operation = absl::ZeroDuration();
  // As in statecpp::Options, for every store.
  std::function<void(const absl::Status&)> on_failed = nullptr;
  void (*on_assertion)(const char* text) = nullptr;
};

// The state store as a process: a data root, a socket in daprd's folder, and
// gRPC between them.
//
//   absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options);
//   if (!server.ok()) return server.status();
//   ...                                    // wait for a signal
//   (*server)->Stop(absl::Seconds(5));
//
// Thread-compatible.
class Server {
 public:
  // Locks the data root, loads the server's key, starts gRPC, and only then
  // shows the socket: whoever finds it is answered.
  //
  // UNAVAILABLE or ALREADY_EXISTS: another process serves the data root, or
  //     the socket or the port; the text names it.
  // INVALID_ARGUMENT, PERMISSION_DENIED and others of DataRoot::Open,
  //     ServerKeys::Open and ComponentSocket::Bind.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options);

  // Stops at once, if Stop was not called.
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& socket_path() const;
  // Where metrics and probes are answered, as "http://127.0.0.1:9464"; empty:
  // nowhere.
  std::string metrics_url() const;
  // Where the server's own key is, for the log; "none".
  std::string key_description() const;

  // Takes the socket away and says NOT_SERVING; connections are served on.
  void Unlink();

  // Takes the socket away, if Unlink did not, and accepts no more; serves the
  // connections there are until they end, for up to `drain`; then refuses new
  // calls, finishes those in hand, which are cancelled after 5 seconds, and
  // closes the stores.
  void Stop(absl::Duration drain);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_SERVER_H_
