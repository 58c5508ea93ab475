// SPDX-License-Identifier: Apache-2.0
#include "api/component_metadata.h"

#include <string>
#include <tuple>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::StatusOr<ParsedComponent> Parse(const Properties& properties) {
  return ComponentConfigFromProperties("orders", properties);
}

ComponentConfig ConfigOf(const Properties& properties) {
  const absl::StatusOr<ParsedComponent> parsed = Parse(properties);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? parsed->config : ComponentConfig();
}

std::string ErrorOf(const Properties& properties) {
  const absl::Status status = Parse(properties).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(ComponentMetadataTest, HasADefaultForEverything) {
  const absl::StatusOr<ParsedComponent> parsed = Parse({});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(parsed->warnings, IsEmpty());
  const ComponentConfig& config = parsed->config;
  EXPECT_EQ(config.data_dir, "orders");
  EXPECT_EQ(config.encryption, Encryption::kRequired);
  EXPECT_EQ(config.own_key.place, OwnKey::Place::kNone);
  EXPECT_EQ(config.max_size, uint64_t{10} << 30);
  EXPECT_EQ(config.cleanup_interval, absl::Minutes(1));
  EXPECT_EQ(config.lock_timeout, absl::Seconds(3));
  EXPECT_FALSE(config.strict_metadata);
  EXPECT_EQ(config.settings.max_value_size, 4188160u);
  EXPECT_EQ(config.settings.default_ttl, std::nullopt);
  EXPECT_EQ(config.settings.timeout, absl::Seconds(20));
  EXPECT_EQ(config.settings.bulk_mode, BulkMode::kPerItem);
  EXPECT_EQ(config.settings.max_txn_ops, 0);
  EXPECT_EQ(config.settings.max_scan, 0);
  EXPECT_FALSE(config.settings.query_require_prefix);
}

TEST(ComponentMetadataTest, ReadsEveryField) {
  const ComponentConfig config = ConfigOf({{"dataDir", "shop/orders"},
                                           {"encryption", "off"},
                                           {"maxSize", "64Mi"},
                                           {"maxValueSize", "1M"},
                                           {"ttlInSeconds", "3600"},
                                           {"cleanupInterval", "1h30m"},
                                           {"timeout", "1.5s"},
                                           {"bulkMode", "atomic"},
                                           {"maxTxnOps", "128"},
                                           {"maxScan", "100000"},
                                           {"queryRequirePrefix", "true"},
                                           {"lockTimeout", "250ms"},
                                           {"strictMetadata", "on"}});
  EXPECT_EQ(config.data_dir, "shop/orders");
  EXPECT_EQ(config.encryption, Encryption::kOff);
  EXPECT_EQ(config.max_size, uint64_t{64} << 20);
  EXPECT_EQ(config.settings.max_value_size, 1000000u);
  EXPECT_EQ(config.settings.default_ttl, absl::Seconds(3600));
  EXPECT_EQ(config.cleanup_interval, absl::Minutes(90));
  EXPECT_EQ(config.settings.timeout, absl::Milliseconds(1500));
  EXPECT_EQ(config.settings.bulk_mode, BulkMode::kAtomic);
  EXPECT_EQ(config.settings.max_txn_ops, 128);
  EXPECT_EQ(config.settings.max_scan, 100000);
  EXPECT_TRUE(config.settings.query_require_prefix);
  EXPECT_EQ(config.lock_timeout, absl::Milliseconds(250));
  EXPECT_TRUE(config.strict_metadata);
}

TEST(ComponentMetadataTest, MatchesNamesAndWordsInAnyCase) {
  const ComponentConfig config =
      ConfigOf({{"DATADIR", "x"}, {"bulkmode", "ATOMIC"}, {"MaxSize", "1Gi"}});
  EXPECT_EQ(config.data_dir, "x");
  EXPECT_EQ(config.settings.bulk_mode, BulkMode::kAtomic);
  EXPECT_EQ(config.max_size, uint64_t{1} << 30);
}

TEST(ComponentMetadataTest, TakesABlankValueForNone) {
  EXPECT_EQ(ConfigOf({{"dataDir", ""}, {"maxSize", " \n"}, {"timeout", ""}}),
            ConfigOf({}));
  EXPECT_EQ(ConfigOf({{"timeout", " 5s\n"}}).settings.timeout,
            absl::Seconds(5));
}

TEST(ComponentMetadataTest, AcceptsTheEndsOfEachRange) {
  EXPECT_EQ(ConfigOf({{"maxSize", "1Mi"}}).max_size, uint64_t{1} << 20);
  EXPECT_EQ(ConfigOf({{"maxSize", "16Ti"}}).max_size, uint64_t{16} << 40);
  EXPECT_EQ(ConfigOf({{"maxValueSize", "4090Ki"}}).settings.max_value_size,
            4188160u);
  EXPECT_EQ(ConfigOf({{"maxValueSize", "1"}}).settings.max_value_size, 1u);
  EXPECT_EQ(ConfigOf({{"ttlInSeconds", "2147483647"}}).settings.default_ttl,
            absl::Seconds(2147483647));
  EXPECT_EQ(ConfigOf({{"timeout", "10ms"}}).settings.timeout,
            absl::Milliseconds(10));
  EXPECT_EQ(ConfigOf({{"maxTxnOps", "2147483647"}}).settings.max_txn_ops,
            2147483647);
  for (const std::string never : {"0", "-1"}) {
    EXPECT_EQ(ConfigOf({{"ttlInSeconds", never}}).settings.default_ttl,
              std::nullopt);
  }
  for (const std::string never : {"0", "-1", "-5m"}) {
    EXPECT_EQ(ConfigOf({{"cleanupInterval", never}}).cleanup_interval,
              absl::ZeroDuration());
  }
  EXPECT_EQ(ConfigOf({{"cleanupInterval", "10ms"}}).cleanup_interval,
            absl::Milliseconds(10));
  EXPECT_EQ(ConfigOf({{"lockTimeout", "0"}}).lock_timeout,
            absl::ZeroDuration());
  EXPECT_EQ(ConfigOf({{"maxTxnOps", "0"}}).settings.max_txn_ops, 0);
  EXPECT_EQ(ConfigOf({{"maxScan", "9223372036854775807"}}).settings.max_scan,
            9223372036854775807);
  EXPECT_EQ(ConfigOf({{"maxScan", "0"}}).settings.max_scan, 0);
}

TEST(ComponentMetadataTest, NamesFieldValueAndFormOfABadValue) {
  struct Case {
    std::string name, value, example;
  };
  const Case cases[] = {
      {"dataDir", "../x", "\"orders\""},
      {"dataDir", "/abs", "relative"},
      {"dataDir", "a//b", "without empty segments"},
      {"dataDir", ".new-x", "begin with a dot"},
      {"encryption", "maybe", "\"required\" or \"off\""},
      {"encryption", "false", "in quotes"},
      {"maxSize", "10GB", "\"10Gi\""},
      {"maxSize", "1023Ki", "from 1Mi"},
      {"maxSize", "17Ti", "to 16Ti"},
      {"maxSize", "17592186044417", "to 16Ti"},
      {"maxSize", "1048575", "from 1Mi"},
      {"maxValueSize", "4091Ki", "at most 4090Ki"},
      {"maxValueSize", "4188161", "at most 4090Ki"},
      {"maxValueSize", "0", "\"1Mi\""},
      {"ttlInSeconds", "foo", "\"3600\""},
      {"ttlInSeconds", "-2", "-1 for never"},
      {"ttlInSeconds", "2147483648", "up to 2147483647"},
      {"cleanupInterval", "5 minutes", "\"5m\""},
      {"cleanupInterval", "9ms", "at least 10ms"},
      {"timeout", "0", "at least 10ms"},
      {"timeout", "9ms", "at least 10ms"},
      {"timeout", "-1s", "\"20s\""},
      {"bulkMode", "all", "\"perItem\" or \"atomic\""},
      {"maxTxnOps", "-1", "0 for no limit"},
      {"maxTxnOps", "2147483648", "up to 2147483647"},
      {"maxTxnOps", "many", "\"1000\""},
      {"maxScan", "-1", "0 for no limit"},
      {"maxScan", "9223372036854775808", "0 for no limit"},
      {"maxScan", "1k", "\"1000000\""},
      {"lockTimeout", "-1s", "\"3s\""},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ErrorOf({{c.name, c.value}}),
                AllOf(HasSubstr("\"" + c.name + "\" is \"" + c.value + "\""),
                      HasSubstr(c.example), HasSubstr("was not initialised")));
  }
}

TEST(ComponentMetadataTest, UsesTheInstanceNameAsFolder) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "default"}, {"orders", "orders"}, {"a/b", "a/b"}};
  for (const auto& [instance, folder] : cases) {
    const absl::StatusOr<ParsedComponent> parsed =
        ComponentConfigFromProperties(instance, {});
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->config.data_dir, folder);
  }
  EXPECT_EQ(
      ComponentConfigFromProperties(std::string(300, 'x'), {}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST(ComponentMetadataTest, IsSealedUnlessTheUserSaysOff) {
  const std::pair<std::string, Encryption> cases[] = {
      {"", Encryption::kRequired},
      {"required", Encryption::kRequired},
      {"Required", Encryption::kRequired},
      {"off", Encryption::kOff},
      {"OFF", Encryption::kOff}};
  for (const auto& [text, encryption] : cases) {
    EXPECT_EQ(ConfigOf({{"encryption", text}}).encryption, encryption) << text;
  }
}

TEST(ComponentMetadataTest, KnowsWhereAKeyIs) {
  using Place = OwnKey::Place;
  const std::tuple<std::string, std::string, OwnKey> cases[] = {
      {"encryptionKeyFile", "a.key", {Place::kKeyFile, "a.key"}},
      {"encryptionKeyFile", " a.key\n", {Place::kKeyFile, "a.key"}},
      {"encryptionKeyFile", "/keys/..a", {Place::kKeyFile, "/keys/..a"}},
      {"EncryptionPassphraseFile", "x/p", {Place::kPassphraseFile, "x/p"}},
      {"encryptionKeyringFile", "r", {Place::kKeyringFile, "r"}},
      {"encryptionKeyFile", "", {Place::kNone, ""}},
      {"encryptionKey", "", {Place::kValue, ""}},  // which is elsewhere
  };
  for (const auto& [name, value, own_key] : cases) {
    EXPECT_EQ(ConfigOf({{name, value}}).own_key, own_key) << name << value;
  }
}

TEST(ComponentMetadataTest, RefusesAKeyFileAboveItsFolder) {
  for (const std::string file :
       {"..", "../a.key", "x/../../a.key", "/a/../b", "x/.."}) {
    EXPECT_THAT(ErrorOf({{"encryptionKeyFile", file}}),
                AllOf(HasSubstr("\"encryptionKeyFile\" is \"" + file),
                      HasSubstr("--key-dir"), HasSubstr("orders.key")));
  }
}

TEST(ComponentMetadataTest, RefusesTwoKeys) {
  const std::string names[] = {"encryptionKey", "encryptionKeyFile",
                               "encryptionPassphraseFile",
                               "encryptionKeyringFile"};
  for (const std::string& one : names) {
    for (const std::string& other : names) {
      if (one == other) continue;
      for (const std::string encryption : {"required", "off"}) {
        EXPECT_THAT(
            ErrorOf({{one, "a"}, {other, "b"}, {"encryption", encryption}}),
            AllOf(HasSubstr("\"" + one + "\""), HasSubstr("\"" + other + "\""),
                  HasSubstr("remove one")));
      }
    }
  }
  // One without a value is none.
  EXPECT_TRUE(
      Parse({{"encryptionKeyFile", " "}, {"encryptionKeyringFile", "r"}}).ok());
}

// Whoever can connect could have the server run what they like.
TEST(ComponentMetadataTest, RefusesACommandAndSaysWhy) {
  for (const std::string name : {"encryptionKeyCommand", "encryptionKeyEnv"}) {
    EXPECT_THAT(ErrorOf({{name, "cat /etc/hunter2"}}),
                AllOf(HasSubstr("\"" + name + "\" is not accepted"),
                      HasSubstr("whoever can connect"),
                      HasSubstr("--key-command"), Not(HasSubstr("hunter2"))));
  }
  EXPECT_THAT(ErrorOf({{"encryptionKeyring", "{}"}}),
              HasSubstr("encryptionKeyringFile"));
  EXPECT_THAT(
      ErrorOf({{"encryptionPassphrase", "hunter2"}}),
      AllOf(HasSubstr("encryptionPassphraseFile"), Not(HasSubstr("hunter2"))));
}

TEST(ComponentMetadataTest, WarnsOfAKeyThatARestartForgets) {
  const absl::StatusOr<ParsedComponent> parsed = Parse({{"encryptionKey", ""}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(parsed->warnings,
              ElementsAre(AllOf(HasSubstr("\"encryptionKey\""),
                                HasSubstr("after a restart"),
                                HasSubstr("--key-file"))));
  EXPECT_THAT(Parse({{"encryptionKeyFile", "a"}})->warnings, IsEmpty());
}

TEST(ComponentMetadataTest, RefusesTwoNamesThatDifferInCaseAlone) {
  EXPECT_THAT(ErrorOf({{"maxSize", "1Gi"}, {"maxsize", "2Gi"}}),
              AllOf(HasSubstr("\"maxSize\""), HasSubstr("\"maxsize\""),
                    HasSubstr("remove one"), HasSubstr("was not initialised")));
  // Also where neither is ours.
  ErrorOf({{"whatever", "1"}, {"Whatever", "1"}});
  ErrorOf({{"keyPrefix", "none"}, {"KEYPREFIX", "none"}});
}

TEST(ComponentMetadataTest, AcceptsWhatBelongsToDaprdInSilence) {
  const absl::StatusOr<ParsedComponent> parsed =
      Parse({{"actorStateStore", "true"},
             {"KeyPrefix", "none"},
             {"outboxPublishPubsub", "p"},
             {"outboxPublishTopic", "t"},
             {"outboxPubsub", "p"},
             {"outboxDiscardWhenMissingState", "true"},
             {"strictMetadata", "true"}});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->warnings, IsEmpty());
}

TEST(ComponentMetadataTest, WarnsOfDaprdsOwnEncryptionWithoutItsKey) {
  const absl::StatusOr<ParsedComponent> parsed =
      Parse({{"primaryEncryptionKey", "hunter2"},
             {"secondaryEncryptionKey", "hunter2"},
             {"strictMetadata", "true"}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(
      parsed->warnings,
      ElementsAre(
          AllOf(HasSubstr("primaryEncryptionKey"), HasSubstr("daprd"),
                HasSubstr("refuses queries"), Not(HasSubstr("hunter2"))),
          AllOf(HasSubstr("secondaryEncryptionKey"),
                Not(HasSubstr("hunter2")))));
}

TEST(ComponentMetadataTest, WarnsOfAKeyThatEncryptionOffLeavesUnused) {
  const absl::StatusOr<ParsedComponent> parsed =
      Parse({{"encryption", "off"}, {"encryptionKey", ""}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(parsed->warnings,
              ElementsAre(AllOf(HasSubstr("\"encryptionKey\""),
                                HasSubstr("in clear"))));
  EXPECT_EQ(Parse({{"encryption", "off"}, {"encryptionKeyFile", "f"}})
                ->warnings.size(),
            1u);
}

TEST(ComponentMetadataTest, WarnsOfUnknownNamesAndGuessesWhatWasMeant) {
  const absl::StatusOr<ParsedComponent> parsed =
      Parse({{"maxSzie", "hunter2"}, {"redisHost", "hunter2"}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(parsed->warnings,
              ElementsAre(AllOf(HasSubstr("\"maxSzie\" is unknown"),
                                HasSubstr("did you mean \"maxSize\"?"),
                                Not(HasSubstr("hunter2"))),
                          AllOf(HasSubstr("\"redisHost\" is unknown"),
                                Not(HasSubstr("did you mean")),
                                Not(HasSubstr("hunter2")))));
}

TEST(ComponentMetadataTest, RefusesUnknownNamesWhereStrict) {
  EXPECT_THAT(
      ErrorOf({{"maxSzie", "hunter2"}, {"strictMetadata", "yes"}}),
      AllOf(HasSubstr("\"maxSzie\" is unknown"),
            HasSubstr("did you mean \"maxSize\"?"),
            HasSubstr("was not initialised"), Not(HasSubstr("hunter2"))));
}

// A key pasted into the wrong field must not end in daprd's log.
TEST(ComponentMetadataTest, DoesNotRepeatAValueThatIsLongEnoughToBeAKey) {
  const std::string key = "000102030405060708090a0b0c0d0e0f";
  for (const std::string field : {"encryption", "maxSize", "timeout"}) {
    EXPECT_THAT(ErrorOf({{field, key}}),
                AllOf(HasSubstr("\"" + field + "\" is a text of 32 bytes"),
                      Not(HasSubstr("00010203"))));
  }
}

TEST(DescribeChangesTest, NamesWhatChangedWithBothValues) {
  const ComponentConfig before = ConfigOf({{"ttlInSeconds", "60"}});
  const ComponentConfig after = ConfigOf(
      {{"maxSize", "20Gi"}, {"timeout", "90"}, {"bulkMode", "atomic"}});
  EXPECT_THAT(
      DescribeChanges(before, after),
      ElementsAre("maxSize: 10Gi -> 20Gi", "ttlInSeconds: 60 -> -1",
                  "timeout: 20s -> 1m30s", "bulkMode: perItem -> atomic"));
}

TEST(DescribeChangesTest, NamesFilesOfKeysAndNotKeys) {
  ComponentConfig value = ConfigOf({{"encryptionKey", ""}});
  value.own_key.text = "c0ffee";
  ComponentConfig another = value;
  another.own_key.text = "deadbeef";
  EXPECT_THAT(DescribeChanges(value, value), IsEmpty());
  EXPECT_THAT(DescribeChanges(value, another),
              ElementsAre("encryptionKey: (secret) -> (another secret)"));
  EXPECT_THAT(DescribeChanges(ConfigOf({}), value),
              ElementsAre("encryptionKey: (none) -> (secret)"));
  EXPECT_THAT(DescribeChanges(value, ConfigOf({{"encryptionKeyFile", "a"}})),
              ElementsAre("encryptionKey: (secret) -> (none)",
                          "encryptionKeyFile: (none) -> a"));
}

TEST(DescribeChangesTest, ComparesValuesAndNotTheirSpelling) {
  EXPECT_THAT(DescribeChanges(ConfigOf({}), ConfigOf({{"MAXSIZE", "10240Mi"},
                                                      {"cleanupInterval", "60"},
                                                      {"dataDir", "orders"},
                                                      {"keyPrefix", "none"}})),
              IsEmpty());
}

}  // namespace
}  // namespace statecpp
