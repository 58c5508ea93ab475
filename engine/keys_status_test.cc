// SPDX-License-Identifier: Apache-2.0
//
// What can be read of a store's keys while nobody has it open, and that reading
// changes nothing.
#include "engine/keys_status.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::shared_ptr<const MasterKeys> OneKey(const std::string& name) {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(MasterKey::FromKey(name, Secret::Random()));
  return keys;
}

class PeekKeysTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Open(std::shared_ptr<const MasterKeys> keys) {
    return Store::Open({.path = path_, .keys = std::move(keys)}).value();
  }

  absl::StatusOr<KeysStatus> Peek(std::shared_ptr<const MasterKeys> keys) {
    return PeekKeys({.path = path_, .keys = std::move(keys)});
  }

  std::string DataFile() const {
    std::ifstream file(path_ + "/data.mdb", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TempDir dir_;
  const std::string path_ = dir_.Path("store");
};

TEST_F(PeekKeysTest, ShowsSlotsAndDataKeysWithoutAKeyAndNoCounts) {
  Open(NewTestKeys())->Set({.key = "a", .value = "1"}).value();
  const absl::StatusOr<KeysStatus> status = Peek(nullptr);
  ASSERT_THAT(status, IsOk());
  EXPECT_TRUE(status->sealed);
  EXPECT_FALSE(status->counted);
  EXPECT_EQ(status->records, 0u);
  EXPECT_THAT(status->store_id, SizeIs(32));
  EXPECT_THAT(
      status->slots,
      ElementsAre(AllOf(Field(&KeysStatus::Slot::name, "test"),
                        Field(&KeysStatus::Slot::passphrase, false),
                        Field(&KeysStatus::Slot::fingerprint, SizeIs(8)))));
  EXPECT_THAT(status->data_keys,
              ElementsAre(Field(&KeysStatus::DataKey::active, true)));
}

TEST_F(PeekKeysTest, CountsWithAKey) {
  {
    const std::unique_ptr<Store> store = Open(NewTestKeys());
    store->Set({.key = "a", .value = "1"}).value();
    store->Set({.key = "b", .value = "2"}).value();
    ASSERT_THAT(store->keys().Rotate(), IsOk());
    ASSERT_TRUE(store->keys().WaitForResealer(absl::Minutes(1)));
    store->Set({.key = "c", .value = "3"}).value();
  }
  const absl::StatusOr<KeysStatus> status = Peek(NewTestKeys());
  ASSERT_THAT(status, IsOk());
  EXPECT_TRUE(status->counted);
  EXPECT_EQ(status->records, 3u);
  ASSERT_THAT(status->data_keys, SizeIs(2));
  EXPECT_EQ(status->data_keys[0].records, 0u);
  EXPECT_FALSE(status->data_keys[0].active);
  EXPECT_EQ(status->data_keys[1].records, 3u);
  EXPECT_TRUE(status->data_keys[1].active);
  EXPECT_EQ(status->resealer.left, 0u);
}

TEST_F(PeekKeysTest, SaysTheSameAsTheOpenStore) {
  KeysStatus open;
  {
    const std::unique_ptr<Store> store = Open(NewTestKeys());
    store->Set({.key = "a", .value = "1"}).value();
    open = store->keys().GetStatus().value();
  }
  const KeysStatus peeked = Peek(NewTestKeys()).value();
  EXPECT_EQ(peeked.store_id, open.store_id);
  EXPECT_EQ(peeked.records, open.records);
  ASSERT_THAT(peeked.slots, SizeIs(1));
  EXPECT_EQ(peeked.slots[0].fingerprint, open.slots[0].fingerprint);
  EXPECT_EQ(peeked.data_keys[0].id, open.data_keys[0].id);
}

TEST_F(PeekKeysTest, PeekStoreSaysWhatIsInUse) {
  uint64_t in_use = 0;
  {
    const std::unique_ptr<Store> store = Open(NewTestKeys());
    store->Set({.key = "a", .value = std::string(100000, 'v')}).value();
    in_use = store->GetStats().value().used_bytes;
  }
  ASSERT_GT(in_use, 100000u);
  // A key is not needed.
  for (const auto& keys :
       {std::shared_ptr<const MasterKeys>(), NewTestKeys()}) {
    const absl::StatusOr<StorePeek> peek =
        PeekStore({.path = path_, .keys = keys});
    ASSERT_THAT(peek, IsOk());
    // Closing it may have taken a page or two of the list of free ones.
    EXPECT_NEAR(peek->used_bytes, in_use, 65536);
    EXPECT_EQ(peek->keys.counted, keys != nullptr);
  }
}

TEST_F(PeekKeysTest, ChangesNothingInTheFile) {
  Open(NewTestKeys())->Set({.key = "a", .value = "1"}).value();
  const std::string before = DataFile();
  ASSERT_THAT(Peek(nullptr), IsOk());
  ASSERT_THAT(Peek(NewTestKeys()), IsOk());
  EXPECT_THAT(Peek(OneKey("other")),
              HasCode(absl::StatusCode::kPermissionDenied));
  EXPECT_TRUE(DataFile() == before);
}

TEST_F(PeekKeysTest, NamesTheKeysThatWouldOpenIt) {
  Open(NewTestKeys());
  EXPECT_THAT(Peek(OneKey("other")),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr("sealed for: test"),
                             HasSubstr("configured: other"))));
}

TEST_F(PeekKeysTest, CountsAPlainStoreWhateverKeysThereAre) {
  Open(nullptr)->Set({.key = "a", .value = "1"}).value();
  for (const auto& keys : {std::shared_ptr<const MasterKeys>(), OneKey("k")}) {
    const absl::StatusOr<KeysStatus> status = Peek(keys);
    ASSERT_THAT(status, IsOk());
    EXPECT_FALSE(status->sealed);
    EXPECT_TRUE(status->counted);
    EXPECT_EQ(status->records, 1u);
    EXPECT_THAT(status->slots, IsEmpty());
  }
}

TEST_F(PeekKeysTest, RespectsTheLockOfWhoHasItOpen) {
  const std::unique_ptr<Store> store = Open(NewTestKeys());
  EXPECT_THAT(Peek(nullptr), StatusIs(absl::StatusCode::kUnavailable,
                                      HasSubstr("is held by pid ")));
}

TEST_F(PeekKeysTest, MakesNoStoreWhereThereIsNone) {
  EXPECT_THAT(Peek(nullptr), HasCode(absl::StatusCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PeekKeysTest, FindsADamagedFileBeforeLmdbMapsIt) {
  Open(NewTestKeys());
  std::filesystem::resize_file(path_ + "/data.mdb", 5000);
  EXPECT_THAT(Peek(nullptr), HasCode(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace statecpp
