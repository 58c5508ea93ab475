// SPDX-License-Identifier: Apache-2.0
//
// What can still be read from a store's folder after a copy: nothing in clear,
// nothing that was deleted, and nothing of a former key.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/closed_store.h"
#include "engine/lmdb_environment.h"
#include "engine/store.h"
#include "engine/store_copy.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/copied_store.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using Table = LmdbEnvironment::Table;

std::shared_ptr<const MasterKeys> OtherKeys() {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(MasterKey::FromKey("other", Secret::Random()));
  return keys;
}

class StoreCopyTraceTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Open(std::shared_ptr<const MasterKeys> keys) {
    return Store::Open({.path = path_, .keys = std::move(keys)}).value();
  }

  static constexpr int kCount = 1000;

  static std::string KeyName(int i) {
    return absl::StrCat("customer-key-", i, "-of-", kCount);
  }
  static std::string Value(int i) {
    return absl::StrCat("card number ", i * 7919, " of many");
  }

  // Every tenth is deleted, every other tenth overwritten. Returns all texts
  // that were ever there.
  std::vector<std::string> Write(Store& store) {
    std::vector<std::string> texts;
    std::vector<WriteOp> ops;
    for (int i = 0; i < kCount; ++i) {
      texts.push_back(KeyName(i));
      texts.push_back(Value(i));
      ops.push_back({.key = KeyName(i),
                     .value = Value(i) + std::string(i % 3 * 900, '.'),
                     .content_type = "application/x-secret"});
    }
    texts.push_back("application/x-secret");
    for (Store::WriteResult& result : store.BulkWrite(std::move(ops))) {
      EXPECT_THAT(result, IsOk());
    }
    for (int i = 0; i < kCount; i += 10) {
      EXPECT_THAT(store.Delete({.key = KeyName(i)}), IsOk());
      EXPECT_THAT(store.Set({.key = KeyName(i + 1), .value = "another"}),
                  IsOk());
    }
    return texts;
  }

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
};

TEST_F(StoreCopyTraceTest, NothingInClearIsLeftOfAStoreThatWasSealed) {
  const std::vector<std::string> texts = Write(*Open(nullptr));
  const int all = static_cast<int>(texts.size());
  // Also some of what was deleted or replaced, in pages that are free now.
  EXPECT_GT(CountFound(dir_.path(), texts), all * 9 / 10);
  ASSERT_THAT(EncryptStore({.path = path_, .keys = NewTestKeys()}), IsOk());
  EXPECT_EQ(CountFound(dir_.path(), texts), 0);
  const std::unique_ptr<Store> store = Open(NewTestKeys());
  EXPECT_THAT(store->Get(KeyName(2)),
              IsOkAndHolds(HasValue(Value(2) + std::string(1800, '.'))));
}

TEST_F(StoreCopyTraceTest, NothingDeletedIsLeftOfAPlainStoreThatWasCompacted) {
  Write(*Open(nullptr));
  std::vector<std::string> deleted;
  for (int i = 0; i < kCount; i += 10) {
    deleted.push_back(KeyName(i));
    deleted.push_back(Value(i + 1));
  }
  // A number's digits may begin another's: the whole text is looked for.
  EXPECT_GT(CountFound(dir_.path(), deleted), 0);
  ASSERT_THAT(CompactStore({.path = path_}), IsOk());
  EXPECT_EQ(CountFound(dir_.path(), deleted), 0);
}

TEST_F(StoreCopyTraceTest, NoFormerCiphertextOrKeyIsLeftOfASealedStore) {
  std::vector<std::string> traces;
  {
    const std::unique_ptr<Store> store = Open(NewTestKeys());
    Write(*store);
  }
  {
    const auto sealed =
        ClosedStore::Open(path_, NewTestKeys().get(), nullptr).value();
    EXPECT_THAT(sealed->Scan(Table::kRecords,
                             [&](absl::string_view, absl::string_view record) {
                               traces.emplace_back(record.substr(12, 64));
                               return absl::OkStatus();
                             }),
                IsOk());
    for (const KeySlot& slot : sealed->header().slots) {
      traces.emplace_back(reinterpret_cast<const char*>(slot.root.text.data()),
                          slot.root.text.size());
    }
  }
  const std::shared_ptr<const MasterKeys> other = OtherKeys();
  {
    const std::unique_ptr<Store> store = Open(NewTestKeys());
    std::vector<WriteOp> ops;
    for (int i = 0; i < kCount; ++i) ops.push_back({.key = KeyName(i)});
    for (WriteOp& op : ops) op.kind = WriteOp::Kind::kDelete;
    ASSERT_THAT(store->Transact(std::move(ops)), IsOk());
    ASSERT_THAT(store->keys().AddSlot(other->front()), IsOk());
    ASSERT_THAT(store->keys().RemoveSlot("test", *other), IsOk());
  }
  EXPECT_GT(CountFound(dir_.path(), traces), kCount / 2);
  EXPECT_EQ(CountFound(dir_.path(), {traces.back()}), 1) << "the old slot";
  ASSERT_THAT(CompactStore({.path = path_, .keys = other}), IsOk());
  EXPECT_EQ(CountFound(dir_.path(), traces), 0);
  ExpectItems(*Open(other), {});
}

}  // namespace
}  // namespace statecpp
