// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_TEMP_DIR_H_
#define STATECPP_TESTS_SUPPORT_TEMP_DIR_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace statecpp {

// A folder of its own, removed with all that is in it. Below /tmp and not below
// the test's own folder, whose path is too long for a socket's.
class TempDir {
 public:
  TempDir() : path_("/tmp/statecpp-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }

 private:
  std::string path_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_TEMP_DIR_H_
