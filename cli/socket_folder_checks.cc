// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_folder_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/finding_text.h"
#include "cli/folder_access.h"
#include "cli/socket_elsewhere.h"
#include "cli/socket_owner.h"
#include "engine/file_system.h"

namespace statecpp {
namespace {

// --- The texts, one function each.

Finding FolderChosen(const SocketSurroundings& around) {
  const std::string folder = around.FolderPath();
  const bool default_folder = folder == kDefaultSocketFolder;
  return Fine(
      "socket-folder", folder,
      absl::StrCat("chosen by ", around.folder.source,
                   default_folder ? ", which is where daprd looks by itself"
                                  : "; daprd looks there with ",
                   default_folder ? "" : ExportFix(folder)));
}

Finding FolderNotWhole(const SocketSurroundings& around) {
  return Fault("socket-folder-relative", around.folder.path,
               absl::StrCat(kDaprdVariable,
                            " is not a whole path, and daprd then finds the "
                            "sockets and cannot connect to them"),
               ExportFix(around.FolderPath()));
}

Finding FolderOfOtherVariable(const SocketSurroundings& around) {
  return Warning("socket-folder-variable", around.FolderPath(),
                 around.folder.warning, ExportFix(around.FolderPath()));
}

Finding FolderNotDaprds(const SocketSurroundings& around,
                        absl::string_view daprds) {
  return Warning("socket-folder-variable", around.FolderPath(),
                 absl::StrCat("daprd, where it has this environment, looks in ",
                              daprds, ", as ", kDaprdVariable, " says"),
                 ExportFix(around.FolderPath()));
}

Finding FolderAbsent(const SocketSurroundings& around,
                     const ServersElsewhere& servers) {
  return Fault("socket-folder-absent", around.FolderPath(),
               absl::StrCat("there is no such folder, which daprd takes for "
                            "one without components: \"couldn't find state "
                            "store state.cpp/v1\"",
                            ElsewhereText(around, servers)),
               ElsewhereFix(around, servers));
}

Finding FolderIsFile(const SocketSurroundings& around) {
  return Fault("socket-folder-absent", around.FolderPath(),
               "this is not a folder, so neither daprd nor a server can use it",
               RemoveFix(around.FolderPath()));
}

Finding FolderNotLocal(const std::string& folder) {
  return Warning("socket-folder-file-system", folder,
                 "it is on a file system of a network or of a virtual "
                 "machine's host, as WSL's /mnt/c is, where sockets seldom "
                 "connect anybody",
                 "statecpp serve --socket-folder /tmp/dapr-components-sockets, "
                 "and export the same for daprd");
}

Finding FolderOpenToAll(const std::string& folder, const FileOwner& owner) {
  const bool may = geteuid() == 0 || geteuid() == owner.uid;
  return Warning(
      "socket-folder-mode", folder,
      absl::StrFormat("every local user may write it (mode %#o), "
                      "and so offer daprd components of his own",
                      owner.mode & 07777),
      absl::StrCat(may ? "" : "sudo ", "chmod o-w ", ShellWord(folder)));
}

Finding FolderOfStranger(const std::string& folder, const FileOwner& owner) {
  const std::string name = NameOfUser(owner.uid);
  return Fault(
      "socket-owner", folder,
      absl::StrCat("it belongs to uid ", owner.uid,
                   name.empty() ? "" : absl::StrCat(" (", name, ")"),
                   ", where every local user may make one; a server there is "
                   "told what apps keep. That user is neither root, this one, "
                   "daprd's, nor the data root's owner"),
      absl::StrCat("export ", kDaprdVariable,
                   "=/run/dapr-components-sockets, for serve and daprd\nor, if "
                   "it is that user's server: statecpp doctor --data-root DIR, "
                   "as that has it"));
}

Finding AccessGiven(const std::string& folder, uid_t uid) {
  return Fine("socket-access", folder,
              absl::StrCat("by their modes, daprd as uid ", uid,
                           " may enter it, list it and connect"));
}

std::string AccessText(const AccessBarrier& barrier, const FileUser& daprd) {
  return absl::StrFormat(
      "it belongs to uid %d, group %s, with mode %#o, so daprd as uid %d, "
      "group %s, may not use it: permission denied",
      barrier.owner, NameOfGroup(barrier.group), barrier.mode, daprd.uid,
      absl::StrJoin(daprd.groups, ", ", [](std::string* out, gid_t group) {
        out->append(NameOfGroup(group));
      }));
}

Finding AccessUnknown(const std::string& path, const std::string& text,
                      const std::string& fix) {
  const std::string uid = geteuid() == 0 ? "UID" : absl::StrCat(geteuid());
  return Warning(
      "socket-access", path,
      absl::StrCat(text, ", where it runs as in Dapr's images; which user ",
                   "it is was not said"),
      absl::StrCat(
          "statecpp doctor --daprd-uid ", uid,
          geteuid() == 0 ? ", as daprd's is" : ", if daprd runs as this user",
          "; else:\n", fix));
}

// Lets him in as one of the group whose the folder and the socket are, which
// lets in no other.
std::string GroupFix(const AccessBarrier& barrier, const FileUser& daprd) {
  const std::string name = NameOfUser(daprd.uid);
  return name.empty() ? absl::StrCat("docker run --group-add ", barrier.group,
                                     ", for daprd's container; or, of a unit: "
                                     "SupplementaryGroups=",
                                     NameOfGroup(barrier.group))
                      : absl::StrCat("usermod -aG ", NameOfGroup(barrier.group),
                                     " ", name, ", and start daprd again");
}

// What gives it to daprd's user. Of our socket the server says the mode.
std::string AccessFix(const AccessBarrier& barrier, bool is_socket,
                      const FileUser& daprd) {
  // Root's group is for nobody else.
  if (barrier.GroupWouldHelp() && barrier.group != 0) {
    return GroupFix(barrier, daprd);
  }
  if (is_socket) {
    return barrier.his == 'o'
               ? "statecpp serve --socket-mode 0666, or run it as daprd's user"
               : "statecpp serve --socket-mode 0660";
  }
  const std::string letters =
      absl::StrCat((barrier.missing & 4) != 0 ? "r" : "",
                   (barrier.missing & 1) != 0 ? "x" : "");
  return absl::StrCat("chmod ", std::string(1, barrier.his), "+", letters, " ",
                      ShellWord(barrier.path));
}

// --- What is there.

// What keeps `user` from our socket.
std::optional<std::pair<AccessBarrier, bool>> BarrierFor(
    const std::string& folder, const FileUser& user) {
  std::optional<AccessBarrier> barrier = BarrierToFolder(folder, user);
  if (barrier.has_value()) return std::make_pair(*barrier, false);
  barrier = BarrierToSocket(absl::StrCat(folder, "/", kOurSocket), user);
  if (barrier.has_value()) return std::make_pair(*barrier, true);
  return std::nullopt;
}

// Of the name itself, which may be a link of somebody's.
void CheckOwner(const std::string& folder, const std::vector<uid_t>& trusted,
                Findings& findings) {
  const std::optional<FileOwner> owner = OwnerOf(folder);
  struct stat above;
  if (owner.has_value() &&
      stat(std::filesystem::path(folder).parent_path().c_str(), &above) == 0 &&
      IsStrangersFolder(*owner, {.uid = above.st_uid, .mode = above.st_mode},
                        trusted)) {
    findings.push_back(FolderOfStranger(folder, *owner));
  }
}

}  // namespace

Findings CheckSocketFolder(const SocketSurroundings& around) {
  Findings findings;
  const std::string folder = around.FolderPath();
  const char* const daprds = std::getenv(kDaprdVariable);
  if (around.folder.source == kDaprdVariable &&
      !absl::StartsWith(around.folder.path, "/")) {
    findings.push_back(FolderNotWhole(around));
  } else if (!around.folder.warning.empty()) {
    findings.push_back(FolderOfOtherVariable(around));
  } else if (daprds != nullptr && *daprds != '\0' &&
             WholePath(daprds) != folder) {
    findings.push_back(FolderNotDaprds(around, daprds));
  }
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) {
    findings.push_back(FolderAbsent(around, FindServersElsewhere(around)));
    return findings;
  }
  if (!S_ISDIR(info.st_mode)) {
    findings.push_back(FolderIsFile(around));
    return findings;
  }
  if (!CheckLocalFileSystem(folder).ok()) {
    findings.push_back(FolderNotLocal(folder));
  }
  CheckOwner(folder, around.TrustedUsers(), findings);
  if ((info.st_mode & S_IWOTH) != 0 && !IsVolumeOfContainer(folder)) {
    findings.push_back(
        FolderOpenToAll(folder, {.uid = info.st_uid, .mode = info.st_mode}));
  }
  if (findings.empty()) findings.push_back(FolderChosen(around));
  return findings;
}

Findings CheckSocketAccess(const SocketSurroundings& around) {
  const std::string folder = around.FolderPath();
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) return {};
  const auto barrier = BarrierFor(folder, around.daprd);
  if (!barrier.has_value()) return {AccessGiven(folder, around.daprd.uid)};
  const auto& [what, is_socket] = *barrier;
  const std::string text = AccessText(what, around.daprd);
  const std::string fix = AccessFix(what, is_socket, around.daprd);
  // Root may go anywhere, which says nothing of daprd, who is seldom root.
  const bool unknown =
      !around.daprd_given &&
      (geteuid() == 0 ||
       ThisUserMayUse(folder, absl::StrCat(folder, "/", kOurSocket)));
  if (unknown) return {AccessUnknown(what.path, text, fix)};
  return {Fault("socket-access", what.path, text, fix)};
}

}  // namespace statecpp
