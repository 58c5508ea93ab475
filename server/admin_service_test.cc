// SPDX-License-Identifier: Apache-2.0
//
// Which store a request finds, how it is opened for it, and with whose keys.
// What is then done to it is tested on the program
// (tests/program/keys_test.cc).
#include "server/admin_service.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/instances_for_test.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class Listener final : public AdminListener {
 public:
  bool Tell(const AdminReply& reply) override {
    told.push_back(reply);
    return true;
  }
  bool LeavesWithin(absl::Duration) override { return false; }

  std::vector<AdminReply> told;
};

class AdminServiceTest : public InstancesTest {
 protected:
  AdminServiceTest() {
    UseKey(TestKeyText());
    Restart();
  }

  std::shared_ptr<const Instance> MustInit(absl::string_view id,
                                           Properties properties = {}) {
    properties.emplace("encryption", "required");
    return InstancesTest::MustInit(id, std::move(properties));
  }

  absl::Status Ask(const AdminRequest& request) {
    told_.clear();
    Listener listener;
    absl::Status answered =
        AdminService(root(), instances()).Answer(request, listener);
    told_ = std::move(listener.told);
    return answered;
  }

  absl::Status Ask(AdminRequest::Verb verb,
                   const std::string& data_dir = "orders") {
    return Ask({.data_dir = data_dir, .verb = std::move(verb)});
  }

  // The one answer.
  template <typename Reply>
  Reply Told() {
    EXPECT_THAT(told_, SizeIs(1));
    return std::get<Reply>(told_.at(0));
  }

  std::vector<AdminStore> Stores() {
    EXPECT_THAT(Ask(AdminRequest{.verb = AdminRequest::ListStores{}}), IsOk());
    std::vector<AdminStore> stores;
    for (const AdminReply& reply : told_) {
      stores.push_back(std::get<AdminStore>(reply));
    }
    return stores;
  }

  // In a folder that components may name, once the server is restarted.
  std::string WriteKeyFile(absl::string_view name, absl::string_view text) {
    key_options_.key_folder = dir_.Path("keys");
    mkdir(key_options_.key_folder.c_str(), 0700);
    const std::string path = absl::StrCat(key_options_.key_folder, "/", name);
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(chmod(path.c_str(), 0600), 0);
    return path;
  }

  static auto IsStore(const std::string& data_dir, bool open, bool sealed) {
    return AllOf(Field(&AdminStore::data_dir, data_dir),
                 Field(&AdminStore::open, open),
                 Field(&AdminStore::sealed, sealed));
  }

 private:
  std::vector<AdminReply> told_;
};

// --- The list.

TEST_F(AdminServiceTest, ListsStoresByTheNamesOfTheirComponents) {
  EXPECT_THAT(Stores(), IsEmpty());
  MustInit("a", {{"dataDir", "shop/orders"}});
  MustInit("b", {{"encryption", "off"}});
  fs::create_directory(StorePath(".new-XYZ"));
  EXPECT_THAT(Stores(), UnorderedElementsAre(IsStore("shop/orders", true, true),
                                             IsStore("b", true, false)));
  Restart();
  EXPECT_THAT(Stores(),
              UnorderedElementsAre(IsStore("shop/orders", false, false),
                                   IsStore("b", false, false)));
}

// --- Finding a store.

TEST_F(AdminServiceTest, WorksOnTheStoreThatIsOpen) {
  const auto instance = MustInit("orders");
  instance->store->Set({.key = "a", .value = "1"}).value();
  ASSERT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  EXPECT_EQ(Told<KeysStatus>().records, 1u);
  EXPECT_THAT(instances().StoreForAdmin("orders")->store, instance->store);
}

TEST_F(AdminServiceTest, RecallsAnInstanceOfTheStore) {
  MustInit("b", {{"dataDir", "orders"}, {"maxSize", "64Mi"}});
  Restart();
  ASSERT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  EXPECT_EQ(Told<KeysStatus>().slots.at(0).name, "test");
  ASSERT_NE(instances().Find("b"), nullptr);
  EXPECT_EQ(instances().Find("b")->store->GetStats()->max_size, 64u << 20);
}

TEST_F(AdminServiceTest, OpensAStoreThatNoInstanceIsRememberedFor) {
  const std::vector<std::string> encryptions = {"required", "off"};
  for (const std::string& encryption : encryptions) {
    MustInit(encryption, {{"encryption", encryption}});
  }
  Restart();
  for (const std::string& encryption : encryptions) {
    fs::remove(RecordPath(encryption));
    EXPECT_THAT(Ask(AdminRequest::GetKeysStatus{}, encryption), IsOk());
  }
  EXPECT_THAT(Stores(), UnorderedElementsAre(IsStore("required", true, true),
                                             IsStore("off", true, false)));
}

// Else a rotation that it was opened for would end with the request.
TEST_F(AdminServiceTest, AStoreThatIsOpenForAdminStaysOpen) {
  MustInit("orders");
  Restart();
  fs::remove(RecordPath("orders"));
  ASSERT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  EXPECT_TRUE(IsHeld("orders"));
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  }
  instances().Close();
  EXPECT_TRUE(BecomesFree("orders"));
}

TEST_F(AdminServiceTest, AStoreThatIsOpenForAdminIsSharedByTheInstance) {
  MustInit("orders");
  Restart();
  fs::remove(RecordPath("orders"));
  const auto for_admin = instances().StoreForAdmin("orders");
  ASSERT_THAT(for_admin, IsOk());
  EXPECT_EQ(MustInit("orders")->store, for_admin->store);
}

TEST_F(AdminServiceTest, MakesNoStore) {
  MustInit("orders");
  Restart();
  fs::remove_all(StorePath("orders"));
  for (const std::string name :
       {"orders", "none", "", "..", "../stores/orders", "/etc", "a//b"}) {
    EXPECT_THAT(Ask(AdminRequest::GetKeysStatus{}, name),
                HasCode(absl::StatusCode::kNotFound))
        << name;
  }
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
}

TEST_F(AdminServiceTest, FindsAStoreThatIsOpenThoughItsFolderIsGone) {
  MustInit("orders");
  fs::rename(StorePath("orders"), dir_.Path("away"));
  EXPECT_THAT(Stores(), UnorderedElementsAre(IsStore("orders", true, true)));
  EXPECT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  Restart();
  EXPECT_THAT(Stores(), IsEmpty());
  EXPECT_THAT(Ask(AdminRequest::GetKeysStatus{}),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(AdminServiceTest, AStoreThatIsHeldElsewhereIsNotWaitedFor) {
  MustInit("orders");
  Restart();
  ASSERT_TRUE(BecomesFree("orders"));
  const FileLock held = Hold("orders");
  EXPECT_THAT(
      Ask(AdminRequest::GetKeysStatus{}),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("is held by")));
  fs::remove(RecordPath("orders"));
  EXPECT_THAT(
      Ask(AdminRequest::GetKeysStatus{}),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("is held by")));
}

TEST_F(AdminServiceTest, ShowsTheSlotsOfAStoreThatNoKeyOpens) {
  MustInit("orders");
  UseKey(OtherKeyText());
  Restart();
  ASSERT_TRUE(BecomesFree("orders"));
  ASSERT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  EXPECT_FALSE(Told<KeysStatus>().counted);
  EXPECT_EQ(Told<KeysStatus>().slots.at(0).name, "test");
  for (const AdminRequest::Verb& verb :
       {AdminRequest::Verb(AdminRequest::RotateDataKey{}),
        AdminRequest::Verb(AdminRequest::RetireDataKeys{}),
        AdminRequest::Verb(AdminRequest::RemoveKey{"test"})}) {
    EXPECT_THAT(Ask(verb), HasCode(absl::StatusCode::kPermissionDenied));
  }
}

// --- The keys that remain.

TEST_F(AdminServiceTest, TheServersKeyRemains) {
  MustInit("orders");
  const std::string other = WriteKeyFile("other", OtherKeyText());
  ASSERT_THAT(Ask(AdminRequest::AddKey{.file = other}), IsOk());
  EXPECT_EQ(Told<KeysStatus::Slot>().name, "other");
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"test"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the configured keys open")));
  // Not that of the start, but that of now.
  UseKey(OtherKeyText());
  Restart();
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"other"}),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"test"}), IsOk());
}

TEST_F(AdminServiceTest, TheKeysOfComponentsRemain) {
  const std::string other = WriteKeyFile("other", OtherKeyText());
  Restart();
  MustInit("orders", {{"encryptionKeyFile", "other"}});
  // The server's own key opens it, too, until it is removed; the component's
  // is the one that remains.
  const std::string own = WriteKeyFile("own", TestKeyText());
  ASSERT_THAT(Ask(AdminRequest::AddKey{.file = own}), IsOk());
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"own"}), IsOk());
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"other"}),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST_F(AdminServiceTest, AComponentsKeyCountsWhileItIsOnlyRemembered) {
  const std::string other = WriteKeyFile("other", OtherKeyText());
  key_options_.source = nullptr;
  Restart();
  MustInit("orders", {{"encryptionKeyFile", "other"}});
  const std::string own = WriteKeyFile("own", TestKeyText());
  ASSERT_THAT(Ask(AdminRequest::AddKey{.file = own}), IsOk());
  Restart();
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"own"}), IsOk());
}

// A key that came with Init is not there after a restart, so it must not be the
// only one that opens the store.
TEST_F(AdminServiceTest, AKeyThatCameWithInitDoesNotRemain) {
  key_options_.source = nullptr;
  Restart();
  MustInit("orders", {{"encryptionKey", OtherKeyText()}});
  const std::string own = WriteKeyFile("own", TestKeyText());
  ASSERT_THAT(Ask(AdminRequest::AddKey{.file = own}), IsOk());
  EXPECT_THAT(Ask(AdminRequest::RemoveKey{"own"}),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("came with its Init")));
}

// --- The log.

TEST_F(AdminServiceTest, LogsChangesAndNothingElse) {
  MustInit("orders");
  const std::string other = WriteKeyFile("other", OtherKeyText());
  const CapturedLog log(dir_.Path("log"));
  ASSERT_THAT(Ask(AdminRequest::GetKeysStatus{}), IsOk());
  EXPECT_THAT(log.Lines("info"), IsEmpty());
  ASSERT_THAT(Ask(AdminRequest::AddKey{.file = other, .name = "next"}), IsOk());
  ASSERT_THAT(Ask(AdminRequest::RotateDataKey{}), IsOk());
  EXPECT_THAT(log.Lines("info"),
              ::testing::ElementsAre(
                  AllOf(HasSubstr("keys changed"), HasSubstr("keys add next"),
                        HasSubstr("dataDir=\"orders\"")),
                  HasSubstr("keys rotate")));
  EXPECT_FALSE(Ask(AdminRequest::RemoveKey{"test"}).ok());
  EXPECT_THAT(log.Lines("warning"),
              ::testing::ElementsAre(AllOf(HasSubstr("keys not changed"),
                                           HasSubstr("keys remove test"))));
}

}  // namespace
}  // namespace statecpp
