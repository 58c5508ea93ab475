// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_elsewhere.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/finding_text.h"
#include "cli/lock_holder.h"
#include "cli/socket_answer.h"
#include "cli/socket_owner.h"

namespace statecpp {
namespace {

using LockState = LockHolder::State;

bool IsServed(const SocketSurroundings& around) {
  return around.data_root_lock.state == LockState::kHeld;
}

// Of whom nothing is known, because this user may not connect, his files speak.
bool IsTrusted(const SocketListener& listener,
               const std::vector<uid_t>& trusted) {
  return listener.uid == SocketListener().uid ||
         std::find(trusted.begin(), trusted.end(), listener.uid) !=
             trusted.end();
}

}  // namespace

ServersElsewhere FindServersElsewhere(const SocketSurroundings& around) {
  if (!around.data_root.empty() && !IsServed(around) &&
      around.data_root_lock.state != LockState::kUnknown) {
    return {};
  }
  const std::string daprds = around.FolderPath();
  const std::vector<uid_t> trusted = around.TrustedUsers();
  ServersElsewhere servers;
  // A unit with PrivateNetwork= is on a list of its own.
  for (const std::string& folder :
       FoldersListenedIn(around.data_root_lock.pid)) {
    if (folder == daprds) continue;
    const std::string socket = absl::StrCat(folder, "/", kOurSocket);
    const SocketListener listener = ListenerOn(socket);
    if (!IsWorthNaming(folder, socket, trusted) ||
        !IsTrusted(listener, trusted)) {
      ++servers.strangers;
      continue;
    }
    const pid_t wanted = around.data_root_lock.pid;
    if (wanted != 0 && listener.pid == wanted) return {.folders = {folder}};
    // Another data root's.
    if (wanted != 0 && listener.pid != 0) continue;
    servers.folders.push_back(folder);
  }
  return servers;
}

std::string ElsewhereText(const SocketSurroundings& around,
                          const ServersElsewhere& servers) {
  std::string text;
  if (IsServed(around)) {
    absl::StrAppend(&text, "; the server of ", around.data_root, " runs (",
                    around.data_root_lock.text,
                    ") and has its socket in another folder");
  }
  if (!servers.folders.empty()) {
    absl::StrAppend(&text, "; servers listen in ",
                    absl::StrJoin(servers.folders, ", "));
  }
  if (servers.strangers > 0) {
    absl::StrAppend(&text, "; ", servers.strangers,
                    " more say that they do, and belong to users who are "
                    "neither root, this one, nor the data root's owner, or "
                    "cannot be seen from here");
  }
  return text;
}

std::string ElsewhereFix(const SocketSurroundings& around,
                         const ServersElsewhere& servers) {
  // Of several it is not known which one is meant.
  if (servers.folders.size() == 1) return ExportFix(servers.folders.front());
  if (!IsServed(around)) return around.ServeFix();
  // A second server of the data root would not start.
  return absl::StrCat("statecpp doctor --data-root ",
                      ShellWord(around.data_root),
                      " --socket-folder DIR, the one that its serve has");
}

}  // namespace statecpp
