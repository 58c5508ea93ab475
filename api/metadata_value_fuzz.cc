// SPDX-License-Identifier: Apache-2.0
//
// Values of metadata are read as the C library would, where it can, and are the
// same when they are printed and read again.
#include <cerrno>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "api/metadata_value.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

void CheckInteger(const std::string& text) {
  const std::optional<int64_t> integer = ParseInteger(text);
  char* end = nullptr;
  errno = 0;
  const long long expected = std::strtoll(text.c_str(), &end, 10);
  const bool is_one = !text.empty() && !absl::ascii_isspace(text.front()) &&
                      end == text.c_str() + text.size() && errno == 0;
  Expect(integer.has_value() == is_one, "the C library reads the same numbers");
  Expect(!is_one || *integer == expected, "it is the same number");
}

void CheckDuration(const std::string& text) {
  const std::optional<absl::Duration> duration = ParseDuration(text);
  if (!duration.has_value()) return;
  Expect(absl::AbsDuration(*duration) <= absl::Hours(292 * 366 * 24),
         "a duration is finite");
  const absl::Duration whole = absl::Trunc(*duration, absl::Nanoseconds(1));
  Expect(ParseDuration(absl::FormatDuration(whole)) == whole,
         "a duration reads back");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  const std::string text(input.Rest());
  CheckInteger(text);
  CheckDuration(text);
  if (const std::optional<uint64_t> size = ParseByteSize(text)) {
    Expect(ParseByteSize(FormatByteSize(*size)) == size, "a size reads back");
  }
  if (const std::optional<Ttl> ttl = ParseTtl(text)) {
    const int64_t seconds = *ParseInteger(text);
    Expect(ttl->has_value() == (seconds > 0), "nothing and less is for ever");
    Expect(!ttl->has_value() || **ttl == absl::Seconds(seconds),
           "a time to live is its seconds");
  }
  (void)IsTruthy(text);
}

}  // namespace statecpp
