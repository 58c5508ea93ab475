// SPDX-License-Identifier: Apache-2.0
#include "api/instance_record.h"

#include <string>

#include "api/component_metadata.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(InstanceRecordTest, KeepsOurPropertiesUnderTheirDocumentedNames) {
  const InstanceRecord record = InstanceRecordFromProperties(
      "orders", {{"MAXSIZE", "20Gi"},
                 {"encryption", "off"},
                 {"encryptionKeyFile", "orders.key"},
                 {"keyPrefix", "none"}});
  EXPECT_EQ(record.instance, "orders");
  EXPECT_THAT(record.properties,
              ElementsAre(Pair("encryption", "off"),
                          Pair("encryptionKeyFile", "orders.key"),
                          Pair("maxSize", "20Gi")));
  EXPECT_THAT(record.secrets, ElementsAre());
}

// The value could be a secret under a misspelled name.
TEST(InstanceRecordTest, HoldsNothingThatIsSecretOrUnknown) {
  const InstanceRecord record = InstanceRecordFromProperties(
      "orders", {{"EncryptionKey", "hunter2"},
                 {"encryptionKeyring", "hunter2"},
                 {"primaryEncryptionKey", "hunter2"},
                 {"secondaryEncryptionKey", "hunter2"},
                 {"encrptionKey", "hunter2"},
                 {"encryptionKeyfiles", "hunter2"},
                 {"redisPassword", "hunter2"},
                 {"keyPrefix", "hunter2"},
                 {"maxSize", "1Gi"}});
  EXPECT_THAT(record.properties, ElementsAre(Pair("maxSize", "1Gi")));
  EXPECT_THAT(record.secrets,
              ElementsAre("encryptionKey", "encryptionKeyring",
                          "primaryEncryptionKey", "secondaryEncryptionKey"));
  const std::string json = InstanceRecordToJson(record);
  EXPECT_THAT(json, AllOf(HasSubstr("encryptionKey"), Not(HasSubstr("hunter2")),
                          Not(HasSubstr("redisPassword"))));
}

TEST(InstanceRecordTest, KnowsThatAKeyWasLeftOut) {
  EXPECT_TRUE(
      InstanceRecordFromProperties("a", {{"ENCRYPTIONKEY", ""}}).ForgotKey());
  EXPECT_FALSE(
      InstanceRecordFromProperties(
          "a", {{"primaryEncryptionKey", ""}, {"encryptionKeyFile", "a.key"}})
          .ForgotKey());
}

TEST(InstanceRecordTest, ItsTextSaysOfWhichInstanceItIs) {
  for (const std::string instance : {"orders", "caf\u00e9/\"1\""}) {
    EXPECT_EQ(InstanceOfRecord(InstanceRecordToJson(
                  InstanceRecordFromProperties(instance, {}))),
              instance);
  }
  EXPECT_EQ(InstanceOfRecord("{"), "");
  EXPECT_EQ(InstanceOfRecord("{}"), "");
}

TEST(InstanceRecordTest, SurvivesAFile) {
  const Properties cases[] = {
      {},
      {{"maxSize", "20Gi"}, {"encryption", "off"}, {"dataDir", "a/b"}},
      {{"encryptionKey", "s"}, {"encryption", "required"}},
      {{"dataDir", "\"quoted\"\n\\ \u00e9 \U0001f511 </script>"},
       {"timeout", ""}},
  };
  for (const std::string instance : {"", "orders", "caf\u00e9/\"1\""}) {
    for (const Properties& properties : cases) {
      const InstanceRecord record =
          InstanceRecordFromProperties(instance, properties);
      const absl::StatusOr<InstanceRecord> read =
          InstanceRecordFromJson(instance, InstanceRecordToJson(record));
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(*read, record);
    }
  }
}

// What is on disk today must be readable by every program to come.
TEST(InstanceRecordTest, ReadsTheFileOfFormat1) {
  const absl::StatusOr<InstanceRecord> record = InstanceRecordFromJson(
      "orders",
      "{\"format\": 1, \"instance\": \"orders\",\n"
      " \"properties\": {\"encryption\": \"off\", \"maxSize\": \"20Gi\"},\n"
      " \"secrets\": [\"encryptionKey\"]}\n");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_THAT(record->properties,
              ElementsAre(Pair("encryption", "off"), Pair("maxSize", "20Gi")));
  EXPECT_THAT(record->secrets, ElementsAre("encryptionKey"));
}

TEST(InstanceRecordTest, GivesTheSameConfigurationAsTheInitItRemembers) {
  const Properties init = {{"ENCRYPTION", "off"},  {"maxsize", "20Gi"},
                           {"TTLinSeconds", "60"}, {"actorStateStore", "true"},
                           {"unknown", "x"},       {"bulkMode", "atomic"}};
  const InstanceRecord record = InstanceRecordFromProperties("orders", init);
  EXPECT_EQ(ComponentConfigFromProperties("orders", record.properties)->config,
            ComponentConfigFromProperties("orders", init)->config);
}

TEST(InstanceRecordTest, DropsASecretThatAHandPutIntoTheFile) {
  const absl::StatusOr<InstanceRecord> record = InstanceRecordFromJson(
      "a",
      "{\"format\":1,\"instance\":\"a\",\"secrets\":[\"encryptionKey\"],"
      "\"properties\":{\"encryptionKey\":\"s\",\"maxSize\":\"1Gi\"}}");
  ASSERT_TRUE(record.ok());
  EXPECT_THAT(record->properties, ElementsAre(Pair("maxSize", "1Gi")));
  EXPECT_THAT(record->secrets, ElementsAre("encryptionKey"));
}

TEST(InstanceRecordTest, SaysWhatIsWrongWithAFileItCannotUse) {
  struct Case {
    std::string json, reason;
  };
  const Case cases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "not JSON"},
      {std::string("\0\0\0\0", 4), "not JSON"},
      {"{\"format\":1,\"instance\":\"a\"", "not JSON"},
      {"{\"format\":1,\"instance\":\"a\",\"hunter2\":1}", "not JSON"},
      {"{\"format\":\"one\",\"instance\":\"a\"}", "not JSON"},
      {"{\"format\":1,\"instance\":\"a\",\"properties\":[]}", "not JSON"},
      {"{\"instance\":\"a\"}", "format is 0"},
      {"{\"format\":2,\"instance\":\"a\"}", "format is 2"},
      {"{\"format\":1,\"instance\":\"b\"}", "instance \"b\""},
      {"{\"format\":1}", "instance \"\""},
  };
  for (const Case& c : cases) {
    const absl::Status status = InstanceRecordFromJson("a", c.json).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << c.json;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("instance \"a\""), HasSubstr(c.reason),
                      HasSubstr("restart daprd"), Not(HasSubstr("hunter2"))));
  }
}

// Whatever a disk makes of the file, the answer is a status.
TEST(InstanceRecordTest, SurvivesEveryTruncationAndFlippedByte) {
  const std::string json = InstanceRecordToJson(InstanceRecordFromProperties(
      "a", {{"maxSize", "1Gi"}, {"encryptionKey", "s"}}));
  for (size_t size = 0; size + 2 < json.size(); ++size) {
    EXPECT_FALSE(InstanceRecordFromJson("a", json.substr(0, size)).ok());
  }
  for (size_t i = 0; i < json.size(); ++i) {
    for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
      std::string damaged = json;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      (void)InstanceRecordFromJson("a", damaged);
    }
  }
}

}  // namespace
}  // namespace statecpp
