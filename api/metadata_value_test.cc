// SPDX-License-Identifier: Apache-2.0
#include "api/metadata_value.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

TEST(ParseDurationTest, ReadsGoSyntaxAndBareSeconds) {
  const std::pair<absl::string_view, absl::Duration> cases[] = {
      {"0", absl::ZeroDuration()},
      {"90", absl::Seconds(90)},
      {"+90", absl::Seconds(90)},
      {"-1", absl::Seconds(-1)},
      {"20s", absl::Seconds(20)},
      {"0s", absl::ZeroDuration()},
      {"1h30m", absl::Minutes(90)},
      {"1h30m5.5s", absl::Milliseconds(5405500)},
      {"1.5s", absl::Milliseconds(1500)},
      {"1.5h", absl::Minutes(90)},
      {".5s", absl::Milliseconds(500)},
      {"5.s", absl::Seconds(5)},
      {"250ms", absl::Milliseconds(250)},
      {"-1.5h", absl::Minutes(-90)},
      {"+5s", absl::Seconds(5)},
      {"10us", absl::Microseconds(10)},
      {"10\u00b5s", absl::Microseconds(10)},
      {"10\u03bcs", absl::Microseconds(10)},
      {"7ns", absl::Nanoseconds(7)},
      {"1s1s", absl::Seconds(2)},
      {"2540400h10m10s", absl::Hours(2540400) + absl::Seconds(610)},
  };
  for (const auto& [text, duration] : cases) {
    EXPECT_EQ(ParseDuration(text), duration) << std::string(text);
  }
}

TEST(ParseDurationTest, RefusesEverythingElse) {
  for (const absl::string_view text :
       {"",         " ",         "5 minutes",  "5min",
        "5d",       "1w",        "s",          ".s",
        ".",        "-",         "+",          "h1",
        "1h 30m",   " 20s",      "20s ",       "1.5",
        "1e3s",     "0x10s",     "inf",        "-inf",
        "--5s",     "1_000s",    "5S",         "300y",
        "2562048h", "-2562048h", "9223372037", "99999999999999999999",
        "PT5M"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << std::string(text);
  }
}

TEST(ParseByteSizeTest, ReadsKubernetesQuantities) {
  const std::pair<absl::string_view, uint64_t> cases[] = {
      {"0", 0},
      {"1", 1},
      {"123456", 123456},
      {"1k", 1000},
      {"1M", 1000000},
      {"1G", 1000000000},
      {"1T", 1000000000000},
      {"1Ki", 1024},
      {"4090Ki", 4188160},
      {"64Mi", 67108864},
      {"10Gi", uint64_t{10} << 30},
      {"16Ti", uint64_t{16} << 40},
      {"1.5Gi", uint64_t{3} << 29},
      {"0.5k", 500},
      {".5Mi", 524288},
      {"2.k", 2000},
      {"007", 7},
      {"16777215Ti", uint64_t{16777215} << 40},
      {"1844674407370955161", 1844674407370955161u},
  };
  for (const auto& [text, size] : cases) {
    EXPECT_EQ(ParseByteSize(text), size) << std::string(text);
  }
}

TEST(ParseByteSizeTest, RefusesEverythingElse) {
  for (const absl::string_view text : {"",
                                       " ",
                                       "Gi",
                                       ".",
                                       ".Gi",
                                       "-1",
                                       "+1",
                                       "1.5",
                                       "0.1Ki",
                                       "1KB",
                                       "10GB",
                                       "10gi",
                                       "1K",
                                       "10 Gi",
                                       " 10Gi",
                                       "10Gi ",
                                       "1e9",
                                       "0x10",
                                       "1m",
                                       "1Pi",
                                       "1.2.3Gi",
                                       "16777216Ti",
                                       "99999999999999999999",
                                       "ten"}) {
    EXPECT_FALSE(ParseByteSize(text).has_value()) << std::string(text);
  }
}

TEST(FormatByteSizeTest, WritesWhatParseByteSizeReads) {
  const std::pair<uint64_t, std::string> cases[] = {
      {0, "0"},
      {1, "1"},
      {1000, "1000"},
      {1024, "1Ki"},
      {4188160, "4090Ki"},
      {uint64_t{10} << 30, "10Gi"},
      {uint64_t{16} << 40, "16Ti"},
      {(uint64_t{1} << 30) + 1, "1073741825"},
      {uint64_t{3} << 29, "1536Mi"},
      // The largest number has twenty digits.
      {16153355643000000000u, "16153355643000000000"},
      {~uint64_t{0}, "18446744073709551615"},
  };
  for (const auto& [size, text] : cases) {
    EXPECT_EQ(FormatByteSize(size), text);
    EXPECT_EQ(ParseByteSize(text), size);
  }
}

TEST(ParseIntegerTest, TakesBaseTenAndNothingAround) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("-7"), -7);
  EXPECT_EQ(ParseInteger("+7"), 7);
  EXPECT_EQ(ParseInteger("9223372036854775807"),
            std::numeric_limits<int64_t>::max());
  for (const absl::string_view text :
       {"", "-", "+", " 7", "7 ", "7\n", "1.0", "1e3", "0x7", "+-7", "1_0",
        "9223372036854775808", "seven"}) {
    EXPECT_FALSE(ParseInteger(text).has_value()) << std::string(text);
  }
}

// contract.md 3.6, as the stores of Dapr itself read it.
TEST(ParseTtlTest, ReadsWholeSecondsAndTwoWaysToSayNever) {
  EXPECT_EQ(ParseTtl("1").value(), Ttl(absl::Seconds(1)));
  EXPECT_EQ(ParseTtl("2147483647").value(), Ttl(absl::Seconds(2147483647)));
  EXPECT_EQ(ParseTtl("0").value(), Ttl());
  EXPECT_EQ(ParseTtl("-0").value(), Ttl());
  EXPECT_EQ(ParseTtl("-1").value(), Ttl());
  for (const absl::string_view text :
       {"-2", "2147483648", "foo", "", "1.5", "10s", " 1", "1 ", "0x1",
        "99999999999999999999", "-99999999999999999999"}) {
    EXPECT_FALSE(ParseTtl(text).has_value()) << std::string(text);
  }
}

TEST(IsTruthyTest, KnowsDaprsWordsAndNoOthers) {
  for (const absl::string_view yes :
       {"y", "Y", "yes", "YES", "true", "True", "t", "on", "ON", "1"}) {
    EXPECT_TRUE(IsTruthy(yes)) << std::string(yes);
  }
  for (const absl::string_view no :
       {"", "n", "no", "false", "f", "off", "0", "2", "truee", " true", "ja"}) {
    EXPECT_FALSE(IsTruthy(no)) << std::string(no);
  }
}

}  // namespace
}  // namespace statecpp
