// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_RUN_RECORD_H_
#define STATECPP_TESTS_FAULTS_RUN_RECORD_H_

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/faults/fault.h"

namespace statecpp {

// What can be seen of a store, by names: "item a", "slot test". See
// stored_facts.h.
using Facts = std::map<std::string, std::string>;

// What an operation was answered, or one of its writes.
enum class Answer : int {
  kNone,   // the process ended first
  kYes,    // OK: it is there, and stays
  kNo,     // it is not there
  kMaybe,  // either
};

// One run, in memory shared by the process that makes it, which may be killed,
// and the one that judges it.
struct RunRecord {
  static constexpr int kWrites = 64;

  CallRecord calls;

  // The operation's answer, and the status that gave it.
  std::atomic<Answer> answer;
  char status[300];
  // Of its writes, those that have an answer of their own or an ETag.
  struct Write {
    char key[24];
    Answer answer;
    uint64_t etag;
  };
  std::atomic<int> write_count;
  Write writes[kWrites];

  // Options::on_failed was called so often.
  std::atomic<int> stopped;
  // The first thing that no store may do.
  char complaint[600];

  // Facts, as PutFacts leaves them: of the store while it was still open, and
  // of the one that was opened again.
  char live[16384];
  char found[16384];

  void Complain(absl::string_view what) {
    if (complaint[0] != '\0') return;
    std::snprintf(complaint, sizeof(complaint), "%.*s",
                  static_cast<int>(what.size()), what.data());
  }
};

static_assert(std::atomic<uint64_t>::is_always_lock_free &&
                  std::atomic<Answer>::is_always_lock_free,
              "the record is shared between processes");

void PutFacts(const Facts& facts, char (&text)[16384]);
Facts TakeFacts(const char (&text)[16384]);

// Gives a record of zeroes back to the system at its end.
struct RunRecordDeleter {
  void operator()(RunRecord* record) const {
    munmap(record, sizeof(RunRecord));
  }
};
using SharedRunRecord = std::unique_ptr<RunRecord, RunRecordDeleter>;

inline SharedRunRecord NewRunRecord() {
  void* const memory = mmap(nullptr, sizeof(RunRecord), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return SharedRunRecord(static_cast<RunRecord*>(memory));
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_RUN_RECORD_H_
