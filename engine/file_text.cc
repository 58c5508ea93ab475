// SPDX-License-Identifier: Apache-2.0
#include "engine/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "engine/errors.h"

namespace statecpp {

absl::StatusOr<std::string> ReadStartOf(const std::string& file, size_t size) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return error::System("open", file, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat info;
  if (fstat(fd, &info) != 0) return error::System("look at", file, errno);
  if (S_ISDIR(info.st_mode)) return error::System("read", file, EISDIR);
  if (!S_ISREG(info.st_mode)) {
    return error::NotLookedAt(file, "it is a pipe or a device");
  }
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = read(fd, text.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error::System("read", file, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  text.resize(done);
  return text;
}

}  // namespace statecpp
