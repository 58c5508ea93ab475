// SPDX-License-Identifier: Apache-2.0
#include "cli/store_faults.h"

#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "absl/strings/string_view.h"
#include "cli/exit_code.h"

namespace statecpp {
namespace {

// The map's file could not be read or was cut short behind our back. Only calls
// that are safe in a signal handler.
void EndOnBusError(int) {
  constexpr absl::string_view kText =
      "statecpp: a page of the store could not be read (SIGBUS): the disk "
      "failed, or the file was truncated; nothing more was written\n";
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, kText.data(), kText.size());
  _exit(kExitIo);
}

}  // namespace

void EndOnBusErrors() { signal(SIGBUS, &EndOnBusError); }

void EndVerbOnAssertion(const char* text) {
  std::cerr << "statecpp: LMDB found its own structures broken: " << text
            << "; nothing more is written; restore a backup if this comes "
               "back\n";
  _exit(kExitAssertion);
}

}  // namespace statecpp
