// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_HELD_STORE_H_
#define STATECPP_TESTS_PROGRAM_HELD_STORE_H_

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace statecpp {

// Holds a store as another process would, while it lives: an Init that asks for
// it waits, and so does every call whose instance has to be recalled, for these
// are served in turn. So a test keeps a call in the server's hands for as long
// as it likes.
class HeldStore {
 public:
  explicit HeldStore(const std::string& folder,
                     absl::string_view holder = "pid 1 on elsewhere")
      : fd_(open((folder + "/LOCK").c_str(), O_RDWR | O_CLOEXEC)) {
    EXPECT_EQ(flock(fd_, LOCK_EX | LOCK_NB), 0) << folder;
    EXPECT_EQ(ftruncate(fd_, 0), 0);
    EXPECT_EQ(pwrite(fd_, holder.data(), holder.size(), 0),
              static_cast<ssize_t>(holder.size()));
  }
  ~HeldStore() { Release(); }

  HeldStore(const HeldStore&) = delete;
  HeldStore& operator=(const HeldStore&) = delete;

  void Release() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_HELD_STORE_H_
