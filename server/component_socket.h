// SPDX-License-Identifier: Apache-2.0
//
// The socket by which daprd finds this process: chosen, bound out of sight, and
// put into place when the server is ready.
//
//   SocketFolder folder = ChooseSocketFolder(flag);
//   absl::StatusOr<std::unique_ptr<ComponentSocket>> socket =
//       ComponentSocket::Bind({.folder = folder.path});
//   if (!socket.ok()) return socket.status();
//   Acceptor acceptor((*socket)->TakeListener(), {});
//   ...  // start the server
//   absl::Status status = (*socket)->Publish();
//   ...  // serve
//   (*socket)->Unlink();
//
// daprd lists the folder once, when it starts, and waits without a deadline for
// each socket that it finds to answer. So a socket must not be seen before
// somebody answers on it, and must not be left behind. Below the folder this
// makes one folder of its own, which daprd skips as it skips all folders:
//
//   <folder>/cpp.sock                  the socket, from Publish() to Unlink()
//   <folder>/.statecpp/cpp.sock        the same socket, before Publish()
//   <folder>/.statecpp/cpp.sock.lock   locked by the server that owns the name
//
// The lock decides between two servers that start together, also from two
// containers, where a process id would say nothing. The kernel drops it with
// its process, so that what a killed server left behind is found to be stale
// and replaced. The lock file itself stays; only its lock means anything.

#ifndef STATECPP_SERVER_COMPONENT_SOCKET_H_
#define STATECPP_SERVER_COMPONENT_SOCKET_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// The variable by which daprd is told its folder of sockets, and the folder
// without it.
inline constexpr char kDaprdVariable[] = "DAPR_COMPONENTS_SOCKETS_FOLDER";
inline constexpr char kDefaultSocketFolder[] = "/tmp/dapr-components-sockets";

// The folder in which daprd looks for sockets.
struct SocketFolder {
  std::string path;
  // What named it: `--socket-folder`, an environment variable, or `default`.
  std::string source;
  // For the log. Empty, or why daprd may be looking elsewhere.
  std::string warning;
};

// Returns `flag` if it is not empty, else the first of these environment
// variables that is set and not empty, else /tmp/dapr-components-sockets:
// DAPR_COMPONENTS_SOCKETS_FOLDER (daprd's own), DAPR_COMPONENT_SOCKETS_FOLDER
// (what Dapr's injector sets), DAPR_COMPONENT_SOCKET_FOLDER (older SDKs).
SocketFolder ChooseSocketFolder(absl::string_view flag);

struct ComponentSocketOptions {
  std::string folder;
  // Without its last extension, in lower case and after `state.`, this is the
  // type by which an app's component names us.
  std::string name = "cpp.sock";
  // The socket's permissions. If not set 0660; 0666 with a warning for a
  // process of root, for daprd runs as another user as a rule.
  std::optional<mode_t> mode = std::nullopt;
};

// A listening socket and its name in the folder.
//
// Thread-compatible.
class ComponentSocket {
 public:
  // Locks the name, and binds a listening socket that nobody can see yet.
  // Makes the folder if it is absent, with mode 0770 (0775 for root, whose
  // folder daprd could not enter otherwise), but not the folder's parent. A
  // stale socket in the folder is no error, but draws a warning.
  //
  // ALREADY_EXISTS: another server owns the name: it holds the lock, or answers
  //   on the socket. Nothing of it was touched.
  // INVALID_ARGUMENT: the path is longer than a socket's may be, the folder is
  //   not a folder, or what has the socket's name is not a socket. It was left
  //   alone.
  // PERMISSION_DENIED: this process may not write the folder, or not probe the
  //   socket that is there.
  // NOT_FOUND: the folder's parent is not there.
  // INTERNAL: any other failure of the system.
  static absl::StatusOr<std::unique_ptr<ComponentSocket>> Bind(
      const ComponentSocketOptions& options);

  // Unlinks.
  ~ComponentSocket();

  ComponentSocket(const ComponentSocket&) = delete;
  ComponentSocket& operator=(const ComponentSocket&) = delete;

  // Returns the listening socket, which is the caller's from now on. The second
  // call returns -1.
  int TakeListener();

  // Puts the socket into place: daprd can find it from now on, and somebody
  // has to accept. Done once; further calls change nothing.
  //
  // Errors as of Bind(), for what came to the place since then, and INTERNAL
  // after Unlink().
  absl::Status Publish();

  // Removes the socket, if the one in place is still ours, and gives up the
  // name. Connections and the listening socket are not affected. Further calls
  // change nothing.
  void Unlink();

  // Where Publish() puts the socket.
  const std::string& path() const { return path_; }

  // What an operator should know, one sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  explicit ComponentSocket(const ComponentSocketOptions& options);

  // The steps of Bind(), in this order.
  absl::Status CheckLengths() const;
  absl::Status MakeFolder();
  absl::Status MakeHiddenFolder() const;
  absl::Status Lock();
  absl::Status CheckPlace() const;
  absl::Status Listen();

  const ComponentSocketOptions options_;
  const std::string path_;
  const std::string hidden_folder_;
  const std::string hidden_path_;
  std::vector<std::string> warnings_;
  int lock_fd_ = -1;
  int listening_fd_ = -1;
  // The bound socket's, by which it is known again under any name.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool published_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_COMPONENT_SOCKET_H_
