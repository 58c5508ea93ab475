// SPDX-License-Identifier: Apache-2.0
//
// A store behind lines of text, for differential_test.py. Bytes are in hex, and
// "-" stands for none of them.
//
//   query_peer STORE        with STATECPP_TEST_SEALED set, of a sealed store
//
//   set KEY VALUE                    set
//   delete KEY                       deleted
//   query PREFIX MAX_BYTES QUERY     page TOKEN KEY...
//                                    refused TEXT       it is malformed
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "engine/query.h"
#include "engine/store.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

std::string Hex(absl::string_view bytes) {
  return bytes.empty() ? "-" : absl::BytesToHexString(bytes);
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::cerr << "query_peer: " << status.ToString() << "\n";
  std::exit(1);
}

class Line {
 public:
  explicit Line(const std::string& text) : words_(text) {}

  std::string Word() {
    std::string word;
    words_ >> word;
    return word;
  }
  std::string Bytes() {
    const std::string hex = Word();
    return hex == "-" ? "" : absl::HexStringToBytes(hex);
  }

 private:
  std::istringstream words_;
};

std::string Answer(Store& store, Line& line) {
  std::string prefix = line.Bytes();
  const uint64_t max_bytes = std::stoull(line.Word());
  absl::StatusOr<Query> query = Query::FromJson(line.Bytes());
  if (!query.ok()) return "refused " + std::string(query.status().message());
  query->key_prefix = std::move(prefix);
  query->max_bytes = max_bytes;
  const absl::StatusOr<QueryPage> page = store.Query(*query);
  if (absl::IsInvalidArgument(page.status())) {
    return "refused " + std::string(page.status().message());
  }
  if (!page.ok()) Fail(page.status());
  std::string answer = "page " + Hex(page->next_token);
  for (const QueryRow& row : page->rows) answer += " " + Hex(row.key);
  return answer;
}

std::string Do(Store& store, Line& line) {
  const std::string verb = line.Word();
  if (verb == "query") return Answer(store, line);
  std::string key = line.Bytes();
  if (verb == "delete") {
    const absl::Status deleted = store.Delete({.key = std::move(key)});
    if (!deleted.ok()) Fail(deleted);
    return "deleted";
  }
  const absl::StatusOr<ETag> etag =
      store.Set({.key = std::move(key), .value = line.Bytes()});
  if (!etag.ok()) Fail(etag.status());
  return "set";
}

void Serve(const char* path) {
  const absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path, .keys = TestKeys()});
  if (!store.ok()) Fail(store.status());
  std::string text;
  while (std::getline(std::cin, text)) {
    Line line(text);
    std::cout << Do(**store, line) << std::endl;
  }
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: query_peer STORE\n";
    return 2;
  }
  statecpp::Serve(argv[1]);
}
