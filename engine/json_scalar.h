// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_JSON_SCALAR_H_
#define STATECPP_ENGINE_JSON_SCALAR_H_

#include <cfloat>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// What a query compares: the value at a path of a document, or none.
//
// Numbers are compared as numbers, without loss: 2^53 + 1 is no double, and
// still more than 2^53; 1 and 1.0 are the same. Texts are compared by their
// bytes, which is by code point. Objects and arrays are not compared: they are
// all the same here, and no scalar.
struct JsonScalar {
  // In the order in which a sort has them.
  enum class Kind : uint8_t {
    kMissing,
    kNull,
    kFalse,
    kTrue,
    kNumber,
    kText,
    kNested,  // an object or an array
  };

  // Every integer of 64 bits and every double is one of these.
  using Number = long double;
  static_assert(LDBL_MANT_DIG >= 64 && LDBL_MAX_EXP >= DBL_MAX_EXP,
                "a number must hold any 64-bit integer");

  Kind kind = Kind::kMissing;
  Number number = 0;
  std::string text = "";
};

// Less than, equal to or more than 0, as `a` to `b`.
int Compare(const JsonScalar& a, const JsonScalar& b);

// The number that JSON writes so; nullopt: JSON writes no number so. What is
// past 64 bits is the nearest double, past that it is infinite.
std::optional<JsonScalar::Number> ParseJsonNumber(absl::string_view text);

// As bytes, and back: `bytes` loses what was read. False: no such bytes.
void AppendScalar(std::string& bytes, const JsonScalar& scalar);
bool ConsumeScalar(absl::string_view& bytes, JsonScalar& scalar);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_JSON_SCALAR_H_
