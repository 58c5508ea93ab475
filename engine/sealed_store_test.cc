// SPDX-License-Identifier: Apache-2.0
//
// A sealed store and everybody who opens it: with the right key, another one or
// none, and after somebody changed its file behind its back.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/checksum.h"
#include "engine/record.h"
#include "engine/store.h"
#include "engine/store_header.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/stored_records.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Table = LmdbEnvironment::Table;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
constexpr absl::StatusCode kWrongKey = absl::StatusCode::kPermissionDenied;

std::shared_ptr<const MasterKeys> KeyOf(uint8_t byte, std::string name) {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(MasterKey::FromKey(
      std::move(name), Secret(std::vector<uint8_t>(Secret::kSize, byte))));
  return keys;
}

class SealedStoreTest : public ::testing::Test {
 protected:
  absl::Status TryOpen(std::shared_ptr<const MasterKeys> keys) {
    store_.reset();
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_, .keys = std::move(keys)});
    if (store.ok()) store_ = *std::move(store);
    return store.status();
  }
  void Open() { ASSERT_THAT(TryOpen(keys_), IsOk()); }
  void Close() { store_.reset(); }

  // Makes a store with one item, and closes it.
  void MakeStore() {
    Open();
    ASSERT_THAT(store_->Set({.key = "a", .value = "1"}), IsOk());
    Close();
  }

  std::string FileBytes() const {
    std::ifstream in(path_ + "/data.mdb", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  // Of the store's parent.
  std::vector<std::string> Listing() const {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(dir_.path())) {
      names.push_back(entry.path().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::shared_ptr<const MasterKeys> keys_ = NewTestKeys();
  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  std::unique_ptr<Store> store_;
};

TEST_F(SealedStoreTest, AWrongKeyIsToldFromTheRightOneAndChangesNothing) {
  MakeStore();
  const std::string before = FileBytes();
  const std::vector<std::string> listing = Listing();
  EXPECT_THAT(
      TryOpen(KeyOf(7, "staging")),
      StatusIs(kWrongKey,
               AllOf(HasSubstr("sealed for: test ("),
                     HasSubstr("configured: staging ("), HasSubstr(path_),
                     HasSubstr("nothing was opened or changed"))));
  EXPECT_EQ(FileBytes(), before);
  EXPECT_EQ(Listing(), listing);
  Open();
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("1")));
}

TEST_F(SealedStoreTest, WithoutAKeyNothingIsOpenedOrMade) {
  MakeStore();
  const std::string before = FileBytes();
  const std::vector<std::string> listing = Listing();
  EXPECT_THAT(TryOpen(nullptr),
              StatusIs(kWrongKey,
                       AllOf(HasSubstr("is sealed, and no key is configured"),
                             HasSubstr("sealed for: test ("))));
  EXPECT_EQ(FileBytes(), before);
  EXPECT_EQ(Listing(), listing);
}

TEST_F(SealedStoreTest, AKeyDoesNotOpenAPlainStore) {
  ASSERT_THAT(TryOpen(nullptr), IsOk());
  ASSERT_THAT(store_->Set({.key = "a", .value = "1"}), IsOk());
  Close();
  const std::string before = FileBytes();
  EXPECT_THAT(TryOpen(keys_), StatusIs(absl::StatusCode::kInvalidArgument,
                                       AllOf(HasSubstr("is not encrypted"),
                                             HasSubstr("statecpp encrypt"),
                                             HasSubstr("nothing was opened"))));
  EXPECT_EQ(FileBytes(), before);
  ASSERT_THAT(TryOpen(nullptr), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("1")));
}

// A crash right after finds a store that knows its key, and no record yet.
TEST_F(SealedStoreTest, IsMadeWithItsHeaderBeforeItsFirstRecord) {
  for (const bool folder_is_there : {false, true}) {
    std::filesystem::remove_all(path_);
    if (folder_is_there) {
      ASSERT_TRUE(std::filesystem::create_directory(path_));
    }
    Open();
    EXPECT_TRUE(store_->keys().GetStatus()->sealed);
    Close();
    const StoreHeader header =
        ReadHeader(StoredMeta(path_, "header"), path_).value();
    EXPECT_TRUE(header.sealed);
    EXPECT_THAT(header.slots, SizeIs(1));
    EXPECT_THAT(StoredRecords(path_), IsEmpty());
  }
}

TEST_F(SealedStoreTest, IsNotMadeUnderAKeyThatCannotBeNamed) {
  for (const std::string& name :
       {std::string(), std::string(65, 'n'), std::string(300, 'n'),
        std::string("a b"), std::string("a\0b", 3)}) {
    EXPECT_THAT(TryOpen(KeyOf(7, name)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("is no name for a key")));
    EXPECT_THAT(Listing(), IsEmpty());
  }
}

TEST_F(SealedStoreTest, StoresUnderOneKeyHaveNothingElseInCommon) {
  MakeStore();
  const std::string first_header = StoredMeta(path_, "header");
  const auto first = StoredRecords(path_);
  const MemoryDir other_dir;
  const std::string other = other_dir.Path("store");
  ASSERT_THAT((*Store::Open({.path = other, .keys = keys_}))
                  ->Set({.key = "a", .value = "1"}),
              IsOk());
  const auto second = StoredRecords(other);
  EXPECT_NE(first.begin()->first, second.begin()->first);

  // Nor does a record or a header of one open in the other.
  Plant(path_, Table::kRecords, first.begin()->first, second.begin()->second);
  Open();
  EXPECT_THAT(store_->Get("a"), HasCode(kDataLoss));
  Close();
  Plant(path_, Table::kMeta, "header", StoredMeta(other, "header"));
  EXPECT_THAT(TryOpen(keys_),
              StatusIs(kDataLoss, HasSubstr("its accumulator does not open")));
  Plant(path_, Table::kMeta, "header", first_header);
  EXPECT_THAT(TryOpen(keys_), IsOk());
}

TEST_F(SealedStoreTest, ADamagedHeaderIsNoWrongKey) {
  MakeStore();
  const std::string header = StoredMeta(path_, "header");
  for (const size_t at : {0, 20, 40, 70, 200, 250, 265}) {
    ASSERT_LT(at, header.size());
    std::string damaged = header;
    damaged[at] ^= 0x10;
    Plant(path_, Table::kMeta, "header", damaged);
    for (const auto& keys : {keys_, KeyOf(7, "staging")}) {
      EXPECT_THAT(
          TryOpen(keys),
          StatusIs(kDataLoss, AllOf(HasSubstr("the header of the store at"),
                                    HasSubstr("is damaged"))));
    }
  }
  Plant(path_, Table::kMeta, "header", header);
  const std::string accumulator = StoredMeta(path_, "acc");
  for (size_t at = 0; at < accumulator.size(); at += 20) {
    std::string damaged = accumulator;
    damaged[at] ^= 0x10;
    Plant(path_, Table::kMeta, "acc", damaged);
    EXPECT_THAT(TryOpen(keys_), HasCode(kDataLoss)) << at;
  }
  Plant(path_, Table::kMeta, "acc", accumulator);
  EXPECT_THAT(TryOpen(keys_), IsOk());
}

TEST_F(SealedStoreTest, AStoreForNewerProgramsIsLeftAlone) {
  MakeStore();
  std::string header = StoredMeta(path_, "header");
  header[10] = 2;
  const Checksum checksum =
      ChecksumOf(absl::string_view(header).substr(0, header.size() - 16));
  std::copy(checksum.begin(), checksum.end(), header.end() - 16);
  Plant(path_, Table::kMeta, "header", header);
  const std::string before = FileBytes();
  EXPECT_THAT(TryOpen(keys_), StatusIs(absl::StatusCode::kUnimplemented,
                                       AllOf(HasSubstr("has format 2"),
                                             HasSubstr("up to format 1"))));
  EXPECT_EQ(FileBytes(), before);
}

// A record that was put there by somebody else, and what is said of it.
class PlantedRecordTest : public SealedStoreTest {
 protected:
  void SetUp() override {
    MakeStore();
    Open();
    ASSERT_THAT(store_->Set({.key = "b", .value = "whole"}), IsOk());
    etag_ = store_->Get("a").value()->etag;
    keyring_ = OpenHeaderOf(path_);
    Close();
    place_ = RecordPlaceOf("a");
    record_ = StoredRecords(path_)[place_];
  }

  std::shared_ptr<const Keyring> OpenHeaderOf(const std::string& path) {
    Close();
    return OpenHeader(StoredMeta(path, "header"), keys_.get(), path)->keyring;
  }
  std::string RecordPlaceOf(absl::string_view key) {
    for (const auto& [place, record] : StoredRecords(path_)) {
      const auto reader = RecordReader::Open(*keyring_, place, record);
      if (reader.ok() && reader->key() == key) return place;
    }
    ADD_FAILURE() << "there is no record of " << key;
    return "";
  }

  // Everything that asks for the item is told so, and what does not need to
  // know what was there goes on.
  void ExpectRefused(const std::string& planted, const std::string& reason) {
    Plant(path_, Table::kRecords, place_, planted);
    Open();
    const auto is_refused =
        StatusIs(kDataLoss, AllOf(HasSubstr("the record is damaged: " + reason),
                                  HasSubstr("it was not read as missing")));
    EXPECT_THAT(store_->Get("a"), is_refused);
    const auto both = store_->BulkGet({"a", "b"});
    ASSERT_THAT(both, IsOk());
    EXPECT_THAT((*both)[0], is_refused);
    EXPECT_THAT((*both)[1], IsOkAndHolds(HasValue("whole")));
    EXPECT_THAT(store_->Set({.key = "a",
                             .value = "2",
                             .precondition = Precondition::Match(etag_)}),
                is_refused);
    EXPECT_THAT(store_->Delete(
                    {.key = "a", .precondition = Precondition::Match(etag_)}),
                is_refused);
    EXPECT_THAT(
        store_->Set(
            {.key = "a", .value = "2", .precondition = Precondition::Absent()}),
        is_refused);
    EXPECT_THAT(store_->CheckIntegrity(), HasCode(kDataLoss));
    Close();
    EXPECT_EQ(StoredRecords(path_)[place_], planted);
  }

  std::string RecordWith(size_t at, int byte) const {
    std::string record = record_;
    record[at] = static_cast<char>(byte);
    return record;
  }

  ETag etag_{0};
  std::shared_ptr<const Keyring> keyring_;
  std::string place_;
  std::string record_;
};

TEST_F(PlantedRecordTest, APlainOneIsRefused) {
  const auto plain = Keyring::Plain(keyring_->root(), keyring_->store_id());
  const std::string planted = SealRecord(*plain, SystemRandom(), place_,
                                         {.version = etag_.version(),
                                          .expires_ms = 0,
                                          .key = "a",
                                          .content_type = "",
                                          .value = "planted"});
  ASSERT_THAT(RecordReader::Open(*plain, place_, planted), IsOk());
  ExpectRefused(planted, "a plain record in a sealed store");
}

TEST_F(PlantedRecordTest, IsRefusedForExactlyWhatIsUnknownInIt) {
  ExpectRefused(RecordWith(0, 0), "unknown format 0");
  ExpectRefused(RecordWith(0, 2), "unknown format 2");
  ExpectRefused(RecordWith(1, 2), "unknown algorithm 2");
  ExpectRefused(RecordWith(2, 4), "a reserved bit is set");
  ExpectRefused(RecordWith(3, 1), "a reserved bit is set");
  std::string foreign_key = RecordWith(4, 999 & 0xff);
  foreign_key[5] = 999 >> 8;
  ExpectRefused(foreign_key, "data key 999 is not in this store");
  ExpectRefused(record_.substr(0, 77), "truncated to 77 bytes");
  ExpectRefused(record_ + 'x', "1 trailing bytes");
  ExpectRefused(RecordWith(record_.size() - 1, record_.back() ^ 1),
                "its tag does not fit bytes, key and place");
}

TEST_F(PlantedRecordTest, OneUnderARetiredKeyIsRefused) {
  Open();
  ASSERT_THAT(store_->keys().Rotate(), IsOkAndHolds(2u));
  ASSERT_TRUE(store_->keys().WaitForResealer(absl::Minutes(1)));
  ASSERT_THAT(store_->keys().Retire(1), IsOk());
  Close();
  ExpectRefused(record_, "data key 1 is not in this store: it was retired");
  // It is overwritten by who asks for nothing.
  Open();
  EXPECT_THAT(store_->Set({.key = "a", .value = "3"}), IsOk());
  EXPECT_THAT(store_->Get("a"), IsOkAndHolds(HasValue("3")));
}

TEST_F(PlantedRecordTest, OneOfAnotherKeyOfTheStoreIsRefused) {
  ExpectRefused(StoredRecords(path_)[RecordPlaceOf("b")],
                "its tag does not fit bytes, key and place");
}

TEST_F(SealedStoreTest, KeepsKeysAndValuesOfEveryShape) {
  Open();
  const std::string large(4 << 20, 'v');
  std::map<std::string, std::string> items;
  for (const std::string& key :
       {std::string("k"), std::string(4096, 'k'), std::string("a\0b", 3),
        std::string(1, '\0'), std::string("|||"), std::string("||"),
        std::string("||||"), std::string("a||||b"), std::string("a||"),
        std::string("||a"), std::string("a|||b"),
        std::string("1||2||3||4||5||6||7||8||9||10"),
        std::string("ключ||鍵||🔑"), std::string("\xff\xfe")}) {
    items[key] = absl::StrCat("value of ", key);
  }
  items["empty"] = "";
  items["at the split"] = std::string(1024, 's');
  items["past the split"] = std::string(1025, 's');
  items["large"] = large;
  items["zeros"] = std::string(5000, '\0');
  for (const auto& [key, value] : items) {
    ASSERT_THAT(store_->Set({.key = key, .value = value}), IsOk());
  }
  for (const bool reopened : {false, true}) {
    if (reopened) Open();
    for (const auto& [key, value] : items) {
      // An empty value is there, and not absent.
      EXPECT_THAT(store_->Get(key), IsOkAndHolds(HasValue(value))) << key;
    }
  }
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
  EXPECT_THAT(store_->Get("|"), IsOkAndHolds(IsMissing()));
}

TEST_F(SealedStoreTest, SealsOneValueAThousandTimesUnderAThousandNonces) {
  Open();
  std::vector<WriteOp> ops;
  for (int i = 0; i < 1000; ++i) {
    ops.push_back({.key = absl::StrCat(i), .value = "the same"});
  }
  for (const auto& result : store_->BulkWrite(std::move(ops))) {
    ASSERT_THAT(result, IsOk());
  }
  Close();
  std::set<std::string> nonces;
  std::set<std::string> texts;
  for (const auto& [place, record] : StoredRecords(path_)) {
    const RecordFrame frame = RecordFrame::Parse(record).value();
    nonces.emplace(frame.nonce);
    texts.emplace(frame.head);
  }
  EXPECT_THAT(nonces, SizeIs(1000));
  EXPECT_THAT(texts, SizeIs(1000));
}

}  // namespace
}  // namespace statecpp
