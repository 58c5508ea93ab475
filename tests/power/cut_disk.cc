// SPDX-License-Identifier: Apache-2.0
#include "tests/power/cut_disk.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

// The same for ext4 and xfs: linux/ext4.h, xfs_fs.h.
constexpr unsigned long kShutDown = _IOR('X', 125, uint32_t);
constexpr uint32_t kWithoutLog = 2;

// The least that xfs takes; the disk is a file with holes.
constexpr int kMib = 300;

absl::Status Failed(absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CutDisk>> CutDisk::Make(const Kind& kind) {
  if (geteuid() != 0) {
    return absl::PermissionDeniedError("only root may mount");
  }
  if (unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Failed("have a mount namespace of its own");
  }
  std::unique_ptr<CutDisk> disk(new CutDisk(kind));
  absl::Status made = disk->MakeImage();
  if (made.ok()) made = disk->AttachLoop();
  if (made.ok()) made = disk->Mount();
  if (!made.ok()) return made;
  return disk;
}

CutDisk::~CutDisk() {
  if (mounted_) umount2(point_.path().c_str(), MNT_DETACH);
  // The last to close a loop device detaches it.
  if (device_fd_ >= 0) close(device_fd_);
}

absl::Status CutDisk::MakeImage() {
  const std::string image = image_.Path("disk");
  const absl::string_view make =
      kind_.type == "xfs" ? "mkfs.xfs -q -f" : "mkfs.ext4 -q -F -m 0 -J size=8";
  const std::string command =
      absl::StrCat("PATH=$PATH:/usr/sbin:/sbin; truncate -s ", kMib, "M ",
                   image, " && ", make, " ", image, " > /dev/null 2>&1");
  if (std::system(command.c_str()) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot make a file system: mkfs.", kind_.type, " failed"));
}

absl::Status CutDisk::AttachLoop() {
  const int image = open(image_.Path("disk").c_str(), O_RDWR | O_CLOEXEC);
  const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  loop_config config = {};
  config.fd = static_cast<uint32_t>(image);
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  // Another process may take the free one first.
  for (int attempt = 0; attempt < 20 && device_fd_ < 0; ++attempt) {
    const int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) break;
    device_ = absl::StrCat("/dev/loop", number);
    const int fd = open(device_.c_str(), O_RDWR | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
      device_fd_ = fd;
    } else if (fd >= 0) {
      close(fd);
    }
  }
  const absl::Status attached =
      device_fd_ >= 0 ? absl::OkStatus() : Failed("attach a loop device");
  if (control >= 0) close(control);
  close(image);
  return attached;
}

absl::Status CutDisk::Mount() {
  if (mount(device_.c_str(), path().c_str(), kind_.type.c_str(), 0,
            kind_.options.c_str()) != 0) {
    return Failed(absl::StrCat("mount ", kind_.type));
  }
  mounted_ = true;
  return absl::OkStatus();
}

absl::Status CutDisk::CutPower() {
  const int fd = open(path().c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed("open the mounted folder");
  uint32_t how = kWithoutLog;
  const int result = ioctl(fd, kShutDown, &how);
  const absl::Status cut =
      result == 0 ? absl::OkStatus()
                  : Failed(absl::StrCat("shut ", kind_.type, " down"));
  close(fd);
  return cut;
}

absl::Status CutDisk::Restart() {
  // What a process that was killed had open may be in hand for a moment more.
  for (int attempt = 0; umount(path().c_str()) != 0; ++attempt) {
    if (errno != EBUSY || attempt == 1000) return Failed("unmount");
    usleep(1000);
  }
  mounted_ = false;
  return Mount();
}

}  // namespace statecpp
