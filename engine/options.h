// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_OPTIONS_H_
#define STATECPP_ENGINE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/master_key.h"
#include "engine/clock.h"

namespace statecpp {

// How to open a Store. Only `path` has no default.
struct Options {
  // A folder of the store's own, made with the store. Its parent must exist,
  // on a local file system.
  std::string path = "";

  // Opens a store that is there, and nothing else, when false.
  bool create = true;

  // The keys that open the store. A store that is made is sealed under the
  // first of them. Null: the store is plain, its records stand in clear.
  std::shared_ptr<const MasterKeys> keys = nullptr;

  // Bytes that records and their index may take. The file grows as it is used
  // and may be larger by a reserve that only deletes use. May be larger than
  // last time, never smaller than what is in use.
  uint64_t max_size = uint64_t{10} << 30;

  // How long Open waits for another process to let go of the store.
  absl::Duration lock_timeout = absl::ZeroDuration();

  // How often expired items are removed; zero or less: never. They are
  // invisible either way.
  absl::Duration cleanup_interval = absl::Minutes(1);

  // Writes that may wait for the commit thread; past either bound a write is
  // refused at once with RESOURCE_EXHAUSTED.
  size_t max_queued_writes = 65536;
  size_t max_queued_bytes = size_t{256} << 20;

  // Opens a store on NFS, SMB, 9p or FUSE, where LMDB's locks and maps are not
  // safe.
  bool allow_network_file_system = false;

  // Called with a sentence an operator should read (a volatile file system, a
  // stale reader cleared). From any thread.
  std::function<void(absl::string_view)> on_warning = nullptr;

  // Called once, from any thread, when a sync or the write after it failed.
  // What is on disk is then unknown until the store is opened again; every
  // later call answers UNAVAILABLE. The program should end itself, when what it
  // has answered is out.
  std::function<void(const absl::Status&)> on_failed = nullptr;

  // Called when LMDB finds its own structures broken. The process ends when
  // this returns; it is the place to choose an exit code and to log.
  void (*on_assertion)(const char* text) = nullptr;

  Clock* clock = &Clock::System();
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_OPTIONS_H_
