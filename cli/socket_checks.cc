// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/finding_text.h"
#include "cli/lock_holder.h"
#include "cli/socket_answer.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using State = SocketAnswer::State;

// A server that is well answers in a millisecond.
constexpr absl::Duration kPatience = absl::Seconds(2);

// --- The texts, one function each.

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
      elsewhere.size() == 1 ? ExportFix(elsewhere.front()) : around.ServeFix());
}

Finding NotReady(const SocketSurroundings& around, const std::string& path,
                 absl::string_view holder) {
  return Fault("socket-absent", path,
               absl::StrCat("a server has taken the name (", holder,
                            ") and is not ready, or about to end"),
               absl::StrCat("statecpp health --wait 30s --socket-folder ",
                            ShellWord(around.FolderPath())));
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

Findings CheckOwnSocket(const SocketSurroundings& around) {
  const std::string folder = around.FolderPath();
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
  for (fs::directory_iterator entry(around.FolderPath(), failed), end;
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
