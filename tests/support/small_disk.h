// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_SMALL_DISK_H_
#define STATECPP_TESTS_SUPPORT_SMALL_DISK_H_

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/support/temp_dir.h"

namespace statecpp {

// A file system of its own and of a few megabytes, which a test can fill. It is
// mounted in a mount namespace of this process, and so goes with it.
class SmallDisk {
 public:
  enum class Kind { kTmpfs, kExt4 };

  // Call before the test starts threads. The error says why it cannot be done
  // here.
  static absl::StatusOr<std::unique_ptr<SmallDisk>> Mount(Kind kind, int mib) {
    if (geteuid() != 0) {
      return absl::PermissionDeniedError("only root may mount");
    }
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      return absl::PermissionDeniedError(absl::StrCat(
          "no mount namespace of its own: ", std::strerror(errno)));
    }
    std::unique_ptr<SmallDisk> disk(new SmallDisk);
    const absl::Status mounted =
        kind == Kind::kTmpfs ? disk->MountTmpfs(mib) : disk->MountExt4(mib);
    if (!mounted.ok()) return mounted;
    disk->mounted_ = true;
    return disk;
  }

  ~SmallDisk() {
    if (mounted_) umount2(point_.path().c_str(), MNT_DETACH);
  }

  std::string Path(absl::string_view name) const { return point_.Path(name); }

  // Takes what is left, but for about so many bytes, by a file of no use.
  void FillUpTo(uint64_t left) const {
    const int fd = open(Path("ballast").c_str(), O_CREAT | O_WRONLY, 0600);
    for (uint64_t step = uint64_t{1} << 20; step >= 4096;) {
      const off_t end = lseek(fd, 0, SEEK_END);
      if (Free() < left + step || posix_fallocate(fd, end, step) != 0) {
        step /= 2;
      }
    }
    close(fd);
  }
  void DropBallast() const { unlink(Path("ballast").c_str()); }

  uint64_t Free() const {
    struct statvfs space;
    if (statvfs(point_.path().c_str(), &space) != 0) return 0;
    return uint64_t{space.f_bavail} * space.f_frsize;
  }

 private:
  SmallDisk() = default;

  absl::Status MountTmpfs(int mib) {
    if (mount("none", point_.path().c_str(), "tmpfs", 0,
              absl::StrCat("size=", mib, "m").c_str()) != 0) {
      return absl::UnavailableError(
          absl::StrCat("no tmpfs: ", std::strerror(errno)));
    }
    return absl::OkStatus();
  }

  absl::Status MountExt4(int mib) {
    const std::string image = image_.Path("disk");
    const std::string command =
        absl::StrCat("PATH=$PATH:/usr/sbin:/sbin; truncate -s ", mib, "M ",
                     image, " && mkfs.ext4 -q -F -m 0 ", image,
                     " && mount -o loop ", image, " ", point_.path(), " 2>&1");
    if (std::system(command.c_str()) != 0) {
      return absl::UnavailableError("no ext4 on a loop device");
    }
    return absl::OkStatus();
  }

  const TempDir image_;
  const TempDir point_;
  bool mounted_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_SMALL_DISK_H_
