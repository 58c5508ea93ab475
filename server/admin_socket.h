// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ADMIN_SOCKET_H_
#define STATECPP_SERVER_ADMIN_SOCKET_H_

#include <sys/types.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/admin_message.h"
#include "server/admin_connection.h"
#include "server/admin_listener.h"
#include "server/worker_pool.h"

namespace statecpp {

// The socket <data root>/.admin.sock, by which `statecpp` asks a running server
// to do what only it can do, for it has the store open. Of mode 0600, and for
// connections of this process's user and of root alone.
//
//   absl::StatusOr<std::unique_ptr<AdminSocket>> socket =
//       AdminSocket::Listen(root.path(), [&](const AdminRequest& request,
//                                            AdminListener& listener) {
//         return service.Answer(request, listener);
//       });
//
// One thread accepts; each connection has one of eight others to itself, for
// one request. A client that is silent, or does not read its answers, is let go
// of in time. What a connection costs gRPC is nothing (admin_connection.h).
//
// Thread-compatible.
class AdminSocket {
 public:
  // Answers one request, and returns what the last answer says. Called from
  // several threads at a time.
  using Handler =
      std::function<absl::Status(const AdminRequest&, AdminListener&)>;

  static constexpr int kMaxConnections = 8;
  static constexpr absl::Duration kPatience = absl::Seconds(5);

  // Whoever calls this holds the data root, so a socket that is there is a
  // killed server's and is replaced. `patience` is for each message.
  //
  // INVALID_ARGUMENT: what has its name is no socket. It was left alone.
  // Those of error::AdminSystem.
  static absl::StatusOr<std::unique_ptr<AdminSocket>> Listen(
      const std::string& data_root, Handler handler,
      absl::Duration patience = kPatience);

  // Stops.
  ~AdminSocket();

  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

  // Takes the socket away; connections are served on. Further calls change
  // nothing.
  void Unlink();

  // Unlinks, has every listener leave, and waits for the handlers' ends.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  AdminSocket(std::string data_root, Handler handler, absl::Duration patience)
      : data_root_(std::move(data_root)),
        handler_(std::move(handler)),
        patience_(patience) {}

  absl::Status Bind();
  void Accept() ABSL_LOCKS_EXCLUDED(mutex_);
  void Admit(AdminConnection connection) ABSL_LOCKS_EXCLUDED(mutex_);
  void Serve(std::list<AdminConnection>::iterator connection)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string data_root_;
  const Handler handler_;
  const absl::Duration patience_;
  int listening_fd_ = -1;
  // Readable when it is to end.
  int stop_fd_ = -1;
  // The bound socket's, by which it is known again.
  dev_t device_ = 0;
  ino_t inode_ = 0;

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Each is used by one thread of the pool and shut down by Stop.
  std::list<AdminConnection> connections_ ABSL_GUARDED_BY(mutex_);

  std::thread accepter_;
  std::unique_ptr<WorkerPool> workers_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_ADMIN_SOCKET_H_
