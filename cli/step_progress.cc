// SPDX-License-Identifier: Apache-2.0
#include "cli/step_progress.h"

#include "absl/strings/str_format.h"

namespace statecpp {

void StepProgress::Report(const std::string& step, uint64_t done,
                          uint64_t total) {
  if (progress_ == nullptr || step != step_) {
    End();
    step_ = step;
    progress_ =
        std::make_unique<Progress>(step, Progress::Options{.quiet = quiet_});
  }
  progress_->Report(done, total);
}

void StepProgress::End() {
  if (progress_ != nullptr) progress_->End();
  progress_.reset();
}

void StepProgress::Drop() { progress_.reset(); }

std::string NameOf(CopyOptions::Step step) {
  switch (step) {
    case CopyOptions::Step::kLook:
      return "looking";
    case CopyOptions::Step::kSort:
      return "sorting";
    case CopyOptions::Step::kCopy:
      return "copying";
    case CopyOptions::Step::kCheck:
      return "checking";
  }
  return "";
}

std::string NameOf(BackupRequest::Step step) {
  switch (step) {
    case BackupRequest::Step::kCopy:
      return "copying";
    case BackupRequest::Step::kFollow:
      return "following";
    case BackupRequest::Step::kCheck:
      return "checking";
  }
  return "";
}

std::string DescribeBytes(uint64_t bytes) {
  constexpr double kMebibyte = 1 << 20;
  return bytes < kMebibyte ? absl::StrFormat("%.1f KiB", bytes / 1024.0)
                           : absl::StrFormat("%.1f MiB", bytes / kMebibyte);
}

}  // namespace statecpp
