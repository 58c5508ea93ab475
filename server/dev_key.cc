// SPDX-License-Identifier: Apache-2.0
#include "server/dev_key.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "crypto/key_text.h"
#include "crypto/secret.h"
#include "crypto/secret_bytes.h"
#include "engine/errors.h"
#include "engine/file_system.h"

namespace statecpp {
namespace {

absl::Status WriteKey(const std::string& path) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return error::System("create", path, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const SecretBytes text = KeyAsText(Secret::Random());
  const absl::string_view bytes = text.RevealText();
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) {
    return error::System("write", path, written < 0 ? errno : ENOSPC);
  }
  if (fsync(fd) != 0) return error::System("sync", path, errno);
  return absl::OkStatus();
}

}  // namespace

std::string DevKeyPath(absl::string_view data_root) {
  return absl::StrCat(data_root, "/dev.key");
}

absl::Status EnsureDevKey(const std::string& data_root) {
  const std::string path = DevKeyPath(data_root);
  if (access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  // What a crash left.
  const std::string aside = path + ".new";
  unlink(aside.c_str());
  if (absl::Status written = WriteKey(aside); !written.ok()) {
    unlink(aside.c_str());
    return written;
  }
  if (rename(aside.c_str(), path.c_str()) != 0) {
    return error::System("make", path, errno);
  }
  return SyncPath(data_root);
}

}  // namespace statecpp
