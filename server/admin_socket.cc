// SPDX-License-Identifier: Apache-2.0
#include "server/admin_socket.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/admin_address.h"
#include "server/errors.h"
#include "server/log.h"

namespace statecpp {
namespace {

// No descriptor is left, or no memory: accept() fails again at once.
constexpr int kRetryAcceptMs = 100;

class ConnectionListener final : public AdminListener {
 public:
  ConnectionListener(AdminConnection& connection, absl::Duration patience)
      : connection_(connection), patience_(patience) {}

  bool Tell(const AdminReply& reply) override {
    return connection_.Send(AdminReplyToProto(reply), patience_).ok();
  }

  // It has nothing more to say, so whatever it says ends it, too.
  bool LeavesWithin(absl::Duration duration) override {
    return connection_.HasInputWithin(duration);
  }

 private:
  AdminConnection& connection_;
  const absl::Duration patience_;
};

// Whoever may change the file of the socket may be another user still, where
// the mode was changed behind our back.
bool IsOurs(int fd) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == geteuid() || peer.uid == 0) return true;
  LogWarning(
      "refused a connection of another user on the admin socket",
      {{"uid", absl::StrCat(peer.uid)}, {"pid", absl::StrCat(peer.pid)}});
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminSocket>> AdminSocket::Listen(
    const std::string& data_root, Handler handler, absl::Duration patience) {
  std::unique_ptr<AdminSocket> socket(
      new AdminSocket(data_root, std::move(handler), patience));
  if (absl::Status bound = socket->Bind(); !bound.ok()) return bound;
  socket->workers_ = std::make_unique<WorkerPool>(kMaxConnections);
  socket->accepter_ =
      std::thread([&accepting = *socket] { accepting.Accept(); });
  return socket;
}

absl::Status AdminSocket::Bind() {
  const absl::StatusOr<AdminAddress> address = AdminAddress::In(data_root_);
  if (!address.ok()) return address.status();
  const std::string& path = address->path();
  struct stat info;
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      return error::AdminSocketTaken(path, info.st_mode);
    }
    if (unlink(path.c_str()) != 0) {
      return error::AdminSystem("remove the stale socket", path, errno);
    }
  }
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  listening_fd_ =
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // The file that bind() makes takes its mode from the socket, less the umask:
  // it never has more.
  if (stop_fd_ < 0 || listening_fd_ < 0 || fchmod(listening_fd_, 0600) != 0) {
    return error::AdminSystem("make", path, errno);
  }
  if (bind(listening_fd_, address->get(), AdminAddress::size()) != 0) {
    return error::AdminSystem("bind", path, errno);
  }
  if (chmod(path.c_str(), 0600) != 0 || lstat(path.c_str(), &info) != 0) {
    return error::AdminSystem("find", path, errno);
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  if (listen(listening_fd_, kMaxConnections) != 0) {
    return error::AdminSystem("listen on", path, errno);
  }
  return absl::OkStatus();
}

AdminSocket::~AdminSocket() {
  Stop();
  for (const int fd : {listening_fd_, stop_fd_}) {
    if (fd >= 0) close(fd);
  }
}

void AdminSocket::Unlink() {
  if (inode_ == 0) return;
  const std::string path = data_root_ + AdminAddress::kName;
  struct stat info;
  if (lstat(path.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == inode_) {
    unlink(path.c_str());
  }
  inode_ = 0;
}

void AdminSocket::Stop() {
  Unlink();
  if (!accepter_.joinable()) return;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (AdminConnection& connection : connections_) connection.Shutdown();
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_fd_, &one, sizeof(one));
  accepter_.join();
  workers_.reset();
}

void AdminSocket::Accept() {
  pollfd fds[] = {{.fd = stop_fd_, .events = POLLIN, .revents = 0},
                  {.fd = listening_fd_, .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(fds, 2, -1) < 0) continue;
    if (fds[0].revents != 0) return;
    const int fd = accept4(listening_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        poll(fds, 1, kRetryAcceptMs);
      }
      continue;
    }
    AdminConnection connection(fd);
    if (IsOurs(fd)) Admit(std::move(connection));
  }
}

void AdminSocket::Admit(AdminConnection connection) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  if (connections_.size() == kMaxConnections) {
    // A new connection has room for it.
    (void)connection.Send(
        AdminReplyToProto(AdminEnd{error::AdminBusy(kMaxConnections)}),
        absl::ZeroDuration());
    return;
  }
  connections_.push_back(std::move(connection));
  workers_->Run(
      [this, admitted = std::prev(connections_.end())] { Serve(admitted); });
}

void AdminSocket::Serve(std::list<AdminConnection>::iterator connection) {
  const absl::StatusOr<std::string> bytes = connection->Receive(patience_);
  // One that says nothing only asked whether a server is there.
  if (bytes.ok() || absl::IsInvalidArgument(bytes.status())) {
    ConnectionListener listener(*connection, patience_);
    absl::StatusOr<AdminRequest> request =
        bytes.ok() ? AdminRequestFromProto(*bytes) : bytes.status();
    listener.Tell(AdminEnd{request.ok() ? handler_(*request, listener)
                                        : request.status()});
  }
  absl::MutexLock lock(&mutex_);
  connections_.erase(connection);
}

}  // namespace statecpp
