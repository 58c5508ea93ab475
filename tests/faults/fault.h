// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_FAULT_H_
#define STATECPP_TESTS_FAULTS_FAULT_H_

#include <atomic>
#include <cstdint>
#include <string>

namespace statecpp {

// What is done to a call that a program makes to the system.
struct Fault {
  enum class Kind {
    kNone,        // calls are counted only
    kEio,         // it fails and does nothing; mmap with ENOMEM
    kEnospc,      // the same, of calls that take room on a disk
    kLateEio,     // it is made, and says EIO: a sync, or a write that is one
    kShort,       // half is written or read, and the call says so
    kKillBefore,  // SIGKILL, and the call was not made
    kKillWithin,  // SIGKILL when the first pages of a large write are written
    kKillAfter,   // SIGKILL, and the call was made
    kSwallow,     // sabotage: a write or sync that does nothing and says it did
  };

  Kind kind = Kind::kNone;
  // Every call from that one on, instead of one.
  bool sticky = false;
  // Which call, from 1, of those that this can be done to.
  uint64_t at = 0;

  bool kills() const {
    return kind == Kind::kKillBefore || kind == Kind::kKillWithin ||
           kind == Kind::kKillAfter;
  }
};

std::string NameOf(Fault::Kind kind);

// As "EIO sticky 7".
std::string Describe(const Fault& fault);

// What the calls came to. Lies in memory that outlives the process.
struct CallRecord {
  static constexpr uint64_t kTraced = 256;
  static constexpr int kLine = 96;

  // Calls that the fault can be done to, and those that it was done to.
  std::atomic<uint64_t> calls;
  std::atomic<uint64_t> failed;
  // Of data.mdb a sync, or a write that is one, failed with EIO.
  std::atomic<bool> sync_failed;
  // What the first of them were, as "fdatasync store/data.mdb".
  char trace[kTraced][kLine];
};

// Has this process's calls on files below a folder counted, over all threads,
// and failed as the fault says: those of this program, of the C++ library and
// of LMDB alike (c_library.cc). What the C library calls by itself is not seen:
// opendir, realpath.
//
//   FailCalls("/dev/shm/x", {Fault::Kind::kEio, false, 3}, record);
//   ... the third call fails ...
//   LeaveCalls();
//
// Neither while another thread is in a call.
void FailCalls(const std::string& folder, const Fault& fault,
               CallRecord& record);
void LeaveCalls();

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_FAULT_H_
