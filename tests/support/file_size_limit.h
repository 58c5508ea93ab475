// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_FILE_SIZE_LIMIT_H_
#define STATECPP_TESTS_SUPPORT_FILE_SIZE_LIMIT_H_

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace statecpp {

// No file of this process grows past `bytes` until this ends.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) {
    // A write past the limit is then an error and not a signal.
    former_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &former_);
    rlimit limit = former_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &former_);
    std::signal(SIGXFSZ, former_handler_);
  }

  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit former_;
  void (*former_handler_)(int);
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_FILE_SIZE_LIMIT_H_
