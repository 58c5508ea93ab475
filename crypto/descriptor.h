// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_DESCRIPTOR_H_
#define STATECPP_CRYPTO_DESCRIPTOR_H_

#include <unistd.h>

namespace statecpp {

// Closes a file descriptor when it goes.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_DESCRIPTOR_H_
