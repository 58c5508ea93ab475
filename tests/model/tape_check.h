// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_TAPE_CHECK_H_
#define STATECPP_TESTS_MODEL_TAPE_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "tests/model/any_tape.h"
#include "tests/model/tape.h"

namespace statecpp {

// Plays random tapes until one fails, which fails the test. The tape is then
// made as short as one can find that fails, too, and printed, with the seed
// that makes it again. To have it alone:
//
//   STATECPP_TEST_SEED=<seed> STATECPP_TEST_TAPES=1 the_test
struct TapeCheck {
  // Says what is wrong; OK: nothing.
  using Play = std::function<absl::Status(const Tape&)>;

  int tapes;
  size_t max_steps;
  Clocks clocks = Clocks::kAny;

  // True if that many were played, as they are without STATECPP_TEST_TAPES.
  bool Run(const Play& play) const;

  // The tape of this seed made short, and what is wrong with it; "": nothing.
  std::string Falsify(uint64_t seed, const Play& play) const;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_TAPE_CHECK_H_
