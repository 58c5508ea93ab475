// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_OPEN_STORE_H_
#define STATECPP_TESTS_SUPPORT_OPEN_STORE_H_

#include <memory>
#include <string>
#include <utility>

#include "engine/store.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {

// A new store, sealed or not as this run's are, that is swept only when a test
// says so.
class OpenStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  FakeClock clock_;
  std::unique_ptr<Store> store_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_OPEN_STORE_H_
