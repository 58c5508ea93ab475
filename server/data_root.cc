// SPDX-License-Identifier: Apache-2.0
#include "server/data_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/file_system.h"
#include "engine/file_text.h"

namespace statecpp {
namespace {

// An instance has some hundred bytes, and daprd sends 4 MiB at most.
constexpr size_t kMaxInstanceSize = 4 << 20;

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno == ENOTDIR) return error::NotADirectory(path);
  if (errno != EEXIST) return error::System("make the folder", path, errno);
  struct stat stat;
  if (::stat(path.c_str(), &stat) != 0) {
    return error::System("look at", path, errno);
  }
  if (!S_ISDIR(stat.st_mode)) return error::NotADirectory(path);
  return absl::OkStatus();
}

// Of the folder or, before it is made, of the one that it will be in: a network
// file system is left as it was.
absl::Status CheckFileSystem(const std::string& path) {
  for (const std::string& there : {path, ParentOf(path)}) {
    struct stat stat;
    if (::stat(there.c_str(), &stat) == 0) return CheckLocalFileSystem(there);
  }
  return absl::OkStatus();  // it cannot be made, which is another error
}

// Gives a file or a folder in that of `root` to the owner of that, who may have
// put another there by now: neither a link, nor one that has other names.
absl::Status GiveToOwnerOf(int root, const struct stat& owner,
                           const std::string& path, const char* name) {
  const std::string file = absl::StrCat(path, "/", name);
  const int fd =
      openat(root, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return error::System("open", file, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat found;
  if (fstat(fd, &found) != 0) return error::System("look at", file, errno);
  if (!S_ISDIR(found.st_mode) && found.st_nlink != 1) {
    return error::System("give to its owner", file, EMLINK);
  }
  // A root that may give nothing away, as in some containers, keeps it.
  if (fchown(fd, owner.st_uid, owner.st_gid) != 0 && errno != EPERM &&
      errno != EINVAL) {
    return error::System("give to its owner", file, errno);
  }
  return absl::OkStatus();
}

// What root makes in the data root of another, where no server runs, that one
// has to be able to open.
absl::Status GiveToOwner(const std::string& path,
                         const std::vector<const char*>& made) {
  if (geteuid() != 0 || made.empty()) return absl::OkStatus();
  const int root = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return error::System("open", path, errno);
  const absl::Cleanup close_root = [root] { close(root); };
  struct stat owner;
  if (fstat(root, &owner) != 0) return error::System("look at", path, errno);
  if (owner.st_uid == geteuid()) return absl::OkStatus();
  for (const char* name : made) {
    const absl::Status given = GiveToOwnerOf(root, owner, path, name);
    if (!given.ok()) return given;
  }
  return absl::OkStatus();
}

// Of the names of what is to be in the data root, those that are not there.
std::vector<const char*> Missing(const std::string& path) {
  std::vector<const char*> missing;
  for (const char* name : {"LOCK", "stores", "instances"}) {
    struct stat ignored;
    const std::string file = absl::StrCat(path, "/", name);
    if (lstat(file.c_str(), &ignored) != 0) missing.push_back(name);
  }
  return missing;
}

// `path` is a file of its own then, with the owner and the mode that `former`
// has if that is there: root may write it, in a folder that is the server's,
// where no server runs, and does not write to where a link there leads.
absl::Status WriteAndSync(const std::string& path, const std::string& former,
                          absl::string_view text) {
  unlink(path.c_str());  // one that was left
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return error::System("create", path, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (access(former.c_str(), F_OK) == 0) {
    const absl::Status given = TakeOwnerAndMode(former, path, fd);
    if (!given.ok()) return given;
  }
  const ssize_t written = write(fd, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return error::System("write", path, written < 0 ? errno : ENOSPC);
  }
  if (fsync(fd) != 0) return error::System("sync", path, errno);
  return absl::OkStatus();
}

std::string InstancePath(absl::string_view root, absl::string_view file_name) {
  return absl::StrCat(root, "/instances/", file_name, ".json");
}

}  // namespace

absl::StatusOr<DataRoot> DataRoot::Open(const std::string& path,
                                        absl::Duration lock_timeout,
                                        bool allow_network_file_system) {
  if (!allow_network_file_system) {
    if (const absl::Status local = CheckFileSystem(path); !local.ok()) {
      return local;
    }
  }
  if (const absl::Status made = MakeFolder(path); !made.ok()) return made;
  const std::vector<const char*> missing = Missing(path);
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(path + "/LOCK", lock_timeout);
  if (!lock.ok()) return lock.status();
  for (const char* folder : {"/stores", "/instances"}) {
    if (const absl::Status made = MakeFolder(path + folder); !made.ok()) {
      return made;
    }
  }
  if (const absl::Status given = GiveToOwner(path, missing); !given.ok()) {
    return given;
  }
  // The folders must outlive a power cut as what is written into them does.
  for (const std::string& folder : {path, ParentOf(path)}) {
    if (const absl::Status synced = SyncPath(folder); !synced.ok()) {
      return synced;
    }
  }
  return DataRoot(path, *std::move(lock));
}

std::string DataRoot::StorePath(absl::string_view folder_name) const {
  return absl::StrCat(path_, "/stores/", folder_name);
}

absl::StatusOr<std::optional<std::string>> DataRoot::ReadInstanceIn(
    const std::string& root, absl::string_view file_name) {
  const std::string path = InstancePath(root, file_name);
  absl::StatusOr<std::string> text = ReadStartOf(path, kMaxInstanceSize + 1);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  if (text->size() > kMaxInstanceSize) {
    return error::NotLookedAt(
        path, absl::StrCat("it has more than ", kMaxInstanceSize, " bytes"));
  }
  return *std::move(text);
}

absl::StatusOr<std::vector<std::string>> DataRoot::ListInstancesIn(
    const std::string& root) {
  const std::string folder = root + "/instances";
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end;
       !failure && entry != end; entry.increment(failure)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() == ".json") names.push_back(path.stem());
  }
  if (failure) return error::System("list", folder, failure.value());
  return names;
}

absl::StatusOr<std::vector<std::string>> DataRoot::ListStores() const {
  const std::string folder = path_ + "/stores";
  std::vector<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end;
       !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename();
    // One that is being made begins with a dot.
    if (!absl::StartsWith(name, ".")) names.push_back(name);
  }
  if (failure) return error::System("list", folder, failure.value());
  return names;
}

absl::Status DataRoot::WriteInstance(absl::string_view file_name,
                                     absl::string_view text) const {
  const std::string path = InstancePath(path_, file_name);
  const std::string aside = path + ".tmp";
  const absl::Status written = WriteAndSync(aside, path, text);
  if (!written.ok()) {
    unlink(aside.c_str());
    return written;
  }
  if (rename(aside.c_str(), path.c_str()) != 0) {
    return error::System("replace", path, errno);
  }
  return SyncPath(path_ + "/instances");
}

}  // namespace statecpp
