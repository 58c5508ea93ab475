// SPDX-License-Identifier: Apache-2.0
//
// One item at a time: what is written is what is read, for as long as it was
// meant to last.
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/subject.h"

namespace statecpp {
namespace {

using Kind = Operation::Kind;

class ItemCases : public ::testing::Test {
 protected:
  void Set(const Operation& operation) {
    ASSERT_EQ(subject_->Write(operation), Verdict::kDone);
  }
  std::string ValueOf(const std::string& key) {
    const std::optional<Reading> reading = subject_->Get(key);
    return reading.has_value() ? reading->value : "(none)";
  }
  bool Expires(const std::string& key) {
    return subject_->Get(key).value().expires;
  }

  const std::unique_ptr<Subject> subject_ = NewSubject();
};

TEST_F(ItemCases, AKeyThatWasNeverWrittenIsAbsent) {
  EXPECT_EQ(subject_->Get("a"), std::nullopt);
}

TEST_F(ItemCases, AnEmptyValueIsAValue) {
  Set({.key = "a", .value = ""});
  const std::optional<Reading> reading = subject_->Get("a");
  ASSERT_TRUE(reading.has_value());
  EXPECT_EQ(reading->value, "");
  EXPECT_NE(reading->etag, "");
}

TEST_F(ItemCases, AnyBytesAreAValue) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  std::string large;
  for (int i = 0; i < 4000; ++i) large += bytes;
  for (const std::string& value : {bytes, large}) {
    Set({.key = "a", .value = value});
    EXPECT_TRUE(subject_->Get("a").value().value == value);
  }
}

TEST_F(ItemCases, KeysThatLookAlikeAreDifferent) {
  const std::vector<std::string> keys = {"a",
                                         "A",
                                         "a ",
                                         " a",
                                         "a||b",
                                         "a||b||",
                                         "||a",
                                         "a||b||c",
                                         "||",
                                         "|",
                                         "a|b",
                                         "%",
                                         "a%",
                                         "_",
                                         "é",
                                         "e\u0301",
                                         std::string("a\0", 2),
                                         std::string("a\0b", 3),
                                         "dapr' OR '1'='1",
                                         "DROP TABLE dapr_user",
                                         std::string(511, 'k'),
                                         std::string(512, 'k'),
                                         std::string(65536, 'k')};
  for (const std::string& key : keys) Set({.key = key, .value = key});
  for (const std::string& key : keys) EXPECT_TRUE(ValueOf(key) == key) << key;
  for (const std::string& key : keys) {
    ASSERT_EQ(subject_->Write({.kind = Kind::kDelete, .key = key}),
              Verdict::kDone);
    EXPECT_EQ(subject_->Get(key), std::nullopt);
  }
}

TEST_F(ItemCases, AKeyIsNeitherEmptyNorTooLong) {
  for (const std::string& key : {std::string(), std::string(65537, 'k')}) {
    EXPECT_EQ(subject_->Write({.key = key, .value = "1"}), Verdict::kInvalid);
    EXPECT_EQ(subject_->Write({.kind = Kind::kDelete, .key = key}),
              Verdict::kInvalid);
    EXPECT_EQ(subject_->Transact(
                  {{.key = "a", .value = "1"}, {.key = key, .value = "1"}}),
              Verdict::kInvalid);
    EXPECT_EQ(subject_->Get("a"), std::nullopt);
  }
}

TEST_F(ItemCases, AContentTypeIsKeptUntilTheNextWrite) {
  Set({.key = "a", .value = "{}", .content_type = "application/json"});
  EXPECT_EQ(subject_->Get("a").value().content_type, "application/json");
  Set({.key = "a", .value = "1"});
  EXPECT_EQ(subject_->Get("a").value().content_type, "");
}

TEST_F(ItemCases, NoTwoWritesHaveOneETag) {
  std::set<std::string> etags;
  for (int i = 0; i < 10; ++i) {
    Set({.key = "a", .value = "the same bytes"});
    etags.insert(subject_->Get("a").value().etag);
    Set({.kind = Kind::kDelete, .key = "a"});
    Set({.key = "a", .value = "the same bytes"});
    etags.insert(subject_->Get("a").value().etag);
  }
  EXPECT_EQ(etags.size(), 20u);
}

TEST_F(ItemCases, DeletingWhatIsNotThereSucceeds) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(subject_->Write({.kind = Kind::kDelete, .key = "a"}),
              Verdict::kDone);
  }
}

TEST_F(ItemCases, TheNextWriteNeedsTheLastETag) {
  Set({.key = "a", .value = "1"});
  const std::string first = subject_->Get("a").value().etag;
  Set({.key = "a", .value = "2", .etag = first});
  EXPECT_EQ(subject_->Write({.key = "a", .value = "3", .etag = first}),
            Verdict::kMismatch);
  EXPECT_EQ(subject_->Write({.kind = Kind::kDelete, .key = "a", .etag = first}),
            Verdict::kMismatch);
  EXPECT_EQ(ValueOf("a"), "2");
}

// --- Time to live ---

TEST_F(ItemCases, AnItemIsGoneWhenItsTimeIsUp) {
  Set({.key = "a", .value = "1", .ttl = 2});
  Set({.key = "b", .value = "1", .ttl = 60});
  Set({.key = "c", .value = "1"});
  EXPECT_TRUE(Expires("a"));
  EXPECT_TRUE(Expires("b"));
  EXPECT_FALSE(Expires("c"));
  subject_->AwaitExpiry();
  EXPECT_EQ(subject_->Get("a"), std::nullopt);
  EXPECT_EQ(subject_->BulkGet({"a", "b", "c"})[0], std::nullopt);
  EXPECT_EQ(ValueOf("b"), "1");
  EXPECT_EQ(ValueOf("c"), "1");
}

TEST_F(ItemCases, AWriteReplacesTheTimeToLive) {
  for (const char* key : {"longer", "never", "zero", "unsaid"}) {
    Set({.key = key, .value = "1", .ttl = 2});
  }
  Set({.key = "longer", .value = "2", .ttl = 60});
  Set({.key = "never", .value = "2", .ttl = -1});
  Set({.key = "zero", .value = "2", .ttl = 0});
  Set({.key = "unsaid", .value = "2"});
  subject_->AwaitExpiry();
  EXPECT_TRUE(Expires("longer"));
  for (const char* key : {"never", "zero", "unsaid"}) {
    EXPECT_EQ(ValueOf(key), "2") << key;
    EXPECT_FALSE(Expires(key)) << key;
  }
}

TEST_F(ItemCases, AnItemThatExpiredCanBeWrittenFirst) {
  Set({.key = "a", .value = "1", .ttl = 2});
  const Operation first = {.key = "a",
                           .value = "2",
                           .concurrency = Operation::Concurrency::kFirstWrite};
  EXPECT_EQ(subject_->Write(first), Verdict::kMismatch);
  subject_->AwaitExpiry();
  EXPECT_EQ(subject_->Write(first), Verdict::kDone);
  EXPECT_EQ(ValueOf("a"), "2");
  EXPECT_FALSE(Expires("a"));
}

TEST_F(ItemCases, ATimeToLiveHasItsBounds) {
  constexpr int64_t kMost = 2147483647;
  Set({.key = "a", .value = "1", .ttl = kMost});
  EXPECT_TRUE(Expires("a"));
  for (const int64_t ttl : {int64_t{-2}, kMost + 1}) {
    EXPECT_EQ(subject_->Write({.key = "a", .value = "2", .ttl = ttl}),
              Verdict::kInvalid);
    EXPECT_EQ(subject_->Transact({{.key = "b", .value = "2"},
                                  {.key = "a", .value = "2", .ttl = ttl}}),
              Verdict::kInvalid);
  }
  EXPECT_EQ(ValueOf("a"), "1");
  EXPECT_EQ(subject_->Get("b"), std::nullopt);
}

}  // namespace
}  // namespace statecpp
