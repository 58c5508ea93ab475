// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/finding_text.h"
#include "cli/socket_answer.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using State = SocketAnswer::State;

constexpr char kDaprdVariable[] = "DAPR_COMPONENTS_SOCKETS_FOLDER";
constexpr char kDefaultFolder[] = "/tmp/dapr-components-sockets";
constexpr absl::string_view kOurSocket = "cpp.sock";
constexpr absl::string_view kOurName = "cpp";
// A server that is well answers in a millisecond.
constexpr absl::Duration kPatience = absl::Seconds(2);

std::string Whole(const std::string& path) {
  std::error_code failed;
  const fs::path whole = fs::absolute(path, failed);
  std::string text = (failed ? fs::path(path) : whole).lexically_normal();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string FolderOf(const SocketSurroundings& around) {
  return Whole(around.folder.path);
}

std::string ExportFix(const std::string& folder) {
  return absl::StrCat("export ", kDaprdVariable, "=", ShellWord(folder));
}

std::string RemoveFix(const std::string& path) {
  return absl::StrCat("rm ", ShellWord(path));
}

std::string ServeFix(const SocketSurroundings& around) {
  return absl::StrCat(
      "statecpp serve --data-root ",
      around.data_root.empty() ? "DIR" : ShellWord(around.data_root),
      " --socket-folder ", ShellWord(FolderOf(around)));
}

// --- The texts, one function each.

Finding FolderChosen(const SocketSurroundings& around) {
  const std::string folder = FolderOf(around);
  const bool default_folder = folder == kDefaultFolder;
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
               ExportFix(FolderOf(around)));
}

Finding FolderOfOtherVariable(const SocketSurroundings& around) {
  return Warning("socket-folder-variable", FolderOf(around),
                 around.folder.warning, ExportFix(FolderOf(around)));
}

Finding FolderNotDaprds(const SocketSurroundings& around,
                        absl::string_view daprds) {
  return Warning("socket-folder-variable", FolderOf(around),
                 absl::StrCat("daprd, where it has this environment, looks in ",
                              daprds, ", as ", kDaprdVariable, " says"),
                 ExportFix(FolderOf(around)));
}

Finding FolderAbsent(const SocketSurroundings& around) {
  return Fault("socket-folder-absent", FolderOf(around),
               "there is no such folder, which daprd takes for one without "
               "components: \"couldn't find state store state.cpp/v1\"",
               ServeFix(around));
}

Finding FolderIsFile(const SocketSurroundings& around) {
  return Fault("socket-folder-absent", FolderOf(around),
               "this is not a folder, so neither daprd nor a server can use it",
               RemoveFix(FolderOf(around)));
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

Finding NoSocket(const SocketSurroundings& around, const std::string& path,
                 const std::vector<std::string>& elsewhere) {
  std::string text =
      "there is no such socket, and daprd looks once, when it starts: "
      "\"couldn't find state store state.cpp/v1\"";
  if (around.data_root_lock.state == LockHolder::State::kHeld) {
    absl::StrAppend(&text, "; the server of ", around.data_root, " runs (",
                    around.data_root_lock.text,
                    ") and has its socket in another folder");
  }
  if (!elsewhere.empty()) {
    absl::StrAppend(&text, "; servers listen in ",
                    absl::StrJoin(elsewhere, ", "));
  }
  // Of several it is not known which one is meant.
  return Fault(
      "socket-absent", path, text,
      elsewhere.size() == 1 ? ExportFix(elsewhere.front()) : ServeFix(around));
}

Finding NotReady(const SocketSurroundings& around, const std::string& path,
                 absl::string_view holder) {
  return Fault("socket-absent", path,
               absl::StrCat("a server has taken the name (", holder,
                            ") and is not ready, or about to end"),
               absl::StrCat("statecpp health --wait 30s --socket-folder ",
                            ShellWord(FolderOf(around))));
}

Finding NotASocket(const std::string& path) {
  return Fault("socket-absent", path,
               "this is not a socket, and a server leaves it alone and ends",
               RemoveFix(path));
}

Finding SocketAnswers(const std::string& path) {
  return Fine("socket", path,
              "a state store answers, and reflection (v1alpha) says so: this "
              "is type state.cpp");
}

Finding SocketStale(const std::string& path) {
  return Fault("socket-stale", path,
               "nobody answers on it: a server left it that was killed, and "
               "daprd waits for it without end; the next statecpp serve "
               "replaces it",
               RemoveFix(path));
}

Finding SocketSilent(const std::string& path, const LockHolder& holder) {
  return Fault(
      "socket-silent", path,
      absl::StrCat("somebody listens on it and does not answer within ",
                   absl::FormatDuration(kPatience), ", so daprd hangs",
                   holder.text.empty() ? "" : "; it is of ", holder.text),
      holder.pid_runs ? absl::StrCat("kill ", holder.pid) : RemoveFix(path));
}

Finding SocketNoStore(const std::string& path, const SocketAnswer& answer) {
  return Fault(
      "socket-no-store", path,
      answer.state == State::kServices
          ? absl::StrCat("what answers is no state store; it has: ",
                         absl::StrJoin(answer.services, ", "))
          : absl::StrCat("what answers does not say what it is (gRPC's "
                         "reflection, v1alpha): ",
                         answer.why),
      RemoveFix(path));
}

Finding SocketNotTried(const std::string& kind, const std::string& path,
                       const SocketAnswer& answer) {
  return Warning(
      kind, path,
      absl::StrCat("could not be tried as uid ", geteuid(), ": ", answer.why),
      "run this as daprd's user, or as root");
}

Finding OtherAnswers(const std::string& path, const std::string& name,
                     const SocketAnswer& answer) {
  return Fine("other-socket", path,
              answer.is_state_store()
                  ? absl::StrCat("a state store of type state.", name)
                  : "a component of another kind");
}

Finding OtherHoldsUp(const std::string& path, const SocketAnswer& answer) {
  const bool refused = answer.state == State::kRefused;
  return Fault("other-socket", path,
               absl::StrCat(refused ? "nobody answers on it"
                                    : "what listens on it does not say what "
                                      "it is",
                            ", and daprd waits for every socket here before "
                            "it has any component, ours included"),
               RemoveFix(path));
}

Finding TypeTwice(const std::string& path) {
  return Fault("other-socket-type", path,
               "this makes the type state.cpp as well, and which of the two "
               "daprd asks depends on their names",
               RemoveFix(path));
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

// As daprd names the type: without the last extension.
std::string ComponentName(const fs::path& socket) {
  return absl::AsciiStrToLower(socket.stem().string());
}

// Where a server may be that was meant to be here. If nobody serves the data
// root, it is another one's.
std::vector<std::string> ServedElsewhere(const SocketSurroundings& around,
                                         const std::string& folder) {
  const LockHolder::State lock = around.data_root_lock.state;
  if (!around.data_root.empty() && lock != LockHolder::State::kHeld &&
      lock != LockHolder::State::kUnknown) {
    return {};
  }
  std::vector<std::string> folders = FoldersListenedIn();
  folders.erase(std::remove(folders.begin(), folders.end(), folder),
                folders.end());
  return folders;
}

Finding CheckOther(const std::string& path) {
  const std::string name = ComponentName(path);
  if (name == kOurName) return TypeTwice(path);
  const SocketAnswer answer = AskSocket(path, kPatience);
  switch (answer.state) {
    case State::kServices:
      return OtherAnswers(path, name, answer);
    case State::kForbidden:
    case State::kUnknown:
      return SocketNotTried("other-socket", path, answer);
    default:
      return OtherHoldsUp(path, answer);
  }
}

}  // namespace

Findings CheckSocketFolder(const SocketSurroundings& around) {
  Findings findings;
  const std::string folder = FolderOf(around);
  const char* const daprds = std::getenv(kDaprdVariable);
  if (around.folder.source == kDaprdVariable &&
      !absl::StartsWith(around.folder.path, "/")) {
    findings.push_back(FolderNotWhole(around));
  } else if (!around.folder.warning.empty()) {
    findings.push_back(FolderOfOtherVariable(around));
  } else if (daprds != nullptr && *daprds != '\0' && Whole(daprds) != folder) {
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
  const std::string folder = FolderOf(around);
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
  return {Warning("socket-access", what.path,
                  absl::StrCat(text, ", where it runs in Dapr's images; as ",
                               "this user it may"),
                  fix)};
}

Findings CheckOwnSocket(const SocketSurroundings& around) {
  const std::string folder = FolderOf(around);
  const std::string path = absl::StrCat(folder, "/", kOurSocket);
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) return {};  // which was said
  const LockHolder holder =
      LookAtLock(absl::StrCat(folder, "/.statecpp/", kOurSocket, ".lock"));
  const bool held = holder.state == LockHolder::State::kHeld;
  if (lstat(path.c_str(), &info) != 0) {
    if (held) return {NotReady(around, path, holder.text)};
    return {NoSocket(around, path, ServedElsewhere(around, folder))};
  }
  if (!S_ISSOCK(info.st_mode)) return {NotASocket(path)};
  const SocketAnswer answer = AskSocket(path, kPatience);
  switch (answer.state) {
    case State::kRefused:
      return {SocketStale(path)};
    case State::kForbidden:
    case State::kUnknown:
      return {SocketNotTried("socket", path, answer)};
    case State::kSilent:
      return {SocketSilent(
          path, held ? holder : LockHolder{LockHolder::State::kFree})};
    case State::kNoServices:
      return {SocketNoStore(path, answer)};
    case State::kServices:
      break;
  }
  if (!answer.is_state_store()) return {SocketNoStore(path, answer)};
  return {SocketAnswers(path)};
}

Findings CheckOtherSockets(const SocketSurroundings& around) {
  Findings findings;
  std::vector<std::string> paths;
  std::error_code failed;
  for (fs::directory_iterator entry(FolderOf(around), failed), end;
       !failed && entry != end; entry.increment(failed)) {
    struct stat info;
    // daprd follows no links.
    if (entry->path().filename() == std::string(kOurSocket) ||
        lstat(entry->path().c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) {
      continue;
    }
    paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) findings.push_back(CheckOther(path));
  return findings;
}

}  // namespace statecpp
