// SPDX-License-Identifier: Apache-2.0
#include "cli/keygen.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "crypto/key_text.h"
#include "crypto/secret.h"
#include "crypto/secret_bytes.h"

namespace statecpp {
namespace {

constexpr char kStandardOutput[] = "-";

constexpr char kKeepACopy[] =
    "Keep a copy of the key in another place: without it nobody can read the "
    "data.\n";

// 0, or an error number.
int WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(written);
  }
  return 0;
}

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

// Writes a file that is not there yet, to the disk; whoever is killed meanwhile
// leaves no half key under its name. 0, or an error number; then there is no
// file, unless EEXIST.
int WriteNewFile(const std::string& path, absl::string_view text) {
  std::string aside = path + ".XXXXXX";
  const int fd = mkostemp(aside.data(), O_CLOEXEC);
  if (fd < 0) return errno;
  int error_number = WriteAll(fd, text);
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

ExitCode ReportFailure(const std::string& path, int error_number) {
  if (error_number == EEXIST) {
    std::cerr << "statecpp: " << path
              << " exists already, and may be the only copy of a key; nothing "
                 "was written; name another file, or move that one away\n";
    return kExitConflict;
  }
  std::cerr << "statecpp: could not write a key to " << path << ": "
            << std::strerror(error_number) << "; nothing is there now\n";
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENAMETOOLONG:
    case ELOOP:
      return kExitUsage;
    default:
      return kExitIo;
  }
}

ExitCode Keygen(const std::string& path) {
  const SecretBytes key = KeyAsText(Secret::Random());
  if (path == kStandardOutput) {
    const int error_number = WriteAll(STDOUT_FILENO, key.RevealText());
    if (error_number != 0)
      return ReportFailure("standard output", error_number);
    std::cerr << kKeepACopy;
    return kExitOk;
  }
  const int error_number = WriteNewFile(path, key.RevealText());
  if (error_number != 0) return ReportFailure(path, error_number);
  std::error_code ignored;  // then as it was given
  const std::string whole = std::filesystem::absolute(path, ignored);
  const std::string& shown = whole.empty() ? path : whole;
  std::cout << "Wrote a new key to " << shown << ", which only you can read.\n"
            << "Serve with it:  statecpp serve --data-root DIR --key-file "
            << shown << "\n"
            << kKeepACopy;
  return kExitOk;
}

}  // namespace

void AddKeygen(VerbTable& verbs) {
  auto path = std::make_shared<std::string>();
  CLI::App* const keygen =
      verbs.Add("keygen", "Make a new key, in a file of its own",
                [path] { return Keygen(*path); });
  keygen
      ->add_option("FILE", *path,
                   "File to write, which must not exist; - is standard output")
      ->required()
      ->check(CLI::Validator(
          [](const std::string& text) {
            return text.empty() ? "must not be empty" : "";
          },
          ""))
      ->type_name("");
}

}  // namespace statecpp
