// SPDX-License-Identifier: Apache-2.0
//
// The keys of instances: the server's, the component's own, one that is
// forgotten, none.
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "crypto/key_source.h"
#include "crypto/secret_bytes.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/instances.h"
#include "server/instances_for_test.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsNull;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kDenied = absl::StatusCode::kPermissionDenied;
constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;

// Every component here is sealed, as components are, unless it says otherwise.
class InstanceKeysTest : public InstancesTest {
 protected:
  absl::Status Init(absl::string_view id, Properties properties = {}) {
    properties.emplace("encryption", "");
    return InstancesTest::Init(id, std::move(properties));
  }

  std::shared_ptr<const Instance> MustInit(absl::string_view id,
                                           Properties properties = {}) {
    properties.emplace("encryption", "");
    return InstancesTest::MustInit(id, std::move(properties));
  }

  void UseNoKey() { key_options_.source = nullptr; }

  // A key in a file that components may name.
  void WriteKeyFile(absl::string_view name, absl::string_view text) {
    key_options_.key_folder = dir_.Path("keys");
    mkdir(key_options_.key_folder.c_str(), 0700);
    const std::string path = absl::StrCat(key_options_.key_folder, "/", name);
    std::ofstream(path, std::ios::binary) << text;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  }

  static std::string SlotName(const Instance& instance) {
    const auto status = instance.store->keys().GetStatus();
    return status.ok() && status->slots.size() == 1 ? status->slots[0].name
                                                    : "(not one slot)";
  }
};

// --- The server's key.

TEST_F(InstanceKeysTest, AStoreIsSealedUnderTheServersKey) {
  UseKey(TestKeyText());
  Restart();
  {
    const auto instance = MustInit("orders");
    EXPECT_EQ(SlotName(*instance), "test");
    ASSERT_THAT(instance->store->Set({.key = "a", .value = "1"}), IsOk());
  }
  Restart();
  const auto recalled = instances().Recall("orders");
  ASSERT_THAT(recalled, IsOk());
  EXPECT_THAT((*recalled)->store->Get("a"), IsOkAndHolds(HasValue("1")));
  EXPECT_FALSE(instances().MissesKey());
}

TEST_F(InstanceKeysTest, WithoutAnyKeyInitSaysHowToMakeOne) {
  UseNoKey();
  Restart();
  for (const char* encryption : {"", "required"}) {
    EXPECT_THAT(
        Init("orders", {{"encryption", encryption}}),
        StatusIs(kDenied,
                 AllOf(HasSubstr("\"orders\""), HasSubstr("statecpp keygen"),
                       HasSubstr("--key-file"), HasSubstr("\"off\""),
                       HasSubstr("nothing was opened"))));
  }
  EXPECT_THAT(instances().Find("orders"), IsNull());
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/instances")));
  // Nobody waits for what was never there.
  EXPECT_FALSE(instances().MissesKey());
}

TEST_F(InstanceKeysTest, OffNeedsNoKeyAndUsesNone) {
  UseKey(TestKeyText());
  Restart();
  EXPECT_FALSE(MustInit("orders", {{"encryption", "off"}})
                   ->store->keys()
                   .GetStatus()
                   ->sealed);
  UseNoKey();
  Restart();
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

TEST_F(InstanceKeysTest, AnotherKeyOpensNothingAndChangesNothing) {
  UseKey(TestKeyText());
  Restart();
  MustInit("orders");
  UseKey(OtherKeyText());
  Restart();
  EXPECT_THAT(Init("orders"), StatusIs(kDenied, HasSubstr("no configured key "
                                                          "opens the store")));
  EXPECT_THAT(instances().Recall("orders"), HasCode(kDenied));
  EXPECT_TRUE(instances().MissesKey());

  UseKey(TestKeyText());
  Restart();
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

TEST_F(InstanceKeysTest, ASealedStoreIsNotOpenedAsAPlainOne) {
  UseKey(TestKeyText());
  Restart();
  MustInit("orders");
  Restart();
  EXPECT_THAT(
      Init("orders", {{"encryption", "off"}}),
      StatusIs(kInvalid, AllOf(HasSubstr("dataDir \"orders\" is sealed"),
                               HasSubstr("encryption: \"off\""))));
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

TEST_F(InstanceKeysTest, APlainStoreIsNotOpenedAsASealedOne) {
  MustInit("orders", {{"encryption", "off"}});
  UseKey(TestKeyText());
  Restart();
  EXPECT_THAT(Init("orders"), StatusIs(kInvalid, HasSubstr("not encrypted")));
  EXPECT_THAT(instances().Recall("orders"), IsOk());
}

// --- The component's own.

TEST_F(InstanceKeysTest, AComponentsKeyComesBeforeTheServers) {
  UseKey(TestKeyText());
  WriteKeyFile("orders.key", OtherKeyText());
  WriteKeyFile("orders.phrase", "correct horse battery staple\n");
  WriteKeyFile(
      "orders.json",
      absl::StrCat(R"({"version": 1, "primary": "new", "keys": [)",
                   R"({"name": "new", "key": ")", OtherKeyText(), R"("}]})"));
  Restart();
  EXPECT_EQ(SlotName(*MustInit("a", {{"encryptionKeyFile", "orders.key"}})),
            "orders");
  EXPECT_EQ(
      SlotName(*MustInit("b", {{"encryptionPassphraseFile", "orders.phrase"}})),
      "orders");
  EXPECT_EQ(
      SlotName(*MustInit("c", {{"encryptionKeyringFile", "orders.json"}})),
      "new");
  EXPECT_EQ(SlotName(*MustInit("d", {{"encryptionKey", OtherKeyText()}})),
            "encryptionKey");
  // Files are remembered.
  Restart();
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_THAT(instances().Recall(name), IsOk());
  }
}

TEST_F(InstanceKeysTest, AValueThatIsNoKeyIsRefusedAndNotShown) {
  Restart();
  EXPECT_THAT(Init("orders", {{"encryptionKey", "hunter2"}}),
              StatusIs(kInvalid, AllOf(HasSubstr("encryptionKey"),
                                       Not(HasSubstr("hunter2")))));
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
}

TEST_F(InstanceKeysTest, AKeyFileThatComesLaterIsFound) {
  WriteKeyFile("orders.key", OtherKeyText());
  Restart();
  MustInit("orders", {{"encryptionKeyFile", "orders.key"}});
  const std::string path = dir_.Path("keys/orders.key");
  fs::rename(path, path + ".away");
  Restart();
  EXPECT_TRUE(instances().MissesKey());
  EXPECT_THAT(instances().Recall("orders"),
              StatusIs(kDenied, HasSubstr("keys/orders.key")));
  fs::rename(path + ".away", path);
  // Not at once: it was looked for just now.
  while (!instances().Recall("orders").ok()) absl::SleepFor(absl::Seconds(1));
  EXPECT_FALSE(instances().MissesKey());
}

// --- Init again, on an open store.

TEST_F(InstanceKeysTest, AnotherSourceOfTheSameKeyIsTaken) {
  UseKey(OtherKeyText());
  WriteKeyFile("orders.key", OtherKeyText());
  Restart();
  const auto first = MustInit("orders");
  const CapturedLog log(dir_.Path("log"));
  const auto second = MustInit("orders", {{"encryptionKeyFile", "orders.key"}});
  EXPECT_EQ(second->store, first->store);
  ASSERT_THAT(log.Lines("warning"), SizeIs(1));
  EXPECT_THAT(log.Lines("warning")[0],
              HasSubstr("encryptionKeyFile: (none) -> orders.key"));
}

TEST_F(InstanceKeysTest, AKeyThatDoesNotOpenTheStoreChangesNothing) {
  UseKey(TestKeyText());
  Restart();
  const auto first = MustInit("orders", {{"maxSize", "16Mi"}});
  const std::string remembered = Contents(RecordPath("orders"));
  EXPECT_THAT(
      Init("orders", {{"maxSize", "32Mi"}, {"encryptionKey", OtherKeyText()}}),
      HasCode(kDenied));
  EXPECT_EQ(instances().Find("orders"), first);
  EXPECT_EQ(first->store->GetStats()->max_size, uint64_t{16} << 20);
  EXPECT_EQ(Contents(RecordPath("orders")), remembered);
  // Nor another instance on the same store.
  EXPECT_THAT(
      Init("carts", {{"dataDir", "orders"}, {"encryptionKey", OtherKeyText()}}),
      HasCode(kDenied));
  EXPECT_EQ(MustInit("carts", {{"dataDir", "orders"}})->store, first->store);
}

TEST_F(InstanceKeysTest, AChangeOfASecretIsLoggedWithoutIt) {
  UseKey(TestKeyText());
  Restart();
  const std::string other = OtherKeyText();
  MustInit("orders", {{"dataDir", "a"}, {"encryptionKey", TestKeyText()}});
  const CapturedLog log(dir_.Path("log"));
  MustInit("orders", {{"dataDir", "a"}, {"encryptionKey", TestKeyText()}});
  MustInit("orders", {{"dataDir", "b"}, {"encryptionKey", other}});
  std::string changes;
  for (const std::string& line : log.Lines("warning")) {
    EXPECT_THAT(line, Not(HasSubstr(other)));
    if (absl::StrContains(line, "configured anew")) changes += line;
  }
  EXPECT_THAT(changes,
              AllOf(HasSubstr("dataDir: a -> b"),
                    HasSubstr("encryptionKey: (secret) -> (another secret)")));
}

// --- A key that a restart forgets.

class ForgottenKeyTest : public InstanceKeysTest {
 protected:
  // An instance whose key came with its Init, after a restart.
  void SetUp() override {
    UseNoKey();
    Restart();
    const auto instance =
        MustInit("orders", {{"encryptionKey", OtherKeyText()}});
    ASSERT_THAT(instance->store->Set({.key = "a", .value = "1"}), IsOk());
  }

  // What the app is told.
  void ExpectRemedy() {
    const auto recalled = instances().Recall("orders");
    EXPECT_THAT(recalled,
                StatusIs(kUnavailable, AllOf(HasSubstr("\"orders\""),
                                             HasSubstr("restart daprd"),
                                             HasSubstr("--key-file"))));
    EXPECT_TRUE(instances().MissesKey());
  }
};

TEST_F(ForgottenKeyTest, IsWaitedForUntilInitBringsIt) {
  Restart();
  EXPECT_TRUE(instances().MissesKey()) << "before the first call";
  ExpectRemedy();
  EXPECT_THAT(Init("orders", {{"encryptionKey", TestKeyText()}}),
              HasCode(kDenied));
  ExpectRemedy();
  const auto healed = MustInit("orders", {{"encryptionKey", OtherKeyText()}});
  EXPECT_THAT(healed->store->Get("a"), IsOkAndHolds(HasValue("1")));
  EXPECT_FALSE(instances().MissesKey());
}

TEST_F(ForgottenKeyTest, IsToldOfOnce) {
  const CapturedLog log(dir_.Path("log"));
  Restart();
  for (int i = 0; i < 3; ++i) (void)instances().Recall("orders");
  ASSERT_THAT(log.Lines("error"), SizeIs(1));
  EXPECT_THAT(log.Lines("error")[0], HasSubstr("component=\"orders\""));
}

TEST_F(ForgottenKeyTest, IsNotMissedWhereTheServersOpensTheStore) {
  UseKey(OtherKeyText());
  Restart();
  EXPECT_FALSE(instances().MissesKey());
  const auto recalled = instances().Recall("orders");
  ASSERT_THAT(recalled, IsOk());
  EXPECT_THAT((*recalled)->store->Get("a"), IsOkAndHolds(HasValue("1")));
}

TEST_F(ForgottenKeyTest, IsMissedWhereTheServersIsAnother) {
  UseKey(TestKeyText());
  Restart();
  ExpectRemedy();
}

// Tells how often it was asked.
class CountingSource final : public KeySource {
 public:
  explicit CountingSource(absl::string_view text)
      : source_(KeyValueSource(SecretBytes::Copy(text), "test")) {}

  absl::StatusOr<std::shared_ptr<const MasterKeys>> Load() const override {
    ++loads;
    return source_->Load();
  }
  std::string description() const override { return "a test"; }

  mutable std::atomic<int> loads = 0;

 private:
  const std::shared_ptr<const KeySource> source_;
};

// An app that tries again and again must not have a command run each time, or
// a passphrase turned into a key, while Init waits its turn behind that.
TEST_F(ForgottenKeyTest, IsLookedForOnceASecond) {
  const auto source = std::make_shared<CountingSource>(TestKeyText());
  key_options_.source = source;
  Restart();
  const absl::Time start = absl::Now();
  const int before = source->loads;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THAT(instances().Recall("orders"), HasCode(kUnavailable));
  }
  EXPECT_LE(source->loads - before,
            1 + absl::ToInt64Seconds(absl::Now() - start));
}

// A new store under another key would have the next Init fail for good.
TEST_F(ForgottenKeyTest, LetsNoStoreBeMadeUnderTheServersKey) {
  fs::remove_all(StorePath("orders"));
  UseKey(TestKeyText());
  Restart();
  ExpectRemedy();
  EXPECT_TRUE(fs::is_empty(dir_.Path("data/stores")));
}

TEST_F(ForgottenKeyTest, IsNotMissedWhenTheInstanceIsPlainFromNowOn) {
  Restart();
  MustInit("orders", {{"encryption", "off"}, {"dataDir", "plain"}});
  EXPECT_FALSE(instances().MissesKey());
  Restart();
  EXPECT_FALSE(instances().MissesKey());
}

TEST_F(ForgottenKeyTest, OfOneInstanceDoesNotStopAnother) {
  MustInit("carts", {{"encryption", "off"}});
  Restart();
  EXPECT_THAT(instances().Recall("carts"), IsOk());
  ExpectRemedy();
}

TEST_F(ForgottenKeyTest, IsNotWaitedForWhereNothingCanBeRead) {
  std::ofstream(RecordPath("orders")) << "{";
  std::ofstream(dir_.Path("data/instances/odd.json"))
      << R"({"format": 1, "instance": "orders", "secrets": ["encryptionKey"]})";
  std::ofstream(dir_.Path("data/instances/orders.json.tmp")) << "half";
  Restart();
  EXPECT_FALSE(instances().MissesKey());
}

}  // namespace
}  // namespace statecpp
