// SPDX-License-Identifier: Apache-2.0

#include "server/acceptor.h"

#include <fcntl.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/errors.h"

namespace statecpp {
namespace {

std::string AcceptedText(uid_t uid, pid_t pid, int open) {
  return absl::StrCat("accepted a connection of uid ", uid, ", pid ", pid, "; ",
                      open, " open");
}

std::string ForeignUidText(uid_t uid, pid_t pid,
                           const std::vector<uid_t>& allowed) {
  return absl::StrCat("refused a connection of uid ", uid, ", pid ", pid,
                      ": allowed are the uids ", absl::StrJoin(allowed, ", "),
                      " (--allow-uid); nothing was read from it");
}

std::string CapReachedText(uid_t uid, pid_t pid, int cap) {
  return absl::StrCat("refused a connection of uid ", uid, ", pid ", pid,
                      ": all of the ", cap,
                      " connections that may be open at a time are; further "
                      "ones are refused until one of these ends");
}

std::string PausedText(int error, absl::Duration pause) {
  const bool descriptors = error == EMFILE || error == ENFILE;
  return absl::StrCat(
      "accept() failed: ", strerror(error),
      descriptors ? "; raise the limit of open files (ulimit -n, LimitNOFILE)"
                  : "",
      "; new connections wait, trying again every ",
      absl::FormatDuration(pause), "; open ones are served");
}

// The inode of the socket `fd`, which no other open socket has; 0 if `fd` is
// not open or no socket.
ino_t InodeOf(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISSOCK(info.st_mode)) return 0;
  return info.st_ino;
}

}  // namespace

Acceptor::Acceptor(int listening_fd, AcceptorOptions options)
    : options_(std::move(options)), listening_fd_(listening_fd) {
  // A peer may be gone between poll() and accept(), which must not block then.
  fcntl(listening_fd_, F_SETFL, fcntl(listening_fd_, F_GETFL) | O_NONBLOCK);
}

Acceptor::~Acceptor() {
  Stop();
  if (stop_fd_ >= 0) close(stop_fd_);
}

void Acceptor::AttachTo(grpc::ServerBuilder& builder) {
  handler_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
}

absl::Status Acceptor::Start() {
  absl::MutexLock lock(&stop_mu_);
  if (handler_ == nullptr) return error::AcceptorNotAttached();
  if (stopped_ || thread_.joinable()) return error::AcceptorStartedTwice();
  stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd_ < 0) return error::AcceptorWithoutDescriptors(errno);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Acceptor::Stop() {
  absl::MutexLock lock(&stop_mu_);
  if (stopped_) return;
  stopped_ = true;
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // Cannot fail: the counter of an eventfd has room for one.
    if (write(stop_fd_, &one, sizeof(one)) < 0) abort();
    thread_.join();
  }
  close(listening_fd_);
}

int Acceptor::open_connections() {
  absl::MutexLock lock(&connections_mu_);
  return CountOpen();
}

void Acceptor::Run() {
  while (Wait(/*listening=*/true, absl::InfiniteDuration())) {
    AcceptOne();
    // Without this wait a listener out of descriptors, which stays readable,
    // would keep this thread spinning.
    if (paused_ && !Wait(/*listening=*/false, options_.pause)) return;
  }
}

void Acceptor::AcceptOne() {
  // gRPC expects a descriptor that does not block.
  const int fd =
      accept4(listening_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) {
    paused_ = false;
    Admit(fd);
    return;
  }
  // The peer went away, or a signal came.
  if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
  if (!paused_) {
    Report({.kind = AcceptorEvent::Kind::kPaused,
            .text = PausedText(errno, options_.pause)});
  }
  paused_ = true;
}

void Acceptor::Admit(int fd) {
  // A socket whose owner cannot be asked for is nobody's.
  ucred peer = {.pid = 0, .uid = static_cast<uid_t>(-1), .gid = 0};
  socklen_t size = sizeof(peer);
  const bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;

  const std::optional<std::vector<uid_t>>& allowed = options_.allowed_uids;
  if (allowed.has_value() &&
      (!known || std::find(allowed->begin(), allowed->end(), peer.uid) ==
                     allowed->end())) {
    close(fd);
    Report({.kind = AcceptorEvent::Kind::kForeignUid,
            .uid = peer.uid,
            .pid = peer.pid,
            .text = ForeignUidText(peer.uid, peer.pid, *allowed)});
    return;
  }
  HandOver(fd, InodeOf(fd), peer.uid, peer.pid);
}

void Acceptor::HandOver(int fd, ino_t inode, uid_t uid, pid_t pid) {
  int open = 0;
  {
    absl::MutexLock lock(&connections_mu_);
    open = CountOpen();
    if (open < options_.max_connections) {
      connections_.push_back({.fd = fd, .inode = inode});
    }
  }
  if (open >= options_.max_connections) {
    close(fd);
    if (!at_cap_) {
      Report({.kind = AcceptorEvent::Kind::kCapReached,
              .uid = uid,
              .pid = pid,
              .text = CapReachedText(uid, pid, options_.max_connections)});
    }
    at_cap_ = true;
    return;
  }
  at_cap_ = false;
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters
      connection;
  connection.listener_fd = listening_fd_;
  connection.fd = fd;
  // From here on the descriptor is gRPC's, also if the server was shut down.
  handler_->HandleNewConnection(&connection);
  Report({.kind = AcceptorEvent::Kind::kAccepted,
          .uid = uid,
          .pid = pid,
          .text = AcceptedText(uid, pid, open + 1)});
}

bool Acceptor::Wait(bool listening, absl::Duration timeout) const {
  pollfd fds[] = {{.fd = stop_fd_, .events = POLLIN, .revents = 0},
                  {.fd = listening_fd_, .events = POLLIN, .revents = 0}};
  const int timeout_ms =
      timeout == absl::InfiniteDuration()
          ? -1
          : static_cast<int>(absl::ToInt64Milliseconds(timeout));
  // A signal may cut the wait short, which does no harm.
  poll(fds, listening ? 2 : 1, timeout_ms);
  return fds[0].revents == 0;
}

void Acceptor::Report(AcceptorEvent event) const {
  if (options_.observer) options_.observer(event);
}

// gRPC tells nobody when it closes a connection. So the connections are
// audited when their number matters: one that is closed either has no
// descriptor any more or shares its number with a younger file, whose inode is
// another. That costs one fstat() per open connection and no descriptor, and no
// hook into gRPC; a duplicate to poll for POLLHUP would cost a descriptor per
// connection, of which there may be too few already.
int Acceptor::CountOpen() {
  const auto closed = [](const Connection& connection) {
    return InodeOf(connection.fd) != connection.inode;
  };
  connections_.erase(
      std::remove_if(connections_.begin(), connections_.end(), closed),
      connections_.end());
  return static_cast<int>(connections_.size());
}

}  // namespace statecpp
