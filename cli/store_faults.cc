// SPDX-License-Identifier: Apache-2.0
#include "cli/store_faults.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <iostream>

#include "absl/strings/string_view.h"
#include "cli/exit_code.h"

namespace statecpp {
namespace {

// Only calls that are safe in a signal handler.
void Say(absl::string_view text) {
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, text.data(), text.size());
}

// The map's file could not be read or was cut short behind our back.
void EndOnBusError(int) {
  Say("statecpp: a page of the store could not be read (SIGBUS): the disk "
      "failed, or the file was truncated; nothing more was written\n");
  _exit(kExitIo);
}

// LMDB trusts what its pages say of one another, and no check of ours can come
// between. A signal that somebody sent is no fault.
void EndOnSegmentationFault(int, siginfo_t* info, void*) {
  if (info->si_code > 0) {
    Say("statecpp: an access to memory that is not there (SIGSEGV), as a "
        "damaged page of a store can cause; nothing more was written; stop the "
        "server and run: statecpp verify\n");
    if (prctl(PR_GET_DUMPABLE) != 1) _exit(kExitIo);
  }
  // It comes again when this handler returns.
  signal(SIGSEGV, SIG_DFL);
  if (info->si_code <= 0) raise(SIGSEGV);
}

}  // namespace

void EndOnMemoryFaults() {
  signal(SIGBUS, &EndOnBusError);
  struct sigaction on_fault = {};
  on_fault.sa_sigaction = &EndOnSegmentationFault;
  on_fault.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &on_fault, nullptr);
}

void EndVerbOnAssertion(const char* text) {
  std::cerr << "statecpp: LMDB found its own structures broken: " << text
            << "; nothing more is written; restore a backup if this comes "
               "back\n";
  _exit(kExitAssertion);
}

}  // namespace statecpp
