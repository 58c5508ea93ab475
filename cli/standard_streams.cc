// SPDX-License-Identifier: Apache-2.0
#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

namespace statecpp {
namespace {

void OpenWhatIsClosed() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // Takes the lowest number that is free, which is this one.
    open("/dev/null", O_RDONLY);
  }
}

}  // namespace

// Hands everything on, and keeps the first error: of a stream one learns only
// that something failed at some time.
class StandardStreams::WatchedBuffer final : public std::streambuf {
 public:
  explicit WatchedBuffer(std::streambuf* inner) : inner_(inner) {}

  // 0: none.
  int error_number() const { return error_number_; }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return c;
    errno = 0;
    const int_type put = inner_->sputc(traits_type::to_char_type(c));
    Note(!traits_type::eq_int_type(put, traits_type::eof()));
    return put;
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    errno = 0;
    const std::streamsize put = inner_->sputn(text, size);
    Note(put == size);
    return put;
  }
  int sync() override {
    errno = 0;
    const int synced = inner_->pubsync();
    Note(synced == 0);
    return synced;
  }

 private:
  void Note(bool done) {
    if (!done && error_number_ == 0) error_number_ = errno;
  }

  std::streambuf* const inner_;
  int error_number_ = 0;
};

StandardStreams::StandardStreams() : unwatched_(std::cout.rdbuf()) {
  OpenWhatIsClosed();
  watched_ = std::make_unique<WatchedBuffer>(unwatched_);
  std::cout.rdbuf(watched_.get());
}

StandardStreams::~StandardStreams() { std::cout.rdbuf(unwatched_); }

ExitCode StandardStreams::End(ExitCode code) {
  if (std::cout.flush()) return code;
  std::cerr << "statecpp: could not write to standard output: "
            << std::strerror(watched_->error_number())
            << "; the output is incomplete"
            << (code == kExitOk ? ", and all else was done\n" : "\n");
  return code == kExitOk ? kExitIo : code;
}

}  // namespace statecpp
