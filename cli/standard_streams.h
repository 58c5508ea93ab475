// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_STANDARD_STREAMS_H_
#define STATECPP_CLI_STANDARD_STREAMS_H_

#include <memory>
#include <streambuf>

#include "cli/exit_code.h"

namespace statecpp {

// What main has around a verb, so that none has to look after its output:
//
//   StandardStreams streams;
//   return streams.End(verb());
class StandardStreams {
 public:
  // Before anything is opened. Opens those of the descriptors 0, 1 and 2 that
  // whoever started this process has closed: what a verb opens, such as a
  // store, would otherwise come to stand there, and be written to by whatever
  // prints. They stay as good as closed: to write to one is an error.
  //
  // From now on notes why std::cout could not be written.
  StandardStreams();
  ~StandardStreams();

  StandardStreams(const StandardStreams&) = delete;
  StandardStreams& operator=(const StandardStreams&) = delete;

  // Writes out what was printed; returns what to exit with instead of `code`:
  // kExitIo, if it said kExitOk and not all of the output could be written.
  // Standard error has a line about it then, whatever the code.
  ExitCode End(ExitCode code);

 private:
  class WatchedBuffer;

  std::unique_ptr<WatchedBuffer> watched_;
  std::streambuf* const unwatched_;
};

}  // namespace statecpp

#endif  // STATECPP_CLI_STANDARD_STREAMS_H_
