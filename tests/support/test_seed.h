// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_TEST_SEED_H_
#define STATECPP_TESTS_SUPPORT_TEST_SEED_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace statecpp {

// The seed of a random test: new for each run, and printed, so that a run that
// failed can be had again:
//
//   STATECPP_TEST_SEED=123 the_test
//   bazel test --test_env=STATECPP_TEST_SEED=123 //the:test
inline uint64_t TestSeed() {
  const char* const given = std::getenv("STATECPP_TEST_SEED");
  const uint64_t seed =
      given != nullptr
          ? std::strtoull(given, nullptr, 10)
          : (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  std::printf("STATECPP_TEST_SEED=%llu\n",
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed;
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_TEST_SEED_H_
