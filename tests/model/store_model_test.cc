// SPDX-License-Identifier: Apache-2.0
//
// Random tapes, played to a real store and to the reference, which must agree
// after each step: on the answer, and on all that can be read.
#include "gtest/gtest.h"
#include "tests/model/player.h"
#include "tests/model/tape_check.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

TEST(StoreModelTest, AnswersAsTheReferenceDoesStepByStep) {
  const bool is_sealed = TestsAreSealed();
  const Setting setting = {.name = is_sealed ? "sealed" : "plain",
                           .opening = {.is_sealed = is_sealed}};
  TapeCheck{.tapes = 100, .max_steps = 200}.Run(
      [&](const Tape& tape) { return Player(setting).Play(tape); });
}

}  // namespace
}  // namespace statecpp
