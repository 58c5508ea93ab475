// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_AS_NOBODY_H_
#define STATECPP_TESTS_SUPPORT_AS_NOBODY_H_

#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "gtest/gtest.h"

namespace statecpp {

// Runs `report` as a user whom file modes bind, in a child process, and returns
// what it returned; nullopt where this process may not change its user. Root
// may write anywhere, so as root no permission is ever refused. Call before the
// test starts threads.
inline std::optional<std::string> AsNobody(
    absl::FunctionRef<std::string()> report) {
  constexpr int kNobody = 65534;
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  EXPECT_GE(child, 0);
  if (child == 0) {
    if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) {
      _exit(1);
    }
    const std::string text = report();
    const ssize_t written = write(ends[1], text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 2);
  }
  close(ends[1]);
  std::string text;
  char part[512];
  for (ssize_t size; (size = read(ends[0], part, sizeof(part))) > 0;) {
    text.append(part, size);
  }
  close(ends[0]);
  int exit_status = 0;
  EXPECT_EQ(waitpid(child, &exit_status, 0), child);
  if (WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 1) {
    return std::nullopt;
  }
  EXPECT_EQ(exit_status, 0);
  return text;
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_AS_NOBODY_H_
