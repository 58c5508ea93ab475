// SPDX-License-Identifier: Apache-2.0
//
// Stores that an earlier program wrote: this one reads every item as it was,
// goes on writing, and refuses a format that is newer than itself.
#include "tests/golden/golden_store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

// What the header begins with, and where it says which reader it wants
// (docs/format.md).
constexpr char kHeaderMagic[] = "statecpp";
constexpr size_t kMinReaderAt = 10;

class GoldenStoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  GoldenStoreTest() {
    const std::string golden = "tests/golden/format1/" + GetParam();
    fs::create_directory(path_);
    fs::copy_file(golden + "/data.mdb", path_ + "/data.mdb");
    fs::permissions(path_ + "/data.mdb", fs::perms(0600));
    std::ifstream items(golden + "/items.txt");
    for (std::string line; std::getline(items, line);) items_.push_back(line);
  }

  absl::StatusOr<std::unique_ptr<Store>> Open(
      std::shared_ptr<const MasterKeys> keys) const {
    return Store::Open(
        {.path = path_, .create = false, .keys = std::move(keys)});
  }

  absl::StatusOr<std::unique_ptr<Store>> Open() const {
    return Open(GoldenKeys(GetParam()));
  }

  static std::vector<std::string> ItemsOf(const Store& store) {
    std::vector<std::string> items;
    const absl::StatusOr<KeyPage> keys = store.ListKeys({.pattern = "%"});
    EXPECT_THAT(keys, IsOk());
    if (!keys.ok()) return items;
    for (const std::string& key : keys->keys) {
      const auto item = store.Get(key);
      EXPECT_THAT(item, IsOk());
      items.push_back(item.ok() && item->has_value()
                          ? DescribeGolden(key, **item)
                          : absl::StrCat(key, " is not there"));
    }
    return items;
  }

  const MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  std::vector<std::string> items_;
};

INSTANTIATE_TEST_SUITE_P(All, GoldenStoreTest,
                         ::testing::Values("plain", "sealed"),
                         [](const auto& info) { return info.param; });

TEST_P(GoldenStoreTest, HoldsWhatItHeld) {
  ASSERT_EQ(items_.size(), 10u);
  const std::unique_ptr<Store> store = Open().value();
  EXPECT_EQ(ItemsOf(*store), items_);
  EXPECT_THAT(store->CheckIntegrity(), IsOk());
}

TEST_P(GoldenStoreTest, TakesConditionalWritesByTheVersionsItHad) {
  std::unique_ptr<Store> store = Open().value();
  const std::string key = "first||small";
  const ETag etag = store->Get(key).value()->etag;
  EXPECT_THAT(store->Set({.key = key,
                          .value = "2",
                          .precondition = Precondition::Match(etag)}),
              IsOk());
  store.reset();
  store = Open().value();
  EXPECT_THAT(store->Get(key), IsOkAndHolds(HasValue("2")));
  EXPECT_THAT(store->CheckIntegrity(), IsOk());
}

TEST_P(GoldenStoreTest, OfANewerFormatIsRefusedWithTheRemedy) {
  const std::string file = path_ + "/data.mdb";
  std::string bytes;
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  int changed = 0;
  for (size_t at = bytes.find(kHeaderMagic); at != std::string::npos;
       at = bytes.find(kHeaderMagic, at + 1)) {
    bytes[at + kMinReaderAt] = 2;
    ++changed;
  }
  ASSERT_GT(changed, 0);
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kUnimplemented,
                               AllOf(HasSubstr("has format 2"),
                                     HasSubstr("reads up to format 1"),
                                     HasSubstr("nothing was opened"),
                                     HasSubstr("use a newer program"))));
}

TEST(SealedGoldenStoreTest, OpensWithEitherOfItsKeysAndNoOther) {
  const MemoryDir dir;
  fs::create_directory(dir.Path("store"));
  fs::copy_file("tests/golden/format1/sealed/data.mdb",
                dir.Path("store/data.mdb"));
  fs::permissions(dir.Path("store/data.mdb"), fs::perms(0600));
  auto second = std::make_shared<MasterKeys>();
  second->push_back(SecondGoldenKey());
  {
    const auto store = Store::Open(
        {.path = dir.Path("store"), .create = false, .keys = second});
    ASSERT_THAT(store, IsOk());
    EXPECT_EQ((*store)->keys().GetStatus()->data_keys.size(), 2u);
  }
  auto third = std::make_shared<MasterKeys>();
  third->push_back(MasterKey::FromKey(
      "third", Secret(std::vector<uint8_t>(Secret::kSize, 0x77))));
  EXPECT_THAT(
      Store::Open({.path = dir.Path("store"), .create = false, .keys = third}),
      HasCode(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace statecpp
