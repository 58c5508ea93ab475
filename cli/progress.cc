// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

constexpr absl::Duration kTerminalInterval = absl::Milliseconds(200);
constexpr absl::Duration kLogInterval = absl::Seconds(5);

// What is left is a guess.
std::string TextOfGuess(absl::Duration duration) {
  return absl::FormatDuration(absl::Ceil(duration, absl::Seconds(1)));
}

std::string TextOf(absl::Duration duration) {
  const bool is_short = duration < absl::Seconds(10);
  return absl::FormatDuration(absl::Ceil(
      duration, is_short ? absl::Milliseconds(100) : absl::Seconds(1)));
}

}  // namespace

Progress::Progress(std::string work, Options options)
    : work_(std::move(work)),
      options_(std::move(options)),
      terminal_(options_.terminal.value_or(isatty(STDERR_FILENO) == 1)) {}

Progress::~Progress() {
  if (width_ > 0) *options_.out << std::endl;
}

void Progress::Report(uint64_t done, std::optional<uint64_t> total) {
  if (options_.quiet) return;
  const absl::Duration now = options_.clock->Monotonic();
  if (!started_) {
    started_ = true;
    start_ = now;
    done_at_start_ = done;
    // In a log, the first line is worth its space once there is a rate.
    next_print_ = terminal_ ? now : now + kLogInterval;
  }
  done_ = done;
  total_ = total;
  if (now < next_print_) return;
  next_print_ = now + (terminal_ ? kTerminalInterval : kLogInterval);
  Print(Line(/*ended=*/false));
}

void Progress::Hide() {
  if (width_ == 0) return;
  *options_.out << '\r' << std::string(width_, ' ') << '\r' << std::flush;
  width_ = 0;
}

void Progress::End() {
  if (!started_) return;
  Print(Line(/*ended=*/true));
  if (terminal_) *options_.out << std::endl;
  width_ = 0;
  started_ = false;
}

std::string Progress::Line(bool ended) const {
  std::string line = absl::StrCat(work_, ": ", done_);
  if (total_.has_value()) absl::StrAppend(&line, " of ", *total_);
  absl::StrAppend(&line, " ", options_.unit);
  if (total_.has_value()) {
    const uint64_t percent =
        *total_ == 0 ? 100 : static_cast<uint64_t>(100.0 * done_ / *total_);
    absl::StrAppend(&line, " (", percent, "%)");
  }
  const absl::Duration passed = options_.clock->Monotonic() - start_;
  const double seconds = absl::ToDoubleSeconds(passed);
  const uint64_t done = done_ - std::min(done_, done_at_start_);
  const double rate = seconds > 0 ? done / seconds : 0;
  if (rate > 0) {
    absl::StrAppend(&line, ", ", std::llround(std::ceil(rate)), "/s");
  }
  if (ended) {
    absl::StrAppend(&line, ", took ", TextOf(passed));
  } else if (rate > 0 && total_.has_value() && *total_ > done_) {
    absl::StrAppend(&line, ", ",
                    TextOfGuess(absl::Seconds((*total_ - done_) / rate)),
                    " left");
  }
  return line;
}

void Progress::Print(const std::string& line) {
  if (!terminal_) {
    *options_.out << line << std::endl;
    return;
  }
  // What the former line had beyond this one is overwritten; not every terminal
  // knows how to erase.
  const size_t longer = width_ - std::min(width_, line.size());
  *options_.out << '\r' << line << std::string(longer, ' ') << std::flush;
  width_ = line.size();
}

}  // namespace statecpp
