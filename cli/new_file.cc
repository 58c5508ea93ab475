// SPDX-License-Identifier: Apache-2.0
#include "cli/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace statecpp {
namespace {

// The name of a new file is on disk when its folder is. 0, or an error number.
int SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = open(folder.empty() ? "." : folder.c_str(),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error_number = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return error_number;
}

// Gives a finished file its name, unless there is one of that name. 0, or an
// error number.
int NameFile(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                RENAME_NOREPLACE) == 0) {
    return 0;
  }
  // Some file systems know only the older way.
  if (errno == EINVAL && link(from.c_str(), to.c_str()) == 0) {
    return unlink(from.c_str()) == 0 ? 0 : errno;
  }
  return errno;
}

}  // namespace

int WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(written);
  }
  return 0;
}

int WriteNewFile(const std::string& path, absl::string_view text, mode_t mode) {
  std::string aside = path + ".XXXXXX";
  const int fd = mkostemp(aside.data(), O_CLOEXEC);
  if (fd < 0) return errno;
  int error_number = WriteAll(fd, text);
  if (error_number == 0 && fchmod(fd, mode) != 0) error_number = errno;
  if (error_number == 0 && fsync(fd) != 0) error_number = errno;
  if (close(fd) != 0 && error_number == 0) error_number = errno;
  if (error_number == 0) error_number = NameFile(aside, path);
  if (error_number != 0) {
    unlink(aside.c_str());
    return error_number;
  }
  error_number = SyncFolderOf(path);
  if (error_number != 0) unlink(path.c_str());
  return error_number;
}

}  // namespace statecpp
