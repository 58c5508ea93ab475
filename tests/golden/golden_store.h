// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_GOLDEN_GOLDEN_STORE_H_
#define STATECPP_TESTS_GOLDEN_GOLDEN_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "crypto/master_key.h"
#include "engine/item.h"
#include "tests/support/test_keys.h"

// Stores of format 1 that are kept as they were once written, so that no later
// program can forget how to read them. Each is a folder here with data.mdb and
// items.txt; golden_maker made them and is not run again, but for a new format.
namespace statecpp {

// A line of items.txt: what the store gave back when it was made.
inline std::string DescribeGolden(const std::string& key, const Item& item) {
  return absl::StrCat(
      key, " ", item.etag.ToString(), " ",
      item.content_type.empty() ? "-" : item.content_type, " ",
      item.expires.has_value() ? absl::ToUnixMillis(*item.expires) : 0, " [",
      item.value, "]");
}

// "sealed" was made with the first, was given the second and was rotated.
inline std::shared_ptr<const MasterKeys> GoldenKeys(const std::string& kind) {
  if (kind == "plain") return nullptr;
  return NewTestKeys();
}

inline MasterKey SecondGoldenKey() {
  return MasterKey::FromKey("second",
                            Secret(std::vector<uint8_t>(Secret::kSize, 0x5a)));
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_GOLDEN_GOLDEN_STORE_H_
