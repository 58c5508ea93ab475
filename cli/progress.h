// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_PROGRESS_H_
#define STATECPP_CLI_PROGRESS_H_

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "engine/clock.h"

namespace statecpp {

// How far a verb that takes long has come:
//
//   Progress progress("copying", {.quiet = flags->quiet});
//   for (...) progress.Report(done, total);
//   progress.End();
//
//   copying: 512000 of 1000000 records (51%), 240000/s, 3s left
//   copying: 1000000 of 1000000 records (100%), 241000/s, took 5s
//
// On a terminal it is one line that is written anew a few times a second;
// elsewhere, as in a log, a line now and then. It goes to standard error, so
// that what a verb answers can be read by programs.
//
// Without End, as when the work failed, a line that stands on the terminal is
// closed, so that what follows begins on one of its own.
//
// Thread-compatible.
class Progress {
 public:
  struct Options {
    // What is counted.
    std::string unit = "records";
    // Prints nothing at all.
    bool quiet = false;
    std::ostream* out = &std::cerr;
    // Whether `out` is a terminal; nullopt: as standard error is.
    std::optional<bool> terminal = std::nullopt;
    Clock* clock = &Clock::System();
  };

  // `work` is what is done, as a participle: "copying".
  Progress(std::string work, Options options);
  ~Progress();

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // As often as one likes; prints when it is time again. The first call says
  // where the work starts, which need not be at 0. A total of nullopt is not
  // known.
  void Report(uint64_t done, std::optional<uint64_t> total);

  // Takes the line off the terminal, so that something else can be printed
  // there. The next report puts one back.
  void Hide();

  // All is done that the last call of Report said, which is printed.
  void End();

 private:
  std::string Line(bool ended) const;
  void Print(const std::string& line);

  const std::string work_;
  const Options options_;
  const bool terminal_;

  bool started_ = false;
  absl::Duration start_;
  uint64_t done_at_start_ = 0;
  uint64_t done_ = 0;
  std::optional<uint64_t> total_;
  absl::Duration next_print_;
  // Of the line that stands on the terminal.
  size_t width_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_CLI_PROGRESS_H_
