// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_JSON_FIELDS_H_
#define STATECPP_ENGINE_JSON_FIELDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/json_reader.h"
#include "engine/json_scalar.h"

namespace statecpp {

// Reads the values at some paths of one document after another, each document
// once from front to back, whatever the number and order of the paths.
//
//   JsonFields fields({"person.org", "city"});
//   if (fields.Read(R"({"person": {"org": "Finance"}})")) {
//     fields.values()[0].text  // "Finance"
//     fields.values()[1].kind  // kMissing
//   }
//
// A path is the names of members, with dots between; a name with a dot in it
// has no path, nor has an element of an array. Of members of one name in one
// object the last one counts, as it does to JavaScript, Go and Python.
//
// Compatible with threads.
class JsonFields {
 public:
  // The same path may be there more than once.
  explicit JsonFields(const std::vector<std::string>& paths);

  // False: the document is surely not JSON. True: what the paths lead to has
  // been read, and the rest passed over; IsJson() would look at all of it.
  bool Read(absl::string_view document);

  // Whether all of a document is JSON.
  bool IsJson(absl::string_view document) { return reader_.IsJson(document); }

  // One for each path, in order.
  const std::vector<JsonScalar>& values() const { return values_; }

 private:
  // A tree of the paths, by names.
  struct Node {
    std::string name;
    std::vector<size_t> paths = {};  // that end here
    std::vector<Node> members = {};
  };

  simdjson::error_code ReadInto(const Node& node, JsonReader::Value value);
  // Nothing is there, or below.
  void Clear(const Node& node);

  Node root_;
  std::vector<JsonScalar> values_;
  JsonScalar scalar_;
  JsonReader reader_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_JSON_FIELDS_H_
