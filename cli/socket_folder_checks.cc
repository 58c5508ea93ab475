// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_folder_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "cli/finding_text.h"
#include "cli/folder_access.h"

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

Finding FolderAbsent(const SocketSurroundings& around) {
  return Fault("socket-folder-absent", around.FolderPath(),
               "there is no such folder, which daprd takes for one without "
               "components: \"couldn't find state store state.cpp/v1\"",
               around.ServeFix());
}

Finding FolderIsFile(const SocketSurroundings& around) {
  return Fault("socket-folder-absent", around.FolderPath(),
               "this is not a folder, so neither daprd nor a server can use it",
               RemoveFix(around.FolderPath()));
}

Finding FolderOpenToAll(const std::string& folder, mode_t mode) {
  return Warning("socket-folder-mode", folder,
                 absl::StrFormat("every local user may write it (mode %#o), "
                                 "and so offer daprd components of his own",
                                 mode & 07777),
                 absl::StrCat("chmod o-w ", ShellWord(folder)));
}

Finding AccessGiven(const std::string& folder, uid_t uid) {
  return Fine("socket-access", folder,
              absl::StrCat("by their modes, daprd as uid ", uid,
                           " may enter it, list it and connect"));
}

std::string AccessText(const AccessBarrier& barrier, const FileUser& daprd) {
  return absl::StrFormat(
      "it belongs to uid %d, group %d, with mode %#o, so daprd as uid %d, "
      "group %d, may not use it: permission denied",
      barrier.owner, barrier.group, barrier.mode, daprd.uid, daprd.gid);
}

Finding AccessAsThisUser(const std::string& path, const std::string& text,
                         const std::string& fix) {
  return Warning("socket-access", path,
                 absl::StrCat(text, ", where it runs in Dapr's images; as ",
                              "this user it may"),
                 absl::StrCat("statecpp doctor --daprd-uid ", geteuid(),
                              ", if daprd runs as this user; else:\n", fix));
}

// What gives it to daprd's user. Of our socket the server says the mode.
std::string AccessFix(const AccessBarrier& barrier, bool is_socket) {
  if (is_socket) {
    return "statecpp serve --socket-mode 0666, or run it as daprd's user";
  }
  const std::string letters =
      absl::StrCat((barrier.missing & 4) != 0 ? "r" : "",
                   (barrier.missing & 1) != 0 ? "x" : "");
  return absl::StrCat("chmod o+", letters, " ", ShellWord(barrier.path));
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
    findings.push_back(FolderAbsent(around));
    return findings;
  }
  if (!S_ISDIR(info.st_mode)) {
    findings.push_back(FolderIsFile(around));
    return findings;
  }
  if ((info.st_mode & S_IWOTH) != 0) {
    findings.push_back(FolderOpenToAll(folder, info.st_mode));
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
  const std::string fix = AccessFix(what, is_socket);
  // Root may go anywhere, which says nothing of daprd, who is seldom root.
  const bool as_this_user =
      !around.daprd_given && geteuid() != 0 &&
      !BarrierFor(folder, {geteuid(), getegid()}).has_value();
  if (!as_this_user) return {Fault("socket-access", what.path, text, fix)};
  return {AccessAsThisUser(what.path, text, fix)};
}

}  // namespace statecpp
