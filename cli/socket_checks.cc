// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/finding_text.h"
#include "cli/lock_holder.h"
#include "cli/socket_answer.h"
#include "cli/socket_elsewhere.h"
#include "cli/socket_owner.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using State = SocketAnswer::State;

// A server that is well answers in a millisecond.
constexpr absl::Duration kPatience = absl::Seconds(2);
// With all those besides ours, of which there may be any number.
constexpr absl::Duration kPatienceWithOthers = absl::Seconds(6);

// Who listens, in words.
std::string ListenerText(const SocketListener& listener) {
  if (listener.uid == static_cast<uid_t>(-1)) return "of nobody who is known";
  if (listener.pid == 0) {
    return absl::StrCat("of uid ", listener.uid,
                        ", in a container that is not seen from here");
  }
  return absl::StrCat("of pid ", listener.pid, " (", listener.command,
                      "), uid ", listener.uid);
}

// Ends who listens. To take his socket away would hide him, and no more.
std::string StopFix(const std::string& path, const SocketListener& listener) {
  return listener.pid > 0 ? absl::StrCat("kill ", listener.pid)
                          : absl::StrCat("fuser -v ", ShellWord(path));
}

std::string HealthFix(const SocketSurroundings& around) {
  return absl::StrCat("statecpp health --wait 30s --socket-folder ",
                      ShellWord(around.FolderPath()));
}

// Looks again as daprd's user, from whom alone it can be known.
std::string AsDaprdFix(const SocketSurroundings& around) {
  return absl::StrCat("sudo -u '#", around.daprd.uid,
                      "' statecpp doctor --daprd-uid ", around.daprd.uid,
                      " --socket-folder ", ShellWord(around.FolderPath()));
}

// --- The texts, one function each.

Finding NoSocket(const SocketSurroundings& around, const std::string& path,
                 const ServersElsewhere& servers) {
  return Fault("socket-absent", path,
               absl::StrCat("there is no such socket, and daprd looks once, "
                            "when it starts: \"couldn't find state store "
                            "state.cpp/v1\"",
                            ElsewhereText(around, servers)),
               ElsewhereFix(around, servers));
}

Finding NotReady(const SocketSurroundings& around, const std::string& path,
                 absl::string_view holder) {
  return Fault("socket-absent", path,
               absl::StrCat("a server has taken the name (", holder,
                            ") and is not ready, or about to end"),
               HealthFix(around));
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

// `holder` is who has the name by its lock; empty if nobody does.
Finding SocketSilent(const SocketSurroundings& around, const std::string& path,
                     const SocketAnswer& answer, absl::string_view holder) {
  const bool in_sight = answer.listener.pid > 0;
  return Fault(
      "socket-silent", path,
      absl::StrCat("somebody listens on it and does not answer within ",
                   absl::FormatDuration(kPatience), ", so daprd hangs; it is ",
                   in_sight || holder.empty() ? ListenerText(answer.listener)
                                              : absl::StrCat("of ", holder)),
      in_sight || holder.empty() ? StopFix(path, answer.listener)
                                 : HealthFix(around));
}

Finding SocketHangsUp(const SocketSurroundings& around, const std::string& path,
                      const SocketAnswer& answer) {
  const std::string uid = absl::StrCat(geteuid());
  const std::string text = absl::StrCat(
      "a server listens (it is ", ListenerText(answer.listener),
      ") and hangs up on uid ", uid,
      ": its --allow-uid leaves that out, or all of its --max-connections are "
      "open");
  // Another user is told nothing of daprd by it.
  if (around.daprd_given && around.daprd.uid == geteuid()) {
    return Fault("socket-refused", path, text + "; so daprd hangs",
                 absl::StrCat(around.ServeFix(), " --allow-uid ", uid));
  }
  return Warning("socket-refused", path, text, AsDaprdFix(around));
}

Finding SocketEndsCall(const SocketSurroundings& around,
                       const std::string& path, const SocketAnswer& answer,
                       absl::string_view holder) {
  return Warning("socket-refused", path,
                 absl::StrCat("the server (", holder,
                              ") does not say what it is, and may be about to "
                              "end: ",
                              answer.why),
                 HealthFix(around));
}

Finding SocketNoStore(const std::string& path, const SocketAnswer& answer) {
  return Fault(
      "socket-no-store", path,
      absl::StrCat(
          answer.state == State::kServices
              ? absl::StrCat("what answers is no state store; it has: ",
                             absl::StrJoin(answer.services, ", "))
              : absl::StrCat("what answers does not say what it is "
                             "(gRPC's reflection, v1alpha): ",
                             answer.why),
          "; it is ", ListenerText(answer.listener)),
      StopFix(path, answer.listener));
}

Finding SocketNotTried(const std::string& kind,
                       const SocketSurroundings& around,
                       const std::string& path, const SocketAnswer& answer) {
  return Warning(
      kind, path,
      absl::StrCat("could not be tried as uid ", geteuid(), ": ", answer.why),
      AsDaprdFix(around));
}

Finding SocketOfOtherServer(const SocketSurroundings& around,
                            const std::string& path,
                            const SocketListener& listener) {
  return Fault(
      "socket-other-server", path,
      absl::StrCat("a state store answers, and it is ", ListenerText(listener),
                   ", while ", around.data_root, " is served by pid ",
                   around.data_root_lock.pid,
                   ": daprd would have the other one's data"),
      absl::StrCat("statecpp doctor --data-root ", ShellWord(around.data_root),
                   " --socket-folder DIR, as its serve has it"));
}

Finding SocketOfStranger(const std::string& path,
                         const SocketListener& listener, uid_t owner) {
  return Fault(
      "socket-owner", path,
      absl::StrCat("every local user may put a socket here; this one "
                   "belongs to uid ",
                   owner, " and is ", ListenerText(listener),
                   ", who is told what apps keep"),
      absl::StrCat("mv ", ShellWord(path), " ", ShellWord(path + ".away")));
}

Finding OtherAnswers(const std::string& path, const std::string& name,
                     const SocketAnswer& answer) {
  return Fine("other-socket", path,
              answer.is_state_store()
                  ? absl::StrCat("a state store of type state.", name)
                  : "a component of another kind");
}

constexpr absl::string_view kHoldsUp =
    ", and daprd waits for every socket here before it has any component, ours "
    "included";

Finding OtherStale(const std::string& path) {
  return Fault("other-socket", path,
               absl::StrCat("nobody answers on it", kHoldsUp), RemoveFix(path));
}

Finding OtherHoldsUp(const std::string& path, const SocketAnswer& answer) {
  return Fault(
      "other-socket", path,
      absl::StrCat("what listens on it does not say what it is, and is ",
                   ListenerText(answer.listener), kHoldsUp),
      StopFix(path, answer.listener));
}

Finding OtherHangsUp(const SocketSurroundings& around, const std::string& path,
                     const SocketAnswer& answer) {
  return Warning(
      "other-socket", path,
      absl::StrCat("what listens on it, and is ", ListenerText(answer.listener),
                   ", hangs up on uid ", geteuid(), "; if it does so on daprd",
                   kHoldsUp),
      AsDaprdFix(around));
}

Finding OthersNotTried(const SocketSurroundings& around,
                       const std::string& path, long count) {
  return Warning("other-socket", path,
                 absl::StrCat("not tried, as ", count - 1,
                              " more after it: those before took ",
                              absl::FormatDuration(kPatienceWithOthers)),
                 absl::StrCat("mend those before, and look again: statecpp "
                              "doctor --socket-folder ",
                              ShellWord(around.FolderPath())));
}

Finding TypeTwice(const std::string& path, const SocketAnswer& answer) {
  return Fault("other-socket-type", path,
               "this makes the type state.cpp as well, and which of the two "
               "daprd asks depends on their names",
               answer.state == State::kRefused
                   ? RemoveFix(path)
                   : StopFix(path, answer.listener));
}

// --- What is there.

// As daprd names the type: without the last extension.
std::string ComponentName(const fs::path& socket) {
  return absl::AsciiStrToLower(socket.stem().string());
}

Finding CheckOther(const SocketSurroundings& around, const std::string& path) {
  const std::string name = ComponentName(path);
  const SocketAnswer answer = AskSocket(path, kPatience);
  if (name == kOurName) return TypeTwice(path, answer);
  switch (answer.state) {
    case State::kServices:
      return OtherAnswers(path, name, answer);
    case State::kForbidden:
    case State::kUnknown:
      return SocketNotTried("other-socket", around, path, answer);
    case State::kRefused:
      return OtherStale(path);
    case State::kHungUp:
      return OtherHangsUp(around, path, answer);
    case State::kSilent:
    case State::kNoServices:
      break;
  }
  return OtherHoldsUp(path, answer);
}

// Of the socket that is there. `holder` is who has its name by the lock.
Finding CheckAnswer(const SocketSurroundings& around, const std::string& path,
                    const SocketAnswer& answer, const LockHolder& holder) {
  const bool held = holder.state == LockHolder::State::kHeld;
  switch (answer.state) {
    case State::kRefused:
      return held ? NotReady(around, path, holder.text) : SocketStale(path);
    case State::kForbidden:
    case State::kUnknown:
      return SocketNotTried("socket", around, path, answer);
    case State::kSilent:
      return SocketSilent(around, path, answer, held ? holder.text : "");
    case State::kHungUp:
      return SocketHangsUp(around, path, answer);
    case State::kNoServices:
      return held ? SocketEndsCall(around, path, answer, holder.text)
                  : SocketNoStore(path, answer);
    case State::kServices:
      break;
  }
  return answer.is_state_store() ? SocketAnswers(path)
                                 : SocketNoStore(path, answer);
}

}  // namespace

Findings CheckOwnSocket(const SocketSurroundings& around) {
  const std::string folder = around.FolderPath();
  const std::string path = absl::StrCat(folder, "/", kOurSocket);
  struct stat info;
  if (stat(folder.c_str(), &info) != 0) return {};  // which was said
  const LockHolder holder =
      LookAtLock(absl::StrCat(folder, "/.statecpp/", kOurSocket, ".lock"));
  if (lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) {
      const SocketAnswer unseen = {.state = State::kForbidden,
                                   .why = strerror(errno)};
      return {SocketNotTried("socket", around, path, unseen)};
    }
    if (holder.state == LockHolder::State::kHeld) {
      return {NotReady(around, path, holder.text)};
    }
    return {NoSocket(around, path, FindServersElsewhere(around))};
  }
  if (!S_ISSOCK(info.st_mode)) return {NotASocket(path)};
  const SocketAnswer answer = AskSocket(path, kPatience);
  const FileOwner owner = {.uid = info.st_uid, .mode = info.st_mode};
  if (answer.state == State::kServices && stat(folder.c_str(), &info) == 0 &&
      IsStrangersSocket(owner.uid, answer.listener.uid,
                        {.uid = info.st_uid, .mode = info.st_mode},
                        around.TrustedUsers())) {
    return {SocketOfStranger(path, answer.listener, owner.uid)};
  }
  const LockHolder& server = around.data_root_lock;
  if (answer.is_state_store() && server.pid_runs && answer.listener.pid != 0 &&
      answer.listener.pid != server.pid) {
    return {SocketOfOtherServer(around, path, answer.listener)};
  }
  return {CheckAnswer(around, path, answer, holder)};
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
  const absl::Time deadline = absl::Now() + kPatienceWithOthers;
  for (auto path = paths.begin(); path != paths.end(); ++path) {
    if (absl::Now() > deadline) {
      findings.push_back(OthersNotTried(around, *path, paths.end() - path));
      break;
    }
    findings.push_back(CheckOther(around, *path));
  }
  return findings;
}

}  // namespace statecpp
