// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

using Nonce = std::array<uint8_t, 24>;

Nonce Draw() {
  Nonce nonce;
  SystemRandom().Fill(absl::MakeSpan(nonce));
  return nonce;
}

TEST(SystemRandomTest, NeverHandsOutTheSameBytesTwice) {
  std::set<Nonce> seen;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(seen.insert(Draw()).second);
  }
}

TEST(SystemRandomTest, ServesRequestsLargerThanItsPool) {
  std::array<uint8_t, 1000> large{};
  SystemRandom().Fill(absl::MakeSpan(large));
  EXPECT_GT(std::set<uint8_t>(large.begin(), large.end()).size(), 100u);
}

// Without the fork handler both processes would go on with the same pool.
TEST(SystemRandomTest, AForkedChildSharesNoBytesWithItsParent) {
  Draw();  // leaves a half-used pool behind
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Nonce nonce = Draw();
    const ssize_t written = write(pipe_ends[1], nonce.data(), nonce.size());
    _exit(written == static_cast<ssize_t>(nonce.size()) ? 0 : 1);
  }
  Nonce from_child;
  ASSERT_EQ(read(pipe_ends[0], from_child.data(), from_child.size()),
            static_cast<ssize_t>(from_child.size()));
  int exit_status = 0;
  ASSERT_EQ(waitpid(child, &exit_status, 0), child);
  EXPECT_EQ(exit_status, 0);
  EXPECT_NE(from_child, Draw());
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace statecpp
