// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_COPIED_STORE_H_
#define STATECPP_TESTS_SUPPORT_COPIED_STORE_H_

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "engine/store_copy.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

// What tests of copies share: the ways to copy, items of all kinds, and looks
// at what is there afterwards.
namespace statecpp {

enum class CopyKind { kCompactPlain, kCompactSealed, kEncrypt };

inline std::string NameOf(CopyKind kind) {
  switch (kind) {
    case CopyKind::kCompactPlain:
      return "CompactPlain";
    case CopyKind::kCompactSealed:
      return "CompactSealed";
    case CopyKind::kEncrypt:
      return "Encrypt";
  }
  return "";
}

// What opens the store before the copy, and after.
inline std::shared_ptr<const MasterKeys> KeysBefore(CopyKind kind) {
  return kind == CopyKind::kCompactSealed ? NewTestKeys() : nullptr;
}
inline std::shared_ptr<const MasterKeys> KeysAfter(CopyKind kind) {
  return kind == CopyKind::kCompactPlain ? nullptr : NewTestKeys();
}

inline absl::StatusOr<CopyReport> Copy(CopyKind kind,
                                       const CopyOptions& options) {
  return kind == CopyKind::kEncrypt ? EncryptStore(options)
                                    : CompactStore(options);
}

// Items by their keys, and how to compare them.
using Items = std::map<std::string, Item>;

inline std::string Describe(const std::string& key, const Item& item) {
  return absl::StrCat(
      key, " = ", item.value.size(), " bytes ", item.value.substr(0, 20), " ",
      item.etag.ToString(), " ", item.content_type, " ",
      item.expires.has_value() ? absl::FormatTime(*item.expires) : "never");
}

// Reads the keys from a store, all of which are there.
inline Items ReadItems(const Store& store,
                       const std::vector<std::string>& keys) {
  Items items;
  for (const std::string& key : keys) {
    const auto item = store.Get(key);
    EXPECT_THAT(item, IsOk()) << key;
    if (!item.ok() || !item->has_value()) {
      ADD_FAILURE() << key << " is not there";
      continue;
    }
    items.emplace(key, **item);
  }
  return items;
}

inline void ExpectItems(const Store& store, const Items& expected) {
  for (const auto& [key, item] : expected) {
    const auto found = store.Get(key);
    ASSERT_THAT(found, IsOk()) << key;
    ASSERT_TRUE(found->has_value()) << key;
    EXPECT_EQ(Describe(key, **found), Describe(key, item));
    EXPECT_TRUE((*found)->value == item.value) << key;
  }
  EXPECT_EQ(store.GetStats()->records, expected.size());
  EXPECT_THAT(store.CheckIntegrity(), IsOk());
}

inline std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline std::string BytesOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// How many of the texts stand somewhere in a file below the folder.
inline int CountFound(const std::string& folder,
                      const std::vector<std::string>& texts) {
  std::string bytes;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += BytesOf(entry.path().string());
  }
  return static_cast<int>(std::count_if(
      texts.begin(), texts.end(), [&bytes](const std::string& text) {
        return bytes.find(text) != std::string::npos;
      }));
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_COPIED_STORE_H_
