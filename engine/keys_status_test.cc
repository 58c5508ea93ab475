// SPDX-License-Identifier: Apache-2.0
//
// What can be read of a store's keys while nobody has it open, and that reading
// changes nothing.
#include "engine/keys_status.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/file_lock.h"
#include "engine/lmdb_file.h"
#include "engine/lmdb_page.h"
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
using ::testing::ContainerEq;
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

  std::string File(const std::string& name) const {
    return absl::StrCat(path_, "/", name);
  }

  // All that is in the folder: names, and of each what any change of it would
  // change.
  std::vector<std::string> Inventory() const {
    std::vector<std::string> all = {LineOf(path_)};
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      all.push_back(LineOf(entry.path()));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  // Makes the page of the tables' names a branch that leads to one page, which
  // LMDB never writes.
  void BreakTables() const {
    const int fd = open(File("data.mdb").c_str(), O_RDWR | O_CLOEXEC);
    const LmdbMeta meta = ReadNewerMeta(fd).value();
    const uint16_t flags_and_lower[] = {LmdbPage::kBranch,
                                        LmdbPage::kHeaderSize + 2};
    EXPECT_EQ(pwrite(fd, flags_and_lower, sizeof(flags_and_lower),
                     meta.names.root * meta.page_size + 10),
              static_cast<ssize_t>(sizeof(flags_and_lower)));
    close(fd);
  }

  TempDir dir_;
  const std::string path_ = dir_.Path("store");

 private:
  static std::string LineOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return absl::StrCat(path, " inode ", info.st_ino, " size ", info.st_size,
                        " written ", info.st_mtim.tv_sec, ".",
                        info.st_mtim.tv_nsec, " changed ", info.st_ctim.tv_sec,
                        ".", info.st_ctim.tv_nsec);
  }
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

TEST_F(PeekKeysTest, ChangesNothingInTheFolder) {
  Open(NewTestKeys())->Set({.key = "a", .value = "1"}).value();
  // Also where the data file alone was copied into place.
  for (const char* removed : {"", "LOCK", "lock.mdb"}) {
    if (*removed != '\0') std::filesystem::remove(File(removed));
    const std::vector<std::string> before = Inventory();
    ASSERT_THAT(Peek(nullptr), IsOk());
    ASSERT_THAT(Peek(NewTestKeys()), IsOk());
    EXPECT_THAT(Peek(OneKey("other")),
                HasCode(absl::StatusCode::kPermissionDenied));
    EXPECT_THAT(Inventory(), ContainerEq(before)) << removed;
  }
}

TEST_F(PeekKeysTest, LeavesAFormerStoreForWhoOpensThisOne) {
  Open(nullptr);
  const std::string former = dir_.Path(".new-former");
  std::filesystem::create_directory(former);
  const timespec long_ago[2] = {};
  ASSERT_EQ(utimensat(AT_FDCWD, former.c_str(), long_ago, 0), 0);
  ASSERT_THAT(Peek(nullptr), IsOk());
  EXPECT_TRUE(std::filesystem::exists(former));
  Open(nullptr);
  EXPECT_FALSE(std::filesystem::exists(former));
}

TEST_F(PeekKeysTest, LooksBesideOthersWhoLook) {
  Open(nullptr);
  const absl::StatusOr<SharedFileLock> other =
      SharedFileLock::Acquire(File("LOCK"));
  ASSERT_THAT(other, IsOk());
  EXPECT_THAT(Peek(nullptr), IsOk());
}

// Somebody may be writing it, whose lock is in another folder.
TEST_F(PeekKeysTest, DoesNotLookAtAFileThatHasAnotherName) {
  Open(nullptr);
  std::filesystem::create_hard_link(File("data.mdb"), dir_.Path("other"));
  EXPECT_THAT(Peek(nullptr), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("it has 2 names")));
  std::filesystem::remove(File("data.mdb"));
  std::filesystem::create_symlink(dir_.Path("other"), File("data.mdb"));
  EXPECT_THAT(Peek(nullptr), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("it is a link")));
}

TEST_F(PeekKeysTest, WaitsForNoPipe) {
  Open(nullptr);
  std::filesystem::remove(File("data.mdb"));
  ASSERT_EQ(mkfifo(File("data.mdb").c_str(), 0600), 0);
  EXPECT_THAT(Peek(nullptr), StatusIs(absl::StatusCode::kDataLoss,
                                      HasSubstr("not a regular file")));
  std::filesystem::remove(File("LOCK"));
  ASSERT_EQ(mkfifo(File("LOCK").c_str(), 0600), 0);
  EXPECT_THAT(Peek(nullptr), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("not a regular file")));
}

TEST_F(PeekKeysTest, TellsOfStructuresThatLmdbFindsBroken) {
  Open(nullptr);
  BreakTables();
  EXPECT_EXIT(
      PeekKeys({.path = path_, .on_assertion = [](const char*) { _exit(70); }})
          .IgnoreError(),
      ::testing::ExitedWithCode(70), "");
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
