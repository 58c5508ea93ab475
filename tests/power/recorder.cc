// SPDX-License-Identifier: Apache-2.0
#include "tests/power/recorder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "absl/strings/match.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int CallRename(const std::string& from, const std::string& to, unsigned flags) {
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from.c_str(),
                                  AT_FDCWD, to.c_str(), flags));
}

int CallMakeFolder(const std::string& path, mode_t mode) {
  return static_cast<int>(syscall(SYS_mkdir, path.c_str(), mode));
}

int CallRemove(const std::string& path, bool is_folder) {
  return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path.c_str(),
                                  is_folder ? AT_REMOVEDIR : 0));
}

ssize_t CallWrite(int fd, const iovec* parts, int count,
                  std::optional<off_t> offset) {
  if (offset.has_value()) {
    return syscall(SYS_pwritev, fd, parts, count, *offset, 0);
  }
  return syscall(SYS_writev, fd, parts, count);
}

}  // namespace

// Never destroyed: the last of the process's writes come through here.
Recorder& Recorder::Get() {
  static Recorder* const recorder = new Recorder;
  return *recorder;
}

void Recorder::Start(const std::string& folder) {
  const std::lock_guard<std::mutex> lock(mutex_);
  root_ = folder;
  known_.clear();
  recording_ = {};
  fault_.reset();
  has_ended_ = false;
  Add(folder, /*is_folder=*/true);
  Snapshot(folder, kRootFolder);
  on_ = true;
}

Recording Recorder::Stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  on_ = false;
  return std::move(recording_);
}

size_t Recorder::position() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return recording_.events.size();
}

void Recorder::FailNext(Fault fault, std::string file_name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  fault_ = {fault, std::move(file_name)};
}

bool Recorder::Restart() {
  const std::lock_guard<std::mutex> lock(mutex_);
  has_ended_ = false;
  return !fault_.has_value();
}

void Recorder::Snapshot(const std::string& path, NodeId folder) {
  auto& names = recording_.folders[folder];
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string child = entry.path().string();
    const NodeId node = Add(child, entry.is_directory());
    names[entry.path().filename().string()] = node;
    if (entry.is_directory()) {
      Snapshot(child, node);
    } else {
      recording_.files[node] = ReadFile(child);
    }
  }
}

bool Recorder::IsBelow(absl::string_view path) const {
  return absl::StartsWith(path, root_) && path.size() > root_.size() &&
         path[root_.size()] == '/';
}

// Takes what is at the path for new.
NodeId Recorder::Add(const std::string& path, bool is_folder) {
  const NodeId node = static_cast<NodeId>(recording_.nodes.size());
  struct stat stat;
  if (lstat(path.c_str(), &stat) != 0) std::abort();
  known_[{stat.st_dev, stat.st_ino}] = node;
  recording_.nodes.push_back(
      {.is_folder = is_folder, .first_name = fs::path(path).filename()});
  return node;
}

NodeId Recorder::Find(int fd) const {
  struct stat stat;
  if (fstat(fd, &stat) != 0) return kNoNode;
  const auto found = known_.find({stat.st_dev, stat.st_ino});
  return found == known_.end() ? kNoNode : found->second;
}

NodeId Recorder::Find(const std::string& path) const {
  struct stat stat;
  if (lstat(path.c_str(), &stat) != 0) return kNoNode;
  const auto found = known_.find({stat.st_dev, stat.st_ino});
  return found == known_.end() ? kNoNode : found->second;
}

NameChange Recorder::NameOf(const std::string& path, NodeId node) const {
  const fs::path parts(path);
  return {.folder = Find(parts.parent_path().string()),
          .name = parts.filename().string(),
          .node = node};
}

void Recorder::AddNames(std::vector<NameChange> names) {
  recording_.events.push_back(
      {.kind = DiskEvent::Kind::kNames, .names = std::move(names)});
}

bool Recorder::Fails(Fault fault, NodeId node) {
  if (!fault_.has_value() || fault_->first != fault ||
      fault_->second != recording_.nodes[node].first_name) {
    return false;
  }
  fault_.reset();
  return true;
}

int Recorder::Create(const std::string& path, int flags, mode_t mode) {
  const auto call = [&] {
    return static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, path.c_str(), flags, mode));
  };
  if (!on_) return call();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!IsBelow(path)) return call();
  const bool was_there = access(path.c_str(), F_OK) == 0;
  const int fd = call();
  if (fd >= 0 && !was_there) {
    const NodeId node = Add(path, /*is_folder=*/false);
    AddNames({NameOf(path, node)});
  }
  return fd;
}

ssize_t Recorder::Write(int fd, const iovec* parts, int count,
                        std::optional<off_t> offset) {
  if (!on_) return CallWrite(fd, parts, count, offset);
  const std::lock_guard<std::mutex> lock(mutex_);
  const NodeId node = Find(fd);
  if (node == kNoNode) return CallWrite(fd, parts, count, offset);

  const bool is_synced = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;
  if (has_ended_ || (!is_synced && Fails(Fault::kDataWrite, node)) ||
      (is_synced && Fails(Fault::kSyncedWriteUnmet, node))) {
    errno = EIO;
    return -1;
  }
  has_ended_ = is_synced && Fails(Fault::kSyncedWriteAndEnd, node);
  const bool fails =
      has_ended_ || (is_synced && Fails(Fault::kSyncedWrite, node));

  const off_t start = offset.value_or(lseek(fd, 0, SEEK_CUR));
  const ssize_t written = CallWrite(fd, parts, count, offset);
  if (written <= 0) return written;
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  bytes.resize(written);
  recording_.events.push_back({.kind = DiskEvent::Kind::kWrite,
                               .node = node,
                               .offset = static_cast<uint64_t>(start),
                               .bytes = std::move(bytes),
                               .is_synced = is_synced && !fails,
                               .has_failed = fails});
  if (!fails) return written;
  errno = EIO;
  return -1;
}

int Recorder::Resize(int fd, off_t size) {
  const auto call = [&] {
    return static_cast<int>(syscall(SYS_ftruncate, fd, size));
  };
  if (!on_) return call();
  const std::lock_guard<std::mutex> lock(mutex_);
  const NodeId node = Find(fd);
  const int result = call();
  if (node != kNoNode && result == 0) {
    recording_.events.push_back({.kind = DiskEvent::Kind::kResize,
                                 .node = node,
                                 .offset = static_cast<uint64_t>(size)});
  }
  return result;
}

// Blocks are not seen by who reads; the size is.
int Recorder::Allocate(int fd, int mode, off_t offset, off_t size) {
  const auto call = [&] {
    return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, size));
  };
  if (!on_) return call();
  const std::lock_guard<std::mutex> lock(mutex_);
  const NodeId node = Find(fd);
  struct stat before;
  struct stat after;
  fstat(fd, &before);
  const int result = call();
  fstat(fd, &after);
  if (node != kNoNode && before.st_size != after.st_size) {
    recording_.events.push_back(
        {.kind = DiskEvent::Kind::kResize,
         .node = node,
         .offset = static_cast<uint64_t>(after.st_size)});
  }
  return result;
}

int Recorder::Sync(int fd, bool data_only) {
  const auto call = [&] {
    return static_cast<int>(syscall(data_only ? SYS_fdatasync : SYS_fsync, fd));
  };
  if (!on_) return call();
  const std::lock_guard<std::mutex> lock(mutex_);
  const NodeId node = Find(fd);
  if (node == kNoNode) return call();
  const bool fails = data_only && Fails(Fault::kSync, node);
  const int result = fails ? -1 : call();
  recording_.events.push_back(
      {.kind = fails ? DiskEvent::Kind::kFailedSync : DiskEvent::Kind::kSync,
       .node = node});
  if (fails) errno = EIO;
  return result;
}

int Recorder::Rename(const std::string& from, const std::string& to,
                     unsigned flags) {
  if (!on_) return CallRename(from, to, flags);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!IsBelow(from)) return CallRename(from, to, flags);
  const NodeId moved = Find(from);
  const NodeId other = (flags & RENAME_EXCHANGE) != 0 ? Find(to) : kNoNode;
  const int result = CallRename(from, to, flags);
  if (result == 0) AddNames({NameOf(to, moved), NameOf(from, other)});
  return result;
}

int Recorder::Remove(const std::string& path, bool is_folder) {
  if (!on_) return CallRemove(path, is_folder);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!IsBelow(path)) return CallRemove(path, is_folder);
  const int result = CallRemove(path, is_folder);
  if (result == 0) AddNames({NameOf(path, kNoNode)});
  return result;
}

int Recorder::MakeFolder(const std::string& path, mode_t mode) {
  if (!on_) return CallMakeFolder(path, mode);
  const std::lock_guard<std::mutex> lock(mutex_);
  const int result = CallMakeFolder(path, mode);
  if (result == 0 && IsBelow(path)) {
    const NodeId node = Add(path, /*is_folder=*/true);
    AddNames({NameOf(path, node)});
  }
  return result;
}

// libc's own makes its folder by a call that nobody can take the place of.
char* Recorder::MakeUniqueFolder(char* path) {
  static std::random_device device;
  char* const end = path + std::string(path).size() - 6;
  for (int attempt = 0; attempt < 100; ++attempt) {
    for (char* letter = end; *letter != '\0'; ++letter) {
      *letter = static_cast<char>('a' + device() % 26);
    }
    if (MakeFolder(path, 0700) == 0) return path;
    if (errno != EEXIST) return nullptr;
  }
  return nullptr;
}

}  // namespace statecpp
