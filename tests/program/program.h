// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_PROGRAM_H_
#define STATECPP_TESTS_PROGRAM_PROGRAM_H_

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace statecpp {

// How long a test waits for what must happen. Nothing comes near it on a
// machine that is merely busy.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

// A user id that is neither root's nor, as a rule, anybody's.
inline constexpr uid_t kNobody = 65534;

// Waits for what no event announces; false, and a failed test, if it does not
// come true.
bool AwaitTrue(const std::function<bool()>& condition);

// Where Bazel keeps a file that a test names in its `data`.
std::string RunfilePath(absl::string_view name);

struct ProgramOptions {
  std::vector<std::string> arguments;
  // NAME=value; the process has no other variables.
  std::vector<std::string> environment = {};
  std::string working_folder = "/";
  // A file that it has for its standard input; else it has the test's.
  std::string input_file = "";
  // What it has for its standard output, such as /dev/full; else what is
  // printed is collected.
  std::string output_file = "";
  // Standard error is a terminal, and collected.
  bool error_terminal = false;
  // Standard streams that it starts without: {STDOUT_FILENO} is `>&-`.
  std::vector<int> closed = {};
  // Run as this user. Needs root outside of Bazel's sandbox.
  std::optional<uid_t> uid = std::nullopt;
  // What `ulimit` sets, soft and hard: {{RLIMIT_NOFILE, 60}}.
  std::map<decltype(RLIMIT_NOFILE), rlim_t> limits = {};
  // If not empty, nothing but these folders can be written, as where a
  // container's root is read-only. Needs root outside of Bazel's sandbox.
  std::vector<std::string> writable = {};
  // What of the system's calls it is allowed (seccomp_profile.h); if not empty,
  // it can gain no privileges either.
  std::vector<sock_filter> call_filter = {};
};

// One process of the real `statecpp`, and what it prints.
//
//   Program program({.arguments = {"serve", "--dev"}});
//   ASSERT_TRUE(program.AwaitLog("ready"));
//   program.Signal(SIGTERM);
//   EXPECT_EQ(program.Wait(), 0) << program.err();
//
// Killed, if it still runs, with this object, and with the thread that made it.
// Thread-safe.
class Program {
 public:
  explicit Program(const ProgramOptions& options);
  ~Program();

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }

  // Does nothing once the process has ended.
  void Signal(int signal) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until standard error holds `text`, `times` times; false, and a failed
  // test, if it ends or takes too long without.
  bool AwaitLog(absl::string_view text, int times = 1)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for the end: the exit code, 128 + N after signal N, and -1 with a
  // failed test if it does not come (the process is killed then).
  int Wait(absl::Duration patience = kPatience) ABSL_LOCKS_EXCLUDED(mutex_);

  bool running() ABSL_LOCKS_EXCLUDED(mutex_);
  // What was printed until now.
  std::string out() ABSL_LOCKS_EXCLUDED(mutex_);
  std::string err() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Collects the output until both ends are closed, then the exit.
  void Watch(int out_fd, int err_fd);

  pid_t pid_ = -1;
  absl::Mutex mutex_;
  std::string out_ ABSL_GUARDED_BY(mutex_);
  std::string err_ ABSL_GUARDED_BY(mutex_);
  std::optional<int> exit_code_ ABSL_GUARDED_BY(mutex_);
  std::thread watcher_;
};

// Runs a verb that ends by itself: `RunToEnd({.arguments = {"version"}})`.
struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};
Outcome RunToEnd(const ProgramOptions& options);

// Whether `Program` can run as another user here.
bool CanBecomeNobody();

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_PROGRAM_H_
