// SPDX-License-Identifier: Apache-2.0
//
// Accepts the connections of a listening Unix socket and hands them to a gRPC
// server, in place of gRPC's own listener.
//
//   grpc::ServerBuilder builder;
//   Acceptor acceptor(listening_fd, {.max_connections = 256});
//   acceptor.AttachTo(builder);
//   std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
//   absl::Status status = acceptor.Start();
//   ...
//   acceptor.Stop();
//   server->Shutdown();
//
// Why not gRPC's listener: that of gRPC 1.51 stops for good, without a word,
// once accept() has failed for want of descriptors (CVE-2023-4785), unlinks
// whatever socket stands at its path, and shows its HTTP/2 parser to every peer
// that can connect. Here
//
// - a peer whose uid is not allowed is closed before a byte was read from it or
//   written to it;
// - connections beyond a cap are closed at once, so that their clients hear of
//   it and try again later;
// - with no descriptor left, accepting pauses and goes on by itself. Waiting
//   connections stay in the kernel's backlog and are served then.
//
// Needs gRPC's `experimental().AddExternalConnectionAcceptor()`.

#ifndef STATECPP_SERVER_ACCEPTOR_H_
#define STATECPP_SERVER_ACCEPTOR_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace grpc {
class ServerBuilder;
namespace experimental {
class ExternalConnectionAcceptor;
}  // namespace experimental
}  // namespace grpc

namespace statecpp {

// Something an operator may want to read in the log.
struct AcceptorEvent {
  enum class Kind {
    // A connection was handed to gRPC.
    kAccepted,
    // A connection was closed because of its peer's uid.
    kForeignUid,
    // A connection was closed because the cap was reached. Reported for the
    // first one only, until a connection is accepted again.
    kCapReached,
    // accept() failed and accepting pauses: out of descriptors or memory, as a
    // rule. Reported for the first failure only, until accept() succeeds again.
    kPaused,
  };

  Kind kind;
  // The peer's, as they were when it connected. -1 and 0 with kPaused.
  uid_t uid = static_cast<uid_t>(-1);
  pid_t pid = 0;
  // One sentence for the log.
  std::string text = "";
};

struct AcceptorOptions {
  // Connections open at the same time, at least 1. Each holds a descriptor, so
  // this should stay well below RLIMIT_NOFILE.
  int max_connections = 256;
  // Whose connections are served; those of anybody if not set.
  std::optional<std::vector<uid_t>> allowed_uids = std::nullopt;
  // Called on the accepting thread, one call at a time. It must return soon,
  // must not call Stop(), and has to limit by itself how often it logs
  // kAccepted and kForeignUid, for it is the peer who decides how often these
  // come. May be empty.
  std::function<void(const AcceptorEvent&)> observer = nullptr;
  // How long accepting pauses after a failure.
  absl::Duration pause = absl::Milliseconds(100);
};

// Owns a listening socket and the thread that accepts from it.
//
// A connection that was handed over belongs to gRPC, which alone reads, writes
// and closes it; stopping or destroying an Acceptor leaves it open.
//
// Thread-safe once AttachTo() has returned.
class Acceptor {
 public:
  // Takes ownership of `listening_fd`, an AF_UNIX socket on which listen() has
  // succeeded, and makes it non-blocking.
  Acceptor(int listening_fd, AcceptorOptions options);

  // Stops.
  ~Acceptor();

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Registers with `builder`; call it once, before BuildAndStart(). Uses
  // InsecureServerCredentials: who the peer is has been settled by its uid.
  void AttachTo(grpc::ServerBuilder& builder);

  // Starts to accept; call it once, when the server runs. (gRPC closes whatever
  // is handed to it before.) Clients that connected earlier are waiting in the
  // backlog and lose nothing.
  //
  // INTERNAL: not attached, started before, or stopped.
  // RESOURCE_EXHAUSTED: no descriptor is left for the thread's wake-up call.
  absl::Status Start();

  // Accepts no more and closes the listening socket: from now on connect() is
  // refused. Returns when the thread has ended. May be called at any time,
  // repeatedly, by several threads; not by the observer.
  void Stop() ABSL_LOCKS_EXCLUDED(stop_mu_);

  // How many of the connections handed over are still open. Exact but for the
  // moment that gRPC takes to notice that a peer went away.
  int open_connections() ABSL_LOCKS_EXCLUDED(connections_mu_);

 private:
  // A connection as gRPC knows it (`fd`) and as the kernel does (`inode`).
  struct Connection {
    int fd;
    ino_t inode;
  };

  void Run();
  void AcceptOne();
  // Decides on one accepted connection, and serves or closes it.
  void Admit(int fd);
  void HandOver(int fd, ino_t inode, uid_t uid, pid_t pid);
  // Waits until a connection may be there, or until `timeout`. False if
  // Stop() was called.
  bool Wait(bool listening, absl::Duration timeout) const;
  void Report(AcceptorEvent event) const;
  int CountOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(connections_mu_);

  const AcceptorOptions options_;
  const int listening_fd_;
  // Becomes readable when the thread shall end.
  int stop_fd_ = -1;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> handler_;

  // Used by the thread alone: what was reported and is not over yet.
  bool paused_ = false;
  bool at_cap_ = false;

  absl::Mutex connections_mu_;
  std::vector<Connection> connections_ ABSL_GUARDED_BY(connections_mu_);

  absl::Mutex stop_mu_;
  bool stopped_ ABSL_GUARDED_BY(stop_mu_) = false;
  std::thread thread_ ABSL_GUARDED_BY(stop_mu_);
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_ACCEPTOR_H_
