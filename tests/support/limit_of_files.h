// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_LIMIT_OF_FILES_H_
#define STATECPP_TESTS_SUPPORT_LIMIT_OF_FILES_H_

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace statecpp {

// As long as it lives this process can open no file: for errors of the system
// that say nothing about a file.
class LimitOfFiles {
 public:
  LimitOfFiles() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &former_), 0);
    rlimit none = former_;
    none.rlim_cur = 0;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~LimitOfFiles() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &former_), 0); }
  LimitOfFiles(const LimitOfFiles&) = delete;
  LimitOfFiles& operator=(const LimitOfFiles&) = delete;

 private:
  rlimit former_ = {};
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_LIMIT_OF_FILES_H_
