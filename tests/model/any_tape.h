// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_ANY_TAPE_H_
#define STATECPP_TESTS_MODEL_ANY_TAPE_H_

#include <rapidcheck.h>

#include <cstddef>

#include "tests/model/tape.h"

namespace statecpp {

enum class Clocks {
  // The date may be set wrong for good, and time pass behind a closed store.
  kAny,
  // What a store knows of the time does not depend on when it was opened, if it
  // commits before it is closed.
  kKnown,
};

// Tapes of up to `max_steps`. They shrink to fewer steps, of fewer writes, of
// the first keys and the smallest values.
rc::Gen<Tape> AnyTape(size_t max_steps, Clocks clocks);

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_ANY_TAPE_H_
