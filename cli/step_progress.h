// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STEP_PROGRESS_H_
#define STATECPP_CLI_STEP_PROGRESS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "cli/progress.h"
#include "engine/backup.h"
#include "engine/store_copy.h"

namespace statecpp {

// How far a verb has come whose work is of several steps: a line for each.
//
//   StepProgress steps(flags.quiet);
//   steps.Report("copying", done, total);
//   steps.Report("checking", done, total);
//   steps.End();
//
// Thread-compatible.
class StepProgress {
 public:
  explicit StepProgress(bool quiet) : quiet_(quiet) {}

  void Report(const std::string& step, uint64_t done, uint64_t total);

  // The work is done.
  void End();
  // It failed: closes the line.
  void Drop();

 private:
  const bool quiet_;
  std::string step_;
  std::unique_ptr<Progress> progress_;
};

// As participles.
std::string NameOf(CopyOptions::Step step);
std::string NameOf(BackupRequest::Step step);

// "12.5 MiB"
std::string DescribeBytes(uint64_t bytes);

}  // namespace statecpp

#endif  // STATECPP_CLI_STEP_PROGRESS_H_
