// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_POWER_RECORDER_H_
#define STATECPP_TESTS_POWER_RECORDER_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "tests/power/recording.h"

namespace statecpp {

// Records what this process does to one folder. The binary that this is linked
// into has the C library's writing functions from recorded_calls.cc, so every
// library of the process calls those.
//
//   Recorder::Get().Start(folder);
//   ... a store is made and written to ...
//   const Recording recording = Recorder::Get().Stop();
//
// One folder at a time. The functions are thread-safe: calls come one after the
// other while it records, in the order in which they stand in the recording.
//
// Not seen: writes through a map of memory. LMDB has one of lock.mdb only,
// whose bytes no store reads again after the machine was down.
class Recorder {
 public:
  static Recorder& Get();

  void Start(const std::string& folder);
  Recording Stop();

  // How many events there are by now.
  size_t position();

  // What goes wrong with one of the calls to come.
  enum class Fault {
    kDataWrite,         // EIO, nothing was written
    kSync,              // EIO of an fdatasync
    kSyncedWrite,       // EIO of an O_DSYNC write; the cache has the bytes
    kSyncedWriteUnmet,  // the same, and the cache does not have them
    // As kSyncedWrite, and the process ends there: nothing is written after it.
    kSyncedWriteAndEnd,
  };
  // The next such call on a file of that name fails, once.
  void FailNext(Fault fault, std::string file_name);
  // Whether it did. What comes now is another process.
  bool Restart();

  // For recorded_calls.cc. Each does the call, and returns what it returned.
  // With O_CREAT among the flags.
  int Create(const std::string& path, int flags, mode_t mode);
  // Without an offset: where the descriptor stands.
  ssize_t Write(int fd, const iovec* parts, int count,
                std::optional<off_t> offset);
  int Resize(int fd, off_t size);
  int Allocate(int fd, int mode, off_t offset, off_t size);
  int Sync(int fd, bool data_only);
  int Rename(const std::string& from, const std::string& to, unsigned flags);
  int Remove(const std::string& path, bool is_folder);
  int MakeFolder(const std::string& path, mode_t mode);
  char* MakeUniqueFolder(char* path);

 private:
  Recorder() = default;

  using Inode = std::pair<dev_t, ino_t>;

  bool IsBelow(absl::string_view path) const;
  void Snapshot(const std::string& path, NodeId folder);
  NodeId Add(const std::string& path, bool is_folder);
  NodeId Find(int fd) const;
  NodeId Find(const std::string& path) const;
  NameChange NameOf(const std::string& path, NodeId node) const;
  void AddNames(std::vector<NameChange> names);
  bool Fails(Fault fault, NodeId node);

  std::atomic<bool> on_ = false;
  // Held for the length of a call that is recorded.
  std::mutex mutex_;
  std::string root_;
  std::map<Inode, NodeId> known_;
  Recording recording_;
  std::optional<std::pair<Fault, std::string>> fault_;
  bool has_ended_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_POWER_RECORDER_H_
