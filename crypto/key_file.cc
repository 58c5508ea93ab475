// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "absl/strings/string_view.h"
#include "crypto/descriptor.h"
#include "crypto/errors.h"

namespace statecpp {
namespace {

absl::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

// Whoever owns a file can change it, whatever its mode.
bool IsTrusted(uid_t owner) { return owner == geteuid() || owner == 0; }

// Whether others cannot put another file in the place of this entry, which may
// be a link. An entry that is gone by now cannot be judged, and is loose.
absl::Status CheckFolder(const KeyFile& file,
                         const std::filesystem::path& entry) {
  const std::filesystem::path parent = entry.parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  struct stat of_folder;
  struct stat of_entry;
  if (stat(folder.c_str(), &of_folder) != 0 ||
      lstat(entry.c_str(), &of_entry) != 0) {
    return error::KeyFileChanging(file.description);
  }
  if ((of_folder.st_mode & S_IWOTH) == 0) return absl::OkStatus();
  if ((of_folder.st_mode & S_ISVTX) != 0 && IsTrusted(of_folder.st_uid) &&
      IsTrusted(of_entry.st_uid)) {
    return absl::OkStatus();
  }
  return error::KeyFolderLoose(file.description, folder, of_folder.st_mode);
}

// The file itself, without the links to it.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(
      realpath(path.c_str(), nullptr), &std::free);
  return real == nullptr ? path : real.get();
}

// Whether only those may read or change the file who should.
absl::Status CheckAccess(const KeyFile& file, const struct stat& opened) {
  if (!IsTrusted(opened.st_uid)) {
    return error::KeyFileOfOther(file.description, file.path, opened.st_uid,
                                 geteuid());
  }
  if ((opened.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
    return error::KeyFileLooseMode(file.description, file.path, opened.st_mode);
  }
  const std::string real = RealPath(file.path);
  absl::Status folder = CheckFolder(file, file.path);
  if (folder.ok() && real != file.path) folder = CheckFolder(file, real);
  return folder;
}

// All of a file of that size.
absl::StatusOr<SecretBytes> ReadWhole(const KeyFile& file, int fd,
                                      size_t size) {
  SecretBytes bytes(size + 1);  // one more, to see that there is no more
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t part = read(fd, bytes.data() + done, bytes.size() - done);
    if (part == 0) break;
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return error::KeyFileUnreadable(file.description, errno);
    done += part;
  }
  if (done != size) return error::KeyFileChanging(file.description);
  bytes.Truncate(size);
  return bytes;
}

}  // namespace

absl::StatusOr<SecretBytes> ReadKeyFile(const KeyFile& file) {
  const Descriptor opened(
      open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (opened.get() < 0) {
    if (errno == ENOENT) return error::KeyFileMissing(file.description);
    if (errno == ENXIO) {
      return error::KeyFileOfKind(file.description, KindOf(S_IFSOCK));
    }
    return error::KeyFileUnreadable(file.description, errno);
  }
  struct stat found;
  if (fstat(opened.get(), &found) != 0) {
    return error::KeyFileUnreadable(file.description, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return error::KeyFileOfKind(file.description, KindOf(found.st_mode));
  }
  if (static_cast<uint64_t>(found.st_size) > file.max_size) {
    return error::KeyFileTooLarge(file.description, found.st_size,
                                  file.max_size);
  }
  const absl::Status access = CheckAccess(file, found);
  if (!access.ok()) {
    if (!file.allow_loose) return access;
    if (file.on_warning) file.on_warning(error::KeyFileReadThough(access));
  }
  return ReadWhole(file, opened.get(), found.st_size);
}

}  // namespace statecpp
