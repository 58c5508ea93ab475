// SPDX-License-Identifier: Apache-2.0
#include "api/metadata_value.h"

#include <limits>

#include "absl/numeric/int128.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace statecpp {
namespace {

struct Unit {
  absl::string_view suffix;
  uint64_t factor;
};

// Ordered for FormatByteSize: binary units first, the largest in front.
constexpr Unit kUnits[] = {
    {"Ti", uint64_t{1} << 40}, {"Gi", uint64_t{1} << 30},
    {"Mi", uint64_t{1} << 20}, {"Ki", uint64_t{1} << 10},
    {"T", 1'000'000'000'000},  {"G", 1'000'000'000},
    {"M", 1'000'000},          {"k", 1'000},
};
constexpr int kBinaryUnits = 4;

// More digits than a 64-bit number has say nothing more; they would overflow.
constexpr size_t kMaxDigits = 20;

bool IsDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return true;
}

uint64_t ConsumeUnit(absl::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (absl::ConsumeSuffix(&text, unit.suffix)) return unit.factor;
  }
  return 1;
}

}  // namespace

std::optional<int64_t> ParseInteger(absl::string_view text) {
  absl::string_view digits = text;
  if (absl::StartsWith(digits, "-") || absl::StartsWith(digits, "+")) {
    digits.remove_prefix(1);
  }
  // SimpleAtoi would skip white space.
  if (digits.empty() || !IsDigits(digits)) return std::nullopt;
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

std::optional<absl::Duration> ParseDuration(absl::string_view text) {
  static constexpr int64_t kMaxNanoseconds =
      std::numeric_limits<int64_t>::max();
  absl::Duration duration;
  if (const std::optional<int64_t> seconds = ParseInteger(text)) {
    duration = absl::Seconds(*seconds);
  } else {
    // Go writes microseconds with either of Unicode's two signs; abseil knows
    // neither, and an infinite duration, which Go does not.
    if (absl::StrContains(text, "inf")) return std::nullopt;
    const std::string ascii =
        absl::StrReplaceAll(text, {{"\u00b5s", "us"}, {"\u03bcs", "us"}});
    if (!absl::ParseDuration(ascii, &duration)) return std::nullopt;
  }
  if (absl::AbsDuration(duration) > absl::Nanoseconds(kMaxNanoseconds)) {
    return std::nullopt;
  }
  return duration;
}

std::optional<uint64_t> ParseByteSize(absl::string_view text) {
  const uint64_t factor = ConsumeUnit(text);
  const size_t point = text.find('.');
  const absl::string_view whole = text.substr(0, point);
  const absl::string_view fraction =
      point == text.npos ? "" : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!IsDigits(whole) || !IsDigits(fraction)) return std::nullopt;
  if (whole.size() + fraction.size() > kMaxDigits) return std::nullopt;

  absl::uint128 number = 0;
  for (const char c : absl::StrCat(whole, fraction)) {
    number = number * 10 + (c - '0');
  }
  number *= factor;
  absl::uint128 denominator = 1;
  for (size_t i = 0; i < fraction.size(); ++i) denominator *= 10;
  if (number % denominator != 0) return std::nullopt;
  number /= denominator;
  if (number > std::numeric_limits<uint64_t>::max()) return std::nullopt;
  return static_cast<uint64_t>(number);
}

std::string FormatByteSize(uint64_t size) {
  for (int i = 0; i < kBinaryUnits && size > 0; ++i) {
    if (size % kUnits[i].factor != 0) continue;
    return absl::StrCat(size / kUnits[i].factor, kUnits[i].suffix);
  }
  return absl::StrCat(size);
}

std::optional<Ttl> ParseTtl(absl::string_view text) {
  const std::optional<int64_t> seconds = ParseInteger(text);
  if (!seconds.has_value()) return std::nullopt;
  if (*seconds < -1 || *seconds > std::numeric_limits<int32_t>::max()) {
    return std::nullopt;
  }
  return *seconds <= 0 ? Ttl() : Ttl(absl::Seconds(*seconds));
}

bool IsTruthy(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (const absl::string_view yes : {"y", "yes", "true", "t", "on", "1"}) {
    if (lower == yes) return true;
  }
  return false;
}

}  // namespace statecpp
