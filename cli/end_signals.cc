// SPDX-License-Identifier: Apache-2.0
#include "cli/end_signals.h"

#include <pthread.h>

#include <ctime>

namespace statecpp {

sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void BlockEndSignals() {
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

void UnblockEndSignals() {
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

bool EndWasAsked() {
  const sigset_t signals = EndSignals();
  const timespec no_wait = {};
  return sigtimedwait(&signals, nullptr, &no_wait) > 0;
}

}  // namespace statecpp
