// SPDX-License-Identifier: Apache-2.0

#include "server/component_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/file_lock.h"
#include "server/errors.h"
#include "server/socket_dial.h"

namespace statecpp {
namespace {

// The one that daprd reads comes first.
constexpr const char* kFolderVariables[] = {kDaprdVariable,
                                            "DAPR_COMPONENT_SOCKETS_FOLDER",
                                            "DAPR_COMPONENT_SOCKET_FOLDER"};
// The terminating zero needs a byte, too.
constexpr size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr mode_t kPermissions = 07777;

std::string OtherFolderWarning(absl::string_view variable,
                               absl::string_view folder) {
  return absl::StrCat("the socket folder ", folder, " comes from ", variable,
                      ", which daprd does not read; set ", kDaprdVariable,
                      " to it for daprd, or daprd looks in ",
                      kDefaultSocketFolder);
}

std::string WritableFolderWarning(absl::string_view folder, mode_t mode) {
  return absl::StrFormat(
      "every local user may write the socket folder %s (mode %#o) and so offer "
      "daprd components of their own; chmod o-w %s",
      folder, mode & kPermissions, folder);
}

std::string RootSocketWarning(absl::string_view path) {
  return absl::StrCat(
      "this process runs as root, so every local user may connect to ", path,
      " (mode 0666), for daprd is seldom root; run it as daprd's user (65532 "
      "in Dapr's images), or give --socket-mode or --allow-uid");
}

std::string StaleSocketWarning(absl::string_view path) {
  return absl::StrCat(
      "nobody answers on ", path,
      ", which a server left that was killed or lost its power; it is "
      "replaced, and what that server acknowledged is there");
}

// 0 if somebody accepts connections at `path`, else why connecting failed.
int Probe(absl::string_view path) {
  const int fd = DialSocket(path);
  if (fd >= 0) close(fd);
  // Who does not come to accept accepts, too.
  return fd >= 0 || fd == -EAGAIN ? 0 : -fd;
}

// What the holder of a lock says of itself; no more than a hint.
std::string ReadHolder(int fd) {
  char text[128];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  return std::string(text, static_cast<size_t>(size > 0 ? size : 0));
}

void WriteHolder(int fd) {
  char host[65] = "";
  gethostname(host, sizeof(host) - 1);
  const std::string text = absl::StrCat("pid ", getpid(), " on ", host);
  // Nothing depends on it, so nothing is done about a full disk.
  if (ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const ssize_t written =
        pwrite(fd, text.data(), text.size(), 0);
  }
}

}  // namespace

SocketFolder ChooseSocketFolder(absl::string_view flag) {
  if (!flag.empty()) {
    return {
        .path = std::string(flag), .source = "--socket-folder", .warning = ""};
  }
  for (const char* variable : kFolderVariables) {
    const char* value = getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    const bool shared = variable == kFolderVariables[0] ||
                        strcmp(value, kDefaultSocketFolder) == 0;
    return {.path = value,
            .source = variable,
            .warning = shared ? "" : OtherFolderWarning(variable, value)};
  }
  return {.path = kDefaultSocketFolder, .source = "default", .warning = ""};
}

absl::StatusOr<std::unique_ptr<ComponentSocket>> ComponentSocket::Bind(
    const ComponentSocketOptions& options) {
  std::unique_ptr<ComponentSocket> socket(new ComponentSocket(options));
  absl::Status status = socket->CheckLengths();
  if (status.ok()) status = socket->MakeFolder();
  if (status.ok()) status = socket->MakeHiddenFolder();
  if (status.ok()) status = socket->Lock();
  if (status.ok()) status = socket->CheckPlace();
  if (status.ok() && access(socket->path_.c_str(), F_OK) == 0) {
    socket->warnings_.push_back(StaleSocketWarning(socket->path_));
  }
  if (status.ok()) status = socket->Listen();
  if (!status.ok()) return status;
  return socket;
}

ComponentSocket::ComponentSocket(const ComponentSocketOptions& options)
    : options_(options),
      path_(absl::StrCat(options.folder, "/", options.name)),
      hidden_folder_(absl::StrCat(options.folder, "/.statecpp")),
      hidden_path_(absl::StrCat(hidden_folder_, "/", options.name)) {}

ComponentSocket::~ComponentSocket() {
  Unlink();
  if (listening_fd_ >= 0) close(listening_fd_);
}

absl::Status ComponentSocket::CheckLengths() const {
  // The hidden path is the longer one.
  if (hidden_path_.size() <= kMaxSocketPath) return absl::OkStatus();
  const size_t rest = hidden_path_.size() - options_.folder.size();
  return error::SocketPathTooLong(hidden_path_, kMaxSocketPath,
                                  kMaxSocketPath - rest);
}

absl::Status ComponentSocket::MakeFolder() {
  const char* folder = options_.folder.c_str();
  if (mkdir(folder, 0770) == 0) {
    // Whatever the umask left of it.
    if (chmod(folder, geteuid() == 0 ? 0775 : 0770) != 0) {
      return error::SocketFolderSystem("set the mode of", folder, errno);
    }
    return absl::OkStatus();
  }
  if (errno != EEXIST)
    return error::SocketFolderSystem("make the folder", folder, errno);
  struct stat info;
  if (stat(folder, &info) != 0) {
    return error::SocketFolderSystem("use the folder", folder, errno);
  }
  if (!S_ISDIR(info.st_mode)) return error::SocketFolderNotAFolder(folder);
  if ((info.st_mode & S_IWOTH) != 0) {
    warnings_.push_back(WritableFolderWarning(folder, info.st_mode));
  }
  return absl::OkStatus();
}

absl::Status ComponentSocket::MakeHiddenFolder() const {
  const char* folder = hidden_folder_.c_str();
  if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
    return error::SocketFolderSystem("make the folder", folder, errno);
  }
  // Where others may write the socket folder, one of them could have made this
  // one, or a link, to get hold of our socket before it is in place. A folder
  // of another user is root's business alone.
  struct stat info;
  if (lstat(folder, &info) != 0) {
    return error::SocketFolderSystem("use the folder", folder, errno);
  }
  if (!S_ISDIR(info.st_mode)) return error::SocketFolderNotAFolder(folder);
  if (geteuid() != 0 && info.st_uid != geteuid()) {
    return error::SocketSystem(
        "use the folder", folder, EPERM,
        absl::StrCat("; it belongs to uid ", info.st_uid,
                     ": remove it if no server of theirs runs, "
                     "or give another --socket-folder"));
  }
  return absl::OkStatus();
}

absl::Status ComponentSocket::Lock() {
  const std::string lock = absl::StrCat(hidden_path_, ".lock");
  lock_fd_ =
      open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd_ < 0) return error::SocketFolderSystem("open", lock, errno);
  const int error = LockAlone(lock_fd_);
  if (error == 0) {
    WriteHolder(lock_fd_);
    return absl::OkStatus();
  }
  const std::string holder = ReadHolder(lock_fd_);
  close(std::exchange(lock_fd_, -1));
  return error == EWOULDBLOCK ? error::SocketNameHeld(lock, holder)
                              : error::SocketSystem("lock", lock, error);
}

absl::Status ComponentSocket::CheckPlace() const {
  struct stat info;
  if (lstat(path_.c_str(), &info) != 0) {
    return errno == ENOENT
               ? absl::OkStatus()
               : error::SocketFolderSystem("look for", path_, errno);
  }
  if (!S_ISSOCK(info.st_mode)) return error::NotASocket(path_, info.st_mode);
  switch (const int error = Probe(path_)) {
    case 0:
      return error::SocketServed(path_);
    case ECONNREFUSED:  // Stale: whoever listened there is gone.
    case ENOENT:        // Gone meanwhile.
      return absl::OkStatus();
    default:
      // Not known to be stale, so it is not ours to replace.
      return error::SocketSystem(
          "find out whether a server answers on", path_, error,
          "; stop that server, or remove the socket if there is none");
  }
}

absl::Status ComponentSocket::Listen() {
  // What is there is a killed server's, since the lock is ours.
  unlink(hidden_path_.c_str());
  listening_fd_ =
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listening_fd_ < 0) return error::SocketSystem("make", path_, errno);
  const sockaddr_un address = SocketAddressOf(hidden_path_);
  if (bind(listening_fd_, reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0) {
    return error::SocketFolderSystem("bind", hidden_path_, errno);
  }
  struct stat info;
  if (lstat(hidden_path_.c_str(), &info) != 0) {
    return error::SocketFolderSystem("find", hidden_path_, errno);
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;

  const bool root = geteuid() == 0;
  if (root && !options_.mode.has_value()) {
    warnings_.push_back(RootSocketWarning(path_));
  }
  // Nobody else can enter the hidden folder, so no connection is made under the
  // mode that the umask left.
  if (chmod(hidden_path_.c_str(), options_.mode.value_or(root ? 0666 : 0660)) !=
      0) {
    return error::SocketFolderSystem("set the mode of", hidden_path_, errno);
  }
  if (listen(listening_fd_, SOMAXCONN) != 0) {
    return error::SocketSystem("listen on", hidden_path_, errno);
  }
  return absl::OkStatus();
}

int ComponentSocket::TakeListener() { return std::exchange(listening_fd_, -1); }

absl::Status ComponentSocket::Publish() {
  if (published_) return absl::OkStatus();
  if (lock_fd_ < 0) return error::SocketGivenUp(path_);
  const absl::Status status = CheckPlace();
  if (!status.ok()) return status;
  // Atomic, so daprd never finds a stale socket here again, nor none.
  if (rename(hidden_path_.c_str(), path_.c_str()) != 0) {
    return error::SocketFolderSystem("publish", path_, errno);
  }
  published_ = true;
  return absl::OkStatus();
}

void ComponentSocket::Unlink() {
  if (lock_fd_ < 0) return;
  const std::string& path = published_ ? path_ : hidden_path_;
  struct stat info;
  if (inode_ != 0 && lstat(path.c_str(), &info) == 0 &&
      info.st_dev == device_ && info.st_ino == inode_) {
    unlink(path.c_str());
  }
  published_ = false;
  close(std::exchange(lock_fd_, -1));
}

}  // namespace statecpp
