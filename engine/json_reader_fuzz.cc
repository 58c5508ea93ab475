// SPDX-License-Identifier: Apache-2.0
//
// What is JSON to the reader is JSON to a reference, and nothing else is; its
// numbers are those that the C library reads.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "engine/json_fields.h"
#include "engine/json_reader.h"
#include "engine/json_scalar.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/reference_json.h"

namespace statecpp {
namespace {

void CheckNumber(const std::string& text) {
  const std::optional<JsonScalar::Number> number = ParseJsonNumber(text);
  if (!number.has_value()) return;
  int64_t integer = 0;
  uint64_t large = 0;
  JsonScalar::Number expected = 0;
  if (absl::SimpleAtoi(text, &integer)) {
    expected = integer;
  } else if (absl::SimpleAtoi(text, &large)) {
    expected = large;
  } else {
    expected = std::strtod(text.c_str(), nullptr);
  }
  Expect(*number == expected, "the C library reads the same number");
}

// What a query takes out of a text is kept in a token.
void CheckScalar(const JsonScalar& scalar) {
  std::string bytes;
  AppendScalar(bytes, scalar);
  absl::string_view left = bytes;
  JsonScalar again;
  Expect(ConsumeScalar(left, again) && left.empty(), "a scalar reads back");
  Expect(Compare(scalar, again) == 0, "a scalar that reads back is the same");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  static JsonReader reader;
  static JsonFields fields({"a", "a.b", "b", "a.b.c"});
  const std::string text(input.Rest());
  const bool is_json = reader.IsJson(text);
  Expect(is_json == ReferenceJson::IsJson(text, JsonReader::kMaxDepth),
         "the reference says the same");
  CheckNumber(text);
  const bool read = fields.Read(text);
  Expect(read || !is_json, "fields of JSON can be read");
  for (const JsonScalar& value : fields.values()) CheckScalar(value);
  JsonScalar root;
  const simdjson::error_code code = reader.Read(
      text,
      [&root](JsonReader::Value value) { return ReadScalar(value, root); });
  if (code != simdjson::SUCCESS) return;
  CheckScalar(root);
  if (root.kind == JsonScalar::Kind::kNumber) {
    Expect(is_json, "a number is JSON");
    const std::string bare(absl::StripAsciiWhitespace(text));
    Expect(ParseJsonNumber(bare) == root.number, "a number stands for itself");
  }
}

}  // namespace statecpp
