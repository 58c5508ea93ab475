// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_SOCKET_ANSWER_H_
#define STATECPP_CLI_SOCKET_ANSWER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace statecpp {

// Who listens on a socket, by what the kernel noted of it when it began to.
struct SocketListener {
  uid_t uid = static_cast<uid_t>(-1);  // nobody's number: not known
  // 0 if it is not among the processes here.
  pid_t pid = 0;
  // What the process of that number is called.
  std::string command = "";
};

// Nobody, where connecting failed.
SocketListener ListenerOn(const std::string& socket);

// What daprd hears at a socket when it starts: it connects, and asks gRPC's
// reflection (v1alpha) which services there are.
//
//   const SocketAnswer answer = AskSocket(path, absl::Seconds(2));
//   if (answer.is_state_store()) ...
struct SocketAnswer {
  enum class State {
    kRefused,     // nobody listens: what a killed server left behind
    kForbidden,   // this user may not connect
    kUnknown,     // connecting failed for another reason
    kSilent,      // somebody listens, and says nothing in time
    kHungUp,      // somebody listens, and wants nothing of this user
    kNoServices,  // somebody answers, and not by listing services
    kServices,
  };

  State state;
  std::vector<std::string> services = {};
  // Why there are none, in the words of the system or of gRPC.
  std::string why = "";
  // Where connecting succeeded.
  SocketListener listener = {};

  // Whether it offers the service by which daprd knows a state store.
  bool is_state_store() const;
};

// Waits up to `patience`, and once more for who ends the call, to see whether
// he would not have it at all. daprd itself would wait for ever.
SocketAnswer AskSocket(const std::string& socket, absl::Duration patience);

// The folders in which servers of this program listen here, whatever sockets
// they may be reached by: from the kernel's list, which knows those of this
// network namespace alone, and from the one that the process `pid` has, if it
// is not 0.
std::vector<std::string> FoldersListenedIn(pid_t pid);

// Those of the kernel's list (/proc/net/unix), given as a text.
std::vector<std::string> FoldersListenedIn(absl::string_view kernel_list);

}  // namespace statecpp

#endif  // STATECPP_CLI_SOCKET_ANSWER_H_
