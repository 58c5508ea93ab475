// SPDX-License-Identifier: Apache-2.0
//
// What the figures of a store say of it.
#include "cli/store_checks.h"

#include <cstdint>
#include <string>

#include "cli/finding.h"
#include "engine/store_stats.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kMaxSize = uint64_t{10} << 30;

TEST(CheckFiguresTest, AStoreThatIsWellHasNoFindings) {
  EXPECT_THAT(CheckFigures("orders", {.used_bytes = kMaxSize / 10 * 8,
                                      .max_size = kMaxSize,
                                      .readers = 2,
                                      .oldest_reader_lag = 10000}),
              IsEmpty());
}

TEST(CheckFiguresTest, MoreThanFourFifthsInUse) {
  const Findings findings = CheckFigures(
      "orders", {.used_bytes = kMaxSize / 100 * 81, .max_size = kMaxSize});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].level, Finding::Level::kWarning);
  EXPECT_EQ(findings[0].kind, "store-filling");
  EXPECT_EQ(findings[0].subject, "orders");
  EXPECT_THAT(findings[0].text, HasSubstr("81 % of maxSize 10Gi"));
  EXPECT_EQ(findings[0].fix, "- {name: maxSize, value: \"20Gi\"}");
}

TEST(CheckFiguresTest, AReaderThatIsFarBehind) {
  const Findings findings =
      CheckFigures("orders", {.used_bytes = 1,
                              .max_size = kMaxSize,
                              .readers = 2,
                              .oldest_reader_lag = 10001});
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].level, Finding::Level::kWarning);
  EXPECT_EQ(findings[0].kind, "store-reader");
  EXPECT_THAT(findings[0].text, HasSubstr("10001 commits behind"));
  EXPECT_THAT(findings[0].fix, HasSubstr("start the server again"));
}

}  // namespace
}  // namespace statecpp
