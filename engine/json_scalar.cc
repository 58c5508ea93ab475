// SPDX-License-Identifier: Apache-2.0
#include "engine/json_scalar.h"

#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "engine/coding.h"

namespace statecpp {
namespace {

using Kind = JsonScalar::Kind;
using Number = JsonScalar::Number;

// How a number is kept as bytes; each is one of the three.
enum class Form : char { kUnsigned = 'u', kSigned = 'i', kDouble = 'd' };

constexpr Number kTwoTo63 = 9223372036854775808.0L;
constexpr Number kTwoTo64 = 2 * kTwoTo63;

// Drops the digits in front, and says whether there were any.
bool ConsumeDigits(absl::string_view& text) {
  const size_t size = text.size();
  while (!text.empty() && absl::ascii_isdigit(text.front())) {
    text.remove_prefix(1);
  }
  return text.size() < size;
}

bool Consume(absl::string_view& text, absl::string_view any_of) {
  if (text.empty() || !absl::StrContains(any_of, text.front())) return false;
  text.remove_prefix(1);
  return true;
}

// Whether it is a number of JSON (RFC 8259, section 6).
bool IsNumber(absl::string_view text) {
  Consume(text, "-");
  if (!Consume(text, "0") && !ConsumeDigits(text)) return false;
  if (Consume(text, ".") && !ConsumeDigits(text)) return false;
  if (Consume(text, "eE")) {
    Consume(text, "+-");
    if (!ConsumeDigits(text)) return false;
  }
  return text.empty();
}

Number DoubleOf(absl::string_view text) {
  double number = 0;
  const absl::from_chars_result result =
      absl::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec == std::errc::result_out_of_range && std::abs(number) >= 1) {
    const double infinite = std::numeric_limits<double>::infinity();
    return number < 0 ? -infinite : infinite;
  }
  return number;
}

template <typename Integer>
bool ConsumeFixed(absl::string_view& bytes, Integer& value) {
  if (bytes.size() < sizeof(value)) return false;
  value = LoadFixed<Integer>(bytes.data());
  bytes.remove_prefix(sizeof(value));
  return true;
}

void AppendNumber(std::string& bytes, Number number) {
  const bool is_whole = std::trunc(number) == number;
  if (is_whole && number >= 0 && number < kTwoTo64) {
    bytes.push_back(static_cast<char>(Form::kUnsigned));
    AppendFixed(bytes, static_cast<uint64_t>(number));
  } else if (is_whole && number < 0 && number >= -kTwoTo63) {
    bytes.push_back(static_cast<char>(Form::kSigned));
    AppendFixed(bytes, static_cast<int64_t>(number));
  } else {
    bytes.push_back(static_cast<char>(Form::kDouble));
    AppendFixed(bytes, static_cast<double>(number));
  }
}

template <typename Integer>
bool ConsumeNumberAs(absl::string_view& bytes, Number& number) {
  Integer value;
  if (!ConsumeFixed(bytes, value)) return false;
  number = value;
  return true;
}

bool ConsumeNumber(absl::string_view& bytes, Number& number) {
  if (bytes.empty()) return false;
  const auto form = static_cast<Form>(bytes.front());
  bytes.remove_prefix(1);
  switch (form) {
    case Form::kUnsigned:
      return ConsumeNumberAs<uint64_t>(bytes, number);
    case Form::kSigned:
      return ConsumeNumberAs<int64_t>(bytes, number);
    case Form::kDouble:
      return ConsumeNumberAs<double>(bytes, number);
  }
  return false;
}

}  // namespace

int Compare(const JsonScalar& a, const JsonScalar& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  switch (a.kind) {
    case Kind::kNumber:
      return a.number < b.number ? -1 : a.number > b.number;
    case Kind::kText:
      return a.text.compare(b.text);
    default:
      return 0;
  }
}

std::optional<Number> ParseJsonNumber(absl::string_view text) {
  if (!IsNumber(text)) return std::nullopt;
  if (!text.empty() && text.find_first_of(".eE") == text.npos) {
    int64_t integer = 0;
    if (absl::SimpleAtoi(text, &integer)) return integer;
    uint64_t large = 0;
    if (absl::SimpleAtoi(text, &large)) return large;
  }
  return DoubleOf(text);
}

void AppendScalar(std::string& bytes, const JsonScalar& scalar) {
  bytes.push_back(static_cast<char>(scalar.kind));
  if (scalar.kind == Kind::kNumber) AppendNumber(bytes, scalar.number);
  if (scalar.kind == Kind::kText) {
    AppendFixed(bytes, static_cast<uint32_t>(scalar.text.size()));
    bytes.append(scalar.text);
  }
}

bool ConsumeScalar(absl::string_view& bytes, JsonScalar& scalar) {
  if (bytes.empty() || static_cast<uint8_t>(bytes.front()) >
                           static_cast<uint8_t>(Kind::kNested)) {
    return false;
  }
  scalar = {.kind = static_cast<Kind>(bytes.front())};
  bytes.remove_prefix(1);
  if (scalar.kind == Kind::kNumber) return ConsumeNumber(bytes, scalar.number);
  if (scalar.kind != Kind::kText) return true;
  uint32_t size = 0;
  if (!ConsumeFixed(bytes, size) || bytes.size() < size) return false;
  scalar.text = std::string(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

}  // namespace statecpp
