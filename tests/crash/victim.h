// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CRASH_VICTIM_H_
#define STATECPP_TESTS_CRASH_VICTIM_H_

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

extern char** environ;

namespace statecpp {

// A program that a test starts and that is to die by SIGKILL: by Kill(), or by
// itself, at a fail point (engine/fail_point.h) of a program that has some.
class Victim {
 public:
  // `words` are the program and its arguments, `variables` are NAME=VALUE on
  // top of this process's environment.
  explicit Victim(std::vector<std::string> words,
                  std::vector<std::string> variables = {})
      : program_(words.front()) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // The first of two of one name counts.
    std::vector<char*> environment;
    for (std::string& pair : variables) environment.push_back(pair.data());
    for (char** pair = environ; *pair != nullptr; ++pair) {
      environment.push_back(*pair);
    }
    environment.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, program_.c_str(), nullptr, nullptr,
                          arguments.data(), environment.data()),
              0)
        << program_;
  }

  ~Victim() {
    if (pid_ > 0) {
      Kill();
      Await();
    }
  }

  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  void Kill() { kill(pid_, SIGKILL); }

  // How it ended: "killed", "exit code 1", "signal 6"; if it does not end in
  // time, "still running", and it was killed for that.
  std::string Await(absl::Duration patience = absl::Minutes(1)) {
    const absl::Time deadline = absl::Now() + patience;
    int status = 0;
    bool in_time = true;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (in_time && absl::Now() > deadline) {
        in_time = false;
        Kill();
      }
      absl::SleepFor(absl::Microseconds(100));
    }
    pid_ = 0;
    if (!in_time) return "still running";
    if (WIFEXITED(status)) {
      return absl::StrCat("exit code ", WEXITSTATUS(status));
    }
    if (WTERMSIG(status) == SIGKILL) return "killed";
    return absl::StrCat("signal ", WTERMSIG(status));
  }

 private:
  const std::string program_;
  pid_t pid_ = 0;
};

// For Victim's `variables`.
inline std::string AtFailPoint(absl::string_view name, int passage) {
  return absl::StrCat("STATECPP_FAIL_POINT=", name, ":", passage);
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_CRASH_VICTIM_H_
