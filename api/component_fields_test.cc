// SPDX-License-Identifier: Apache-2.0
#include "api/component_fields.h"

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using Use = ComponentField::Use;

TEST(ComponentFieldsTest, HasEachNameOnceWhateverItsCase) {
  std::set<std::string> names;
  for (const ComponentField& field : ComponentFields()) {
    EXPECT_TRUE(names.insert(absl::AsciiStrToLower(field.name)).second);
  }
}

TEST(ComponentFieldsTest, CanReadPrintAndExplainEverySetting) {
  for (const ComponentField& field : ComponentFields()) {
    SCOPED_TRACE(std::string(field.name));
    const bool setting =
        field.use == Use::kSetting || field.use == Use::kKeySource;
    EXPECT_EQ(field.parse != nullptr, setting && !field.secret);
    EXPECT_EQ(field.print != nullptr, setting);
    EXPECT_EQ(!field.expected.empty(),
              (setting && !field.secret) || field.use == Use::kRefused);
  }
}

// What is printed in a warning can be pasted into a component.
TEST(ComponentFieldsTest, ReadsBackWhatItPrints) {
  ComponentConfig config;
  config.data_dir = "shop/orders";
  config.encryption = Encryption::kOff;
  config.max_size = uint64_t{3} << 29;
  config.cleanup_interval = absl::ZeroDuration();
  config.lock_timeout = absl::Milliseconds(500);
  config.strict_metadata = true;
  config.settings.default_ttl = absl::Seconds(3600);
  config.settings.timeout = absl::Seconds(90);
  config.settings.bulk_mode = BulkMode::kAtomic;
  config.settings.max_txn_ops = 128;
  config.settings.max_scan = 1000;
  config.settings.query_require_prefix = true;
  config.settings.max_value_size = 1000;

  ComponentConfig copy;
  for (const ComponentField& field : ComponentFields()) {
    if (field.use != Use::kSetting) continue;
    EXPECT_TRUE(field.parse(field.print(config), copy))
        << std::string(field.name);
  }
  EXPECT_EQ(copy, config);
}

TEST(ComponentFieldsTest, LeavesTheConfigurationAloneWhereAValueIsWrong) {
  for (const ComponentField& field : ComponentFields()) {
    // Every text is a boolean, as Dapr reads them.
    if (field.parse == nullptr || field.name == "strictMetadata" ||
        field.name == "queryRequirePrefix") {
      continue;
    }
    ComponentConfig config;
    EXPECT_FALSE(field.parse("../?", config)) << std::string(field.name);
    EXPECT_EQ(config, ComponentConfig());
  }
}

TEST(FindComponentFieldTest, MatchesInAnyCase) {
  for (const absl::string_view name : {"maxSize", "maxsize", "MAXSIZE"}) {
    ASSERT_NE(FindComponentField(name), nullptr);
    EXPECT_EQ(FindComponentField(name)->name, "maxSize");
  }
  EXPECT_EQ(FindComponentField("maxSizes"), nullptr);
  EXPECT_EQ(FindComponentField(""), nullptr);
}

// A name on this list must never be remembered or printed.
TEST(FindComponentFieldTest, KnowsWhatIsSecret) {
  std::set<std::string> secret;
  for (const ComponentField& field : ComponentFields()) {
    if (!field.secret) continue;
    secret.insert(std::string(field.name));
    EXPECT_FALSE(field.Remembered());
  }
  EXPECT_EQ(secret,
            (std::set<std::string>{
                "encryptionKey", "encryptionKeyCommand", "encryptionKeyEnv",
                "encryptionKeyring", "encryptionPassphrase",
                "primaryEncryptionKey", "secondaryEncryptionKey"}));
}

TEST(NearestComponentFieldTest, GuessesWhatWasMeant) {
  const std::pair<absl::string_view, absl::string_view> cases[] = {
      {"maxSizes", "maxSize"},
      {"maxsise", "maxSize"},
      {"MAX_SIZE", "maxSize"},
      {"cleanUpIntervall", "cleanupInterval"},
      {"ttlInSecond", "ttlInSeconds"},
      {"datadirectory", ""},
      {"encrypton", "encryption"},
      {"outboxPublishPubSubs", "outboxPublishPubsub"},
      {"connectionString", ""},
      {"redisHost", ""},
      {"x", ""},
      {"", ""},
  };
  for (const auto& [name, nearest] : cases) {
    EXPECT_EQ(NearestComponentField(name), nearest) << std::string(name);
  }
  EXPECT_EQ(NearestComponentField(std::string(1 << 20, 'm')), "");
}

TEST(DescribeChangeTest, ShowsBothValuesOfWhatIsNotSecret) {
  EXPECT_EQ(DescribeChange(*FindComponentField("maxSize"), "10Gi", "20Gi"),
            "maxSize: 10Gi -> 20Gi");
}

TEST(DescribeChangeTest, MasksSecrets) {
  EXPECT_EQ(DescribeChange(*FindComponentField("encryptionKey"), "c0ffee",
                           "deadbeef"),
            "encryptionKey: (secret) -> (another secret)");
  EXPECT_EQ(DescribeChange(*FindComponentField("encryptionKey"), "(none)",
                           "deadbeef"),
            "encryptionKey: (none) -> (secret)");
  EXPECT_EQ(
      DescribeChange(*FindComponentField("encryptionKey"), "c0ffee", "(none)"),
      "encryptionKey: (secret) -> (none)");
}

}  // namespace
}  // namespace statecpp
