// SPDX-License-Identifier: Apache-2.0
#include "cli/data_root_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "cli/finding_text.h"
#include "cli/folder_access.h"
#include "cli/process_hardening.h"
#include "cli/stat_text.h"
#include "engine/file_system.h"
#include "server/admin_connection.h"

namespace statecpp {
namespace {

using State = LockHolder::State;

// Whatever the stores are expected to take.
constexpr uint64_t kLittle = uint64_t{1} << 30;

// --- The texts, one function each.

Finding NotThere(const std::string& path) {
  return Fault("data-root", path,
               "there is no such folder; serve makes it, where its parent is "
               "there",
               absl::StrCat("statecpp serve --data-root ", ShellWord(path)));
}

Finding NotAFolder(const std::string& path) {
  return Fault(
      "data-root", path,
      "this is not a folder; --data-root names the one that holds "
      "stores/ and instances/",
      absl::StrCat("mv ", ShellWord(path), " ", ShellWord(path + ".away")));
}

Finding NotOurs(const std::string& path, const struct stat& info) {
  return Fault("data-root-owner", path,
               absl::StrFormat("it belongs to uid %d, group %d, with mode %#o, "
                               "and uid %d may not use it",
                               info.st_uid, info.st_gid, info.st_mode & 07777,
                               geteuid()),
               DoctorAs(info.st_uid, path));
}

Finding OpenToOthers(const std::string& path, const struct stat& info) {
  const bool may = geteuid() == 0 || geteuid() == info.st_uid;
  return Warning(
      "data-root-mode", path,
      absl::StrFormat("every local user may look into it (mode "
                      "%#o); serve makes it with 0700",
                      info.st_mode & 07777),
      absl::StrCat(may ? "" : "sudo ", "chmod o-rwx ", ShellWord(path)));
}

Finding Usable(const std::string& path, const struct stat& info) {
  return Fine("data-root", path,
              absl::StrFormat("a folder of uid %d, mode %#o, on a local file "
                              "system",
                              info.st_uid, info.st_mode & 07777));
}

Finding OnNetwork(const DataRootSeen& root, absl::string_view text) {
  Finding finding = Fault("file-system", root.path, std::string(text),
                          "statecpp serve --data-root /var/lib/statecpp");
  if (root.allow_network_file_system) finding.level = Finding::Level::kWarning;
  return finding;
}

Finding ReadOnly(const std::string& path) {
  return Fault("file-system", path,
               "it is on a file system that is mounted so that nothing can be "
               "written, as after an error of the disk, and serve has to write",
               absl::StrCat("dmesg, and if the disk is well: mount -o "
                            "remount,rw \"$(findmnt -no TARGET -T ",
                            ShellWord(path), ")\""));
}

Finding OnVolatile(const std::string& path, absl::string_view kind) {
  return Warning("file-system", path,
                 absl::StrCat("this is ", kind,
                              ", and what is in it goes with the machine or "
                              "the container"),
                 "statecpp serve --data-root /var/lib/statecpp, or mount a "
                 "volume there");
}

Finding KeyInside(const std::string& path) {
  return Warning("key-in-data-root", path,
                 "a key of serve --dev, which is taken together with the "
                 "stores, and protects nothing",
                 absl::StrCat("mkdir -p /etc/statecpp && statecpp keygen "
                              "/etc/statecpp/prod.key, and for each store: "
                              "statecpp keys add --new-key-file "
                              "/etc/statecpp/prod.key --data-root ",
                              ShellWord(path), " --store NAME"));
}

Finding LockFree(const DataRootSeen& root) {
  return Fine("server", root.path,
              root.lock.text.empty()
                  ? "no server runs on it"
                  : absl::StrCat("no server runs on it; the last was ",
                                 root.lock.text));
}

Finding LockNoFile(const DataRootSeen& root) {
  return Fault("server", root.path + "/LOCK", "it is not a regular file",
               absl::StrCat("rm ", ShellWord(root.path + "/LOCK")));
}

Finding LockUnread(const DataRootSeen& root) {
  return Warning("server", root.path + "/LOCK",
                 absl::StrCat("could not be looked at as uid ", geteuid(), ": ",
                              std::strerror(root.lock.error_number)),
                 "run this as the server's user, or as root");
}

// Whether the process that a held lock names is seen from here.
std::string Whereabouts(const LockHolder& lock) {
  if (lock.pid_runs) {
    return absl::StrCat("pid ", lock.pid, " here",
                        lock.command.empty() ? "" : ", ", lock.command);
  }
  if (lock.text.empty()) return "a process that does not say who it is";
  if (lock.pid != 0) {
    return absl::StrCat(lock.text,
                        ", which is not seen to hold it from here: it may be "
                        "in another container");
  }
  return absl::StrCat(lock.text, ", which is another host or container");
}

Finding Served(const DataRootSeen& root) {
  return Fine("server", root.path,
              absl::StrCat("its server answers: ", Whereabouts(root.lock)));
}

Finding HeldAndMute(const DataRootSeen& root) {
  return Fault(
      "server", root.path,
      absl::StrCat("it is held by ", Whereabouts(root.lock),
                   ", and nobody answers on .admin.sock there: that process "
                   "is starting, ending, stuck, or no server"),
      CommandToEnd(root.lock,
                   absl::StrCat("fuser -v ", ShellWord(root.path + "/LOCK"))));
}

Finding NotAsked(const DataRootSeen& root) {
  return Warning("server", root.path, std::string(root.unreachable.message()),
                 "run this as the server's user, or as root");
}

Finding DiskSmall(const std::string& path, uint64_t left, uint64_t wanted) {
  return Warning(
      "disk", path,
      absl::StrCat("the disk has ", SizeText(left),
                   " left, and the stores whose components name a maxSize may "
                   "still grow by ",
                   SizeText(wanted),
                   " before they reach it; writes then fail (507) with the "
                   "disk"),
      absl::StrCat("make room, or lower maxSize; what takes it: du -h ",
                   ShellWord(path)));
}

Finding DiskLow(const std::string& path, uint64_t left) {
  return Warning(
      "disk", path,
      absl::StrCat("the disk has only ", SizeText(left),
                   " left; without any, writes fail (507), and a "
                   "copy, as compact makes one, needs room, too"),
      absl::StrCat("make room; what takes it: du -h ", ShellWord(path)));
}

Finding DiskFine(const std::string& path, uint64_t left, uint64_t wanted) {
  return Fine("disk", path,
              wanted == 0
                  ? absl::StrCat(SizeText(left), " left")
                  : absl::StrCat(SizeText(left),
                                 " left, of which the stores may still take ",
                                 SizeText(wanted), " by their maxSize"));
}

}  // namespace

std::string DoctorAs(uid_t owner, const std::string& path) {
  return absl::StrCat("sudo -u '#", owner, "' statecpp doctor --data-root ",
                      ShellWord(path));
}

DataRootSeen LookAtDataRoot(const std::string& path,
                            bool allow_network_file_system) {
  DataRootSeen root = {.path = path,
                       .allow_network_file_system = allow_network_file_system,
                       .lock = LookAtLock(path + "/LOCK")};
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return root;
  const absl::StatusOr<std::optional<AdminConnection>> server =
      AdminConnection::To(path);
  if (!server.ok()) root.unreachable = server.status();
  root.served = server.ok() && server->has_value();
  return root;
}

bool IsUsable(const DataRootSeen& root) {
  struct stat info;
  return stat(root.path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
         access(root.path.c_str(), R_OK | X_OK) == 0 &&
         (access(root.path.c_str(), W_OK) == 0 || errno == EROFS);
}

Findings CheckDataRootFolder(const DataRootSeen& root) {
  struct stat info;
  const std::string& path = root.path;
  if (stat(path.c_str(), &info) != 0) return {NotThere(path)};
  if (!S_ISDIR(info.st_mode)) return {NotAFolder(path)};
  if (!IsUsable(root)) return {NotOurs(path, info)};
  Findings findings;
  if ((info.st_mode & S_IRWXO) != 0 && !IsVolumeOfContainer(path)) {
    findings.push_back(OpenToOthers(path, info));
  }
  const absl::Status local = CheckLocalFileSystem(path);
  const absl::string_view kind = VolatileFileSystem(path);
  if (!local.ok()) {
    findings.push_back(OnNetwork(root, local.message()));
  } else if (!kind.empty()) {
    findings.push_back(OnVolatile(path, kind));
  }
  if (access(path.c_str(), W_OK) != 0) findings.push_back(ReadOnly(path));
  const std::string key = path + "/dev.key";
  if (access(key.c_str(), F_OK) == 0) findings.push_back(KeyInside(key));
  if (findings.empty()) findings.push_back(Usable(path, info));
  return findings;
}

Findings CheckServer(const DataRootSeen& root) {
  if (!root.unreachable.ok()) return {NotAsked(root)};
  switch (root.lock.state) {
    case State::kAbsent:
    case State::kFree:
      return {root.served ? Served(root) : LockFree(root)};
    case State::kUnknown:
      if (root.lock.error_number == 0) return {LockNoFile(root)};
      return {root.served ? Served(root) : LockUnread(root)};
    case State::kHeld:
      break;
  }
  return {root.served ? Served(root) : HeldAndMute(root)};
}

Findings CheckDisk(const DataRootSeen& root, uint64_t still_wanted) {
  const absl::StatusOr<uint64_t> left = FreeBytes(root.path);
  if (!left.ok()) return {};
  return {CheckRoom(root.path, *left, still_wanted)};
}

Finding CheckRoom(const std::string& path, uint64_t left,
                  uint64_t still_wanted) {
  if (left < still_wanted) return DiskSmall(path, left, still_wanted);
  if (left < kLittle) return DiskLow(path, left);
  return DiskFine(path, left, still_wanted);
}

Findings CheckLockedMemory() {
  const absl::Status status = CheckKeyMemory();
  if (status.ok()) {
    return {Fine("memory-lock", "RLIMIT_MEMLOCK", "keys stay out of swap")};
  }
  return {Warning("memory-lock", "RLIMIT_MEMLOCK",
                  std::string(status.message()), "ulimit -l 1024")};
}

}  // namespace statecpp
