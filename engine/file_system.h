// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_FILE_SYSTEM_H_
#define STATECPP_ENGINE_FILE_SYSTEM_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

// INVALID_ARGUMENT: `path` is on a file system that other machines can reach as
// well (NFS, SMB, 9p, FUSE and their kin), where neither flock() nor a memory
// map is what LMDB takes it for; the text names the kind.
absl::Status CheckLocalFileSystem(const std::string& path);

// The kind of file system, if it is one that ends with the machine or the
// container ("tmpfs"); empty for all others.
absl::string_view VolatileFileSystem(const std::string& path);

// A path without those at its end.
std::string WithoutSlashes(std::string path);

// The folder that `path` is in, or will be.
std::string ParentOf(absl::string_view path);

// Bytes that this user may still write to the disk of `path`.
absl::StatusOr<uint64_t> FreeBytes(const std::string& path);

// The length of a file; 0 if there is none.
uint64_t FileSize(const std::string& path);

// Gives what is open as `fd`, and called `file`, the owner, group and mode that
// `model` has. Only root can give to another owner; and root does so in folders
// of others, who could make a name lead elsewhere meanwhile, but no descriptor.
absl::Status TakeOwnerAndMode(const std::string& model, const std::string& file,
                              int fd);

// Lets go of what the system keeps of a file in memory, as far as it is on disk
// and nobody has it mapped, so that whoever reads it next hears of the disk. A
// wish: some file systems do not know of it.
void ForgetCached(const std::string& file);

// Makes a file, or the names in a folder, durable.
absl::Status SyncPath(const std::string& path);
// The same of what is open as `fd`.
absl::Status SyncOpen(const std::string& path, int fd);

// Closes, in every program that this process starts, the descriptors by which
// it has `file` open; `fd` is one of them.
void KeepFromChildren(const std::string& file, int fd);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_FILE_SYSTEM_H_
