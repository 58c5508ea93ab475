// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_JSON_READER_H_
#define STATECPP_ENGINE_JSON_READER_H_

#include <simdjson.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "engine/json_scalar.h"

namespace statecpp {

// Texts of JSON, read one after another where they stand, by memory that is
// kept. JSON is what RFC 8259 says, in UTF-8 and without a byte order mark; its
// strings are Unicode, so half a surrogate pair is not in them; and it nests no
// deeper than kMaxDepth.
//
//   JsonReader reader;
//   simdjson::error_code code = reader.Read(
//       R"({"a": 1})", [](simdjson::ondemand::value root) { ... });
//
// Compatible with threads.
class JsonReader {
 public:
  static constexpr int kMaxDepth = 1024;

  using Value = simdjson::ondemand::value;
  using Visit = absl::FunctionRef<simdjson::error_code(Value root)>;

  // Calls `visit` with the one value of `text`, and returns its error or what
  // is wrong with the text outside that value. What `visit` passes over is not
  // looked at.
  simdjson::error_code Read(absl::string_view text, Visit visit);

  // Whether all of the text is JSON.
  bool IsJson(absl::string_view text);

 private:
  simdjson::ondemand::parser parser_;
  std::string padded_;
};

// Reads a value that is no object and no array; of those, says that they nest.
simdjson::error_code ReadScalar(JsonReader::Value value, JsonScalar& scalar);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_JSON_READER_H_
