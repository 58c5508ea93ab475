// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_MEMORY_DIR_H_
#define STATECPP_TESTS_SUPPORT_MEMORY_DIR_H_

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace statecpp {

// A TempDir in memory where there is such a file system: for tests of thousands
// of commits, which ask what is stored and not whether a disk was synced.
class MemoryDir {
 public:
  MemoryDir()
      : path_(access("/dev/shm", W_OK) == 0 ? "/dev/shm/statecpp-XXXXXX"
                                            : "/tmp/statecpp-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~MemoryDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  MemoryDir(const MemoryDir&) = delete;
  MemoryDir& operator=(const MemoryDir&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }

 private:
  std::string path_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_MEMORY_DIR_H_
