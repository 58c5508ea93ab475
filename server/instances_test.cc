// SPDX-License-Identifier: Apache-2.0
//
// What becomes of an instance when it is configured, again, otherwise, not at
// all, and after a restart. Real folders and real stores throughout.
#include "server/instances.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/file_lock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/instances_for_test.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsNull;
using ::testing::NotNull;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;

// --- The first Init.

TEST_F(InstancesTest, AnInstanceThatWasNeverConfiguredIsUnavailable) {
  EXPECT_THAT(instances().Find("orders"), IsNull());
  EXPECT_THAT(instances().Recall("orders"),
              StatusIs(kUnavailable, AllOf(HasSubstr("\"orders\""),
                                           HasSubstr("restart daprd"))));
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
}

TEST_F(InstancesTest, InitMakesAStoreOfTheInstancesName) {
  const auto instance = MustInit("orders");
  EXPECT_EQ(instance->config.data_dir, "orders");
  EXPECT_THAT(instance->store->Set({.key = "a", .value = "1"}), IsOk());
  EXPECT_TRUE(fs::exists(StorePath("orders") + "/data.mdb"));
  EXPECT_THAT(instances().Recall("orders"), IsOkAndHolds(instance));
}

TEST_F(InstancesTest, TheEmptyIdIsTheDefaultInstance) {
  const auto instance = MustInit("");
  EXPECT_EQ(instances().Find("default"), instance);
  EXPECT_EQ(instance->config.data_dir, "default");
}

TEST_F(InstancesTest, AFailedInitLeavesNothing) {
  EXPECT_THAT(Init("orders", {{"maxSize", "huge"}}), HasCode(kInvalid));
  EXPECT_THAT(instances().Find("orders"), IsNull());
  EXPECT_THAT(instances().Recall("orders"), HasCode(kUnavailable));
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/instances")));
}

// --- Init again, on the same store.

TEST_F(InstancesTest, TheSameConfigurationAgainChangesNothing) {
  const auto first = MustInit("orders", {{"ttlInSeconds", "60"}});
  const CapturedLog log(dir_.Path("log"));
  const auto second = MustInit("orders", {{"ttlInSeconds", "60"}});
  EXPECT_EQ(second->store, first->store);
  EXPECT_EQ(second->config, first->config);
  EXPECT_THAT(log.Lines("warning"), IsEmpty());
}

TEST_F(InstancesTest, SettingsAreSwappedWhileTheStoreStaysOpen) {
  const auto first = MustInit("orders", {{"ttlInSeconds", "60"}});
  const auto second = MustInit("orders", {{"ttlInSeconds", "-1"},
                                          {"maxValueSize", "1Ki"},
                                          {"timeout", "5s"},
                                          {"bulkMode", "atomic"},
                                          {"maxTxnOps", "7"},
                                          {"strictMetadata", "true"}});
  EXPECT_EQ(second->store, first->store);
  const InstanceSettings& settings = second->config.settings;
  EXPECT_EQ(settings.default_ttl, std::nullopt);
  EXPECT_EQ(settings.max_value_size, 1024u);
  EXPECT_EQ(settings.timeout, absl::Seconds(5));
  EXPECT_EQ(settings.bulk_mode, BulkMode::kAtomic);
  EXPECT_EQ(settings.max_txn_ops, 7);
  EXPECT_TRUE(second->config.strict_metadata);
  // Calls in hand go on with what they found.
  EXPECT_EQ(first->config.settings.default_ttl, absl::Seconds(60));
}

TEST_F(InstancesTest, AChangeIsLoggedOnceWithBothValues) {
  MustInit("orders", {{"ttlInSeconds", "60"}, {"maxTxnOps", "1"}});
  const CapturedLog log(dir_.Path("log"));
  MustInit("orders", {{"ttlInSeconds", "90"}, {"maxTxnOps", "2"}});
  ASSERT_EQ(log.Lines("warning").size(), 1u);
  EXPECT_THAT(
      log.Lines("warning")[0],
      AllOf(HasSubstr("ttlInSeconds: 60 -> 90"), HasSubstr("maxTxnOps: 1 -> 2"),
            HasSubstr("component=\"orders\"")));
}

TEST_F(InstancesTest, OneThatDoesNotComeBackIsDownAndToldOfOnce) {
  MustInit("orders");
  instances().Close();
  fs::resize_file(StorePath("orders") + "/data.mdb", 100);
  Restart();
  const CapturedLog log(dir_.Path("log"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(instances().Recall("orders"),
                HasCode(absl::StatusCode::kDataLoss));
  }
  ASSERT_THAT(log.Lines("error"), SizeIs(1));
  EXPECT_THAT(log.Lines("error")[0],
              AllOf(HasSubstr("an instance is down"),
                    HasSubstr("component=\"orders\""), HasSubstr("damaged")));
  EXPECT_THAT(instances().Down(), ElementsAre("orders"));
  EXPECT_THAT(instances().WhyDown("orders"), HasSubstr("damaged"));
  EXPECT_EQ(instances().WhyDown("other"), "");
  EXPECT_FALSE(instances().MissesKey());
}

TEST_F(InstancesTest, CallsForOnesThatWereNeverHereAreToldOfOnceASecond) {
  const CapturedLog log(dir_.Path("log"));
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_THAT(instances().Recall(name), HasCode(kUnavailable));
  }
  ASSERT_THAT(log.Lines("error"), SizeIs(1));
  EXPECT_THAT(log.Lines("error")[0], HasSubstr("component=\"a\""));
  EXPECT_THAT(instances().Down(), IsEmpty()) << "of such names is no end";
}

TEST_F(InstancesTest, MaxSizeGrowsAndDoesNotShrink) {
  const auto instance = MustInit("orders", {{"maxSize", "16Mi"}});
  const auto max_size = [&] { return instance->store->GetStats()->max_size; };
  EXPECT_EQ(max_size(), 16u << 20);
  MustInit("orders", {{"maxSize", "32Mi"}});
  EXPECT_EQ(max_size(), 32u << 20);
  MustInit("orders", {{"maxSize", "16Mi"}});
  EXPECT_EQ(max_size(), 32u << 20);
}

TEST_F(InstancesTest, AMaxSizeThatWouldNotOpenTheStoreAgainIsRefused) {
  ASSERT_THAT(
      MustInit("orders", {{"maxSize", "16Mi"}})
          ->store->Set({.key = "a", .value = std::string(3 << 20, 'v')}),
      IsOk());
  EXPECT_THAT(Init("orders", {{"maxSize", "1Mi"}}),
              StatusIs(kInvalid, HasSubstr("nothing was opened or changed")));
  Restart();
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

TEST_F(InstancesTest, AnotherEncryptionIsRefusedAndNothingChanges) {
  UseKey(TestKeyText());
  Restart();
  const auto first = MustInit("orders", {{"ttlInSeconds", "60"}});
  const std::string remembered = Contents(RecordPath("orders"));
  EXPECT_THAT(
      Init("orders", {{"encryption", TestsAreSealed() ? "off" : "required"},
                      {"ttlInSeconds", "90"}}),
      StatusIs(kInvalid, HasSubstr("encryption")));
  EXPECT_EQ(instances().Find("orders"), first);
  EXPECT_EQ(Contents(RecordPath("orders")), remembered);
}

// --- Init again, on another store.

TEST_F(InstancesTest, AnotherFolderReplacesTheStore) {
  auto first = MustInit("orders");
  ASSERT_THAT(first->store->Set({.key = "a", .value = "1"}), IsOk());
  const auto second = MustInit("orders", {{"dataDir", "new"}});
  EXPECT_THAT(second->store->Get("a"), IsOkAndHolds(IsMissing()));

  // The former one goes when its last call has ended.
  EXPECT_THAT(first->store->Get("a"), IsOkAndHolds(HasValue("1")));
  EXPECT_TRUE(IsHeld("orders"));
  first.reset();
  EXPECT_TRUE(BecomesFree("orders"));

  const auto back = MustInit("orders");
  EXPECT_THAT(back->store->Get("a"), IsOkAndHolds(HasValue("1")));
}

TEST_F(InstancesTest, AFolderThatCannotBeOpenedLeavesTheFormerServing) {
  MustInit("orders");
  MustInit("other");
  const std::string remembered = Contents(RecordPath("orders"));
  Restart();
  const auto former = instances().Recall("orders");
  ASSERT_THAT(former, IsOk());
  {
    const FileLock held = Hold("other");
    EXPECT_THAT(Init("orders", {{"dataDir", "other"}, {"lockTimeout", "0"}}),
                StatusIs(kUnavailable, HasSubstr("is held by")));
  }
  fs::create_directory(StorePath("damaged"));
  std::ofstream(StorePath("damaged") + "/data.mdb") << "not LMDB's";
  EXPECT_THAT(Init("orders", {{"dataDir", "damaged"}}),
              HasCode(absl::StatusCode::kDataLoss));

  EXPECT_EQ(instances().Find("orders"), *former);
  EXPECT_THAT((*former)->store->Set({.key = "a", .value = "1"}), IsOk());
  EXPECT_EQ(Contents(RecordPath("orders")), remembered);
}

TEST_F(InstancesTest, TwoInstancesOnOneFolderShareTheStoreAndNothingElse) {
  const auto orders = MustInit(
      "orders",
      {{"dataDir", "shared"}, {"maxSize", "16Mi"}, {"ttlInSeconds", "60"}});
  const auto carts =
      MustInit("carts", {{"dataDir", "shared"}, {"maxSize", "32Mi"}});
  EXPECT_EQ(carts->store, orders->store);
  EXPECT_EQ(orders->store->GetStats()->max_size, 32u << 20);
  EXPECT_EQ(carts->config.settings.default_ttl, std::nullopt);
  EXPECT_EQ(instances().Find("orders")->config.settings.default_ttl,
            absl::Seconds(60));

  MustInit("carts");
  EXPECT_THAT(orders->store->Set({.key = "a", .value = "1"}), IsOk());
  EXPECT_EQ(instances().Find("orders"), orders);
}

// --- After a restart.

TEST_F(InstancesTest, AConfigurationComesBackAsItWas) {
  const Properties properties = {
      {"dataDir", "shop/orders"}, {"MAXSIZE", "16Mi"},
      {"maxValueSize", "1Ki"},    {"ttlInSeconds", "60"},
      {"cleanupInterval", "5m"},  {"timeout", "5s"},
      {"bulkMode", "atomic"},     {"maxTxnOps", "7"},
      {"lockTimeout", "1s"},      {"strictMetadata", "yes"}};
  ComponentConfig config;
  {
    const auto instance = MustInit("orders", properties);
    config = instance->config;
    ASSERT_THAT(instance->store->Set({.key = "a", .value = "1"}), IsOk());
  }
  Restart();
  EXPECT_THAT(instances().Find("orders"), IsNull()) << "only when it is used";
  const auto recalled = instances().Recall("orders");
  ASSERT_THAT(recalled, IsOk());
  EXPECT_EQ((*recalled)->config, config);
  EXPECT_THAT((*recalled)->store->Get("a"), IsOkAndHolds(HasValue("1")));
  EXPECT_EQ(instances().Find("orders"), *recalled);
}

TEST_F(InstancesTest, NothingSecretIsRemembered) {
  MustInit("orders", {{"primaryEncryptionKey", "hunter2-daprs"},
                      {"pasword", "hunter2-misspelt"},
                      {"ttlInSeconds", "60"}});
  const std::string text = Contents(RecordPath("orders"));
  EXPECT_THAT(text, AllOf(HasSubstr("ttlInSeconds"),
                          testing::Not(HasSubstr("hunter2"))));
  Restart();
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

TEST_F(InstancesTest, WhatIsRememberedNeverVetoesAnInit) {
  for (const char* text :
       {"", "{", "null", "[]", "\xff\xfe", R"({"format": 2})",
        R"({"format": 1, "instance": "carts", "properties": {}})",
        R"({"format": 1, "instance": "orders", "of": "a newer program"})",
        R"({"format": 1, "instance": "orders",
            "properties": {"maxSize": "huge"}})"}) {
    std::ofstream(RecordPath("orders")) << text;
    Restart();
    const auto recalled = instances().Recall("orders");
    EXPECT_FALSE(recalled.ok()) << text;
    EXPECT_THAT(instances().Find("orders"), IsNull());
    MustInit("orders", {{"ttlInSeconds", "60"}});
    Restart();
    EXPECT_THAT(instances().Recall("orders"), IsOk()) << text;
  }
}

TEST_F(InstancesTest, ADamagedFileSaysWhatToDo) {
  std::ofstream(RecordPath("orders")) << "{";
  EXPECT_THAT(instances().Recall("orders"),
              StatusIs(kUnavailable,
                       AllOf(HasSubstr("\"orders\""), HasSubstr("not JSON"),
                             HasSubstr("restart daprd"))));
}

// The folder's file is gone, or may not be written: what is served and what
// would come back must not differ.
TEST_F(InstancesTest, WhatCannotBeRememberedIsNotServed) {
  const auto first = MustInit("orders", {{"ttlInSeconds", "60"}});
  fs::rename(dir_.Path("data/instances"), dir_.Path("away"));
  EXPECT_FALSE(Init("orders", {{"ttlInSeconds", "90"}}).ok());
  EXPECT_FALSE(Init("carts").ok());
  EXPECT_EQ(instances().Find("orders"), first);
  EXPECT_THAT(instances().Find("carts"), IsNull());
  EXPECT_TRUE(BecomesFree("carts"));

  fs::rename(dir_.Path("away"), dir_.Path("data/instances"));
  MustInit("orders", {{"ttlInSeconds", "90"}});
}

TEST_F(InstancesTest, RecallDoesNotWaitForAnotherProcess) {
  MustInit("orders", {{"lockTimeout", "1h"}});
  Restart();
  std::optional<FileLock> held = Hold("orders");
  EXPECT_THAT(instances().Recall("orders"),
              StatusIs(kUnavailable, HasSubstr("is held by")));
  held.reset();
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

// --- Names.

TEST_F(InstancesTest, InstancesOfAnyNameAreKeptApart) {
  const std::vector<std::string> names = {"a/b",     "a%2Fb",
                                          "..",      "../a",
                                          ".hidden", "a b",
                                          "LOCK",    "\xc3\xbc",
                                          "a\nb",    "*",
                                          "a\\b",    "con:figure",
                                          "stores",  std::string(240, 'n')};
  for (const std::string& name : names) {
    const auto instance = MustInit(name);
    ASSERT_THAT(instance->store->Set({.key = "name", .value = name}), IsOk());
  }
  Restart();
  for (const std::string& name : names) {
    const auto recalled = instances().Recall(name);
    ASSERT_THAT(recalled, IsOk()) << name;
    EXPECT_THAT((*recalled)->store->Get("name"), IsOkAndHolds(HasValue(name)));
  }
  std::vector<std::string> outside;
  for (const auto& entry : fs::directory_iterator(dir_.Path("data"))) {
    outside.push_back(entry.path().filename());
  }
  EXPECT_THAT(outside, UnorderedElementsAre("LOCK", "stores", "instances"));
}

TEST_F(InstancesTest, ANameTooLongForAFileIsRefusedBeforeAnythingIsMade) {
  const std::string name(300, 'n');
  EXPECT_THAT(Init(name), StatusIs(kInvalid, HasSubstr("shorter name")));
  EXPECT_THAT(Init(name, {{"dataDir", "short"}}),
              StatusIs(kInvalid, HasSubstr("shorter name")));
  EXPECT_THAT(instances().Find(name), IsNull());
  EXPECT_THAT(instances().Recall(name), HasCode(kInvalid));
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
}

// --- Many at once, and the end.

TEST_F(InstancesTest, WhoeverRecallsAtOnceGetsTheSameStore) {
  MustInit("orders");
  Restart();
  std::vector<std::shared_ptr<const Instance>> found(8);
  std::vector<std::thread> threads;
  for (auto& instance : found) {
    threads.emplace_back(
        [&] { instance = instances().Recall("orders").value_or(nullptr); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& instance : found) {
    ASSERT_THAT(instance, NotNull());
    EXPECT_EQ(instance->store, found[0]->store);
  }
}

TEST_F(InstancesTest, OfManyInitsAtOnceTheOneThatIsServedIsRemembered) {
  std::vector<std::thread> threads;
  for (int i = 1; i <= 8; ++i) {
    threads.emplace_back([this, i] {
      EXPECT_THAT(Init("orders", {{"dataDir", absl::StrCat("d", i % 3)},
                                  {"maxTxnOps", absl::StrCat(i)}}),
                  IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const ComponentConfig served = instances().Find("orders")->config;
  Restart();
  const auto recalled = instances().Recall("orders");
  ASSERT_THAT(recalled, IsOk());
  EXPECT_EQ((*recalled)->config, served);
}

TEST_F(InstancesTest, CloseLetsGoOfStoresWhenTheirCallsHaveEnded) {
  auto orders = MustInit("orders");
  MustInit("carts");
  instances().Close();
  EXPECT_THAT(instances().Find("orders"), IsNull());
  EXPECT_TRUE(BecomesFree("carts"));
  EXPECT_TRUE(IsHeld("orders"));
  orders.reset();
  EXPECT_TRUE(BecomesFree("orders"));
}

}  // namespace
}  // namespace statecpp
