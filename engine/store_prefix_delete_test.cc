// SPDX-License-Identifier: Apache-2.0
//
// What a prefix delete removes and what it leaves. The example of Dapr's
// conformance suite (its operation delete-with-prefix) comes first. What
// changes between the look at a child and its removal is in
// prefix_delete_test.cc.
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/stored_records.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using Keys = std::vector<std::string>;

class StorePrefixDeleteTest : public OpenStoreTest {
 protected:
  void Set(const Keys& keys, absl::string_view value = "v") {
    std::vector<WriteOp> ops;
    for (const std::string& key : keys) {
      ops.push_back({.key = key, .value = std::string(value)});
    }
    for (const auto& result : store_->BulkWrite(std::move(ops))) {
      EXPECT_THAT(result, IsOk());
    }
  }
  Keys All() { return store_->ListKeys({.pattern = "%"})->keys; }
};

TEST_F(StorePrefixDeleteTest, RemovesWhatUpstreamDoes) {
  Set({"prefix||key1", "prefix||key2", "prefix||prefix2||key3",
       "other-prefix||key1", "no-prefix"});
  EXPECT_THAT(store_->DeleteWithPrefix("prefix||"), IsOkAndHolds(2));
  EXPECT_THAT(All(), UnorderedElementsAre("prefix||prefix2||key3",
                                          "other-prefix||key1", "no-prefix"));
  EXPECT_THAT(store_->DeleteWithPrefix("other-prefix"), IsOkAndHolds(1));
  EXPECT_THAT(All(),
              UnorderedElementsAre("prefix||prefix2||key3", "no-prefix"));
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

TEST_F(StorePrefixDeleteTest, RefusesToRemoveBelowNothing) {
  Set({"||a", "a"});
  for (const char* prefix : {"", "||"}) {
    EXPECT_THAT(store_->DeleteWithPrefix(prefix),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("prefix is required")));
  }
  EXPECT_THAT(All(), SizeIs(2));
}

TEST_F(StorePrefixDeleteTest, RemovingNothingIsNoError) {
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(0));
  Set({"a||1"});
  EXPECT_THAT(store_->DeleteWithPrefix("b"), IsOkAndHolds(0));
  EXPECT_THAT(store_->DeleteWithPrefix("a||1"), IsOkAndHolds(0));
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(1));
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(0));
}

TEST_F(StorePrefixDeleteTest, TheKeyThatIsThePrefixGoesToo) {
  Set({"a||", "a||b", "a"});
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(2));
  EXPECT_THAT(All(), UnorderedElementsAre("a"));
}

TEST_F(StorePrefixDeleteTest, WorksBelowSixLevelsAndDeeper) {
  const std::string six = "1||2||3||4||5||6||";
  Set({"1||2||3||4||5||x", six + "7", six + "8", six + "7||8", six + "7||8||9",
       six + "x||8"});
  EXPECT_THAT(store_->DeleteWithPrefix(six + "7"), IsOkAndHolds(1));
  EXPECT_THAT(All(),
              UnorderedElementsAre("1||2||3||4||5||x", six + "7", six + "8",
                                   six + "7||8||9", six + "x||8"));
  EXPECT_THAT(store_->DeleteWithPrefix(six), IsOkAndHolds(2));
  EXPECT_THAT(store_->DeleteWithPrefix("1||2||3||4||5||"), IsOkAndHolds(1));
  EXPECT_THAT(All(), UnorderedElementsAre(six + "7||8||9", six + "x||8"));
}

// A separator is found from the left, so "a|||" is split before its last bar.
TEST_F(StorePrefixDeleteTest, WorksForAPrefixThatNoKeyIsSplitAt) {
  Set({"a||", "a||x", "a|||", "a|||b", "a||||b", "a|||b||c", "a||||||c"});
  EXPECT_THAT(store_->DeleteWithPrefix("a|||"), IsOkAndHolds(3));
  EXPECT_THAT(All(),
              UnorderedElementsAre("a||", "a||x", "a|||b||c", "a||||||c"));
  // "a|" gets two bars more.
  Set({"a|||b", "a|", "a||b"});
  EXPECT_THAT(store_->DeleteWithPrefix("a|"), IsOkAndHolds(1));
  EXPECT_THAT(All(), UnorderedElementsAre("a||", "a||x", "a|||b||c", "a||||||c",
                                          "a|", "a||b"));
}

TEST_F(StorePrefixDeleteTest, AnyBytesMakeAPrefix) {
  const std::string nul("\0", 1);
  Set({nul + "||a", "\u00e9||a", "\xFF\xFE||a", "%||a", "b||a"});
  EXPECT_THAT(store_->DeleteWithPrefix(nul), IsOkAndHolds(1));
  EXPECT_THAT(store_->DeleteWithPrefix("\u00e9"), IsOkAndHolds(1));
  EXPECT_THAT(store_->DeleteWithPrefix("\xFF\xFE"), IsOkAndHolds(1));
  EXPECT_THAT(store_->DeleteWithPrefix("%"), IsOkAndHolds(1));
  EXPECT_THAT(store_->DeleteWithPrefix(std::string(100'000, 'x')),
              IsOkAndHolds(0));
  EXPECT_THAT(All(), UnorderedElementsAre("b||a"));
}

// As a Delete would: a clock that is set back brings none of them back.
TEST_F(StorePrefixDeleteTest, ExpiredItemsGoAndDoNotCount) {
  Set({"a||1"});
  ASSERT_THAT(store_->Set({.key = "a||2", .ttl = absl::Hours(1)}), IsOk());
  clock_.Jump(absl::Hours(2));
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(1));
  EXPECT_EQ(store_->GetStats()->records, 0u);
  clock_.Jump(-absl::Hours(2));
  EXPECT_THAT(store_->Get("a||2"), IsOkAndHolds(IsMissing()));
}

TEST_F(StorePrefixDeleteTest, DamagedRecordsAreLeftAndNamed) {
  Set({"a||1"});
  store_.reset();
  const Keys places = StoredPlaces(path_);
  ASSERT_THAT(places, SizeIs(1));
  DamageRecord(path_, places[0]);
  Open();
  Set({"a||2", "a||3", "b||1"});
  EXPECT_THAT(
      store_->DeleteWithPrefix("a"),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("1 damaged records below \"a||\" were left"),
                     HasSubstr("the 2 items"))));
  EXPECT_THAT(All(), UnorderedElementsAre("b||1"));
  EXPECT_THAT(store_->Get("a||1"), HasCode(absl::StatusCode::kDataLoss));
  EXPECT_THAT(store_->DeleteWithPrefix("b"), IsOkAndHolds(1));
  // What the text advises.
  EXPECT_THAT(store_->Delete({.key = "a||1"}), IsOk());
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(0));
}

// What was there before is gone; what is left came while the call ran.
TEST_F(StorePrefixDeleteTest, LeavesNothingThatWasThereBefore) {
  constexpr int kChildren = 300;
  Keys children;
  for (int i = 0; i < kChildren; ++i) {
    children.push_back(absl::StrCat("a||", i));
  }
  int survived = 0;
  for (int round = 0; round < 30; ++round) {
    Set(children, "before");
    std::atomic<bool> stop = false;
    std::thread writer([&] {
      std::mt19937_64 random(round);
      while (!stop) {
        EXPECT_THAT(store_->Set({.key = children[random() % kChildren],
                                 .value = "meanwhile"}),
                    IsOk());
      }
    });
    const absl::StatusOr<int64_t> deleted = store_->DeleteWithPrefix("a");
    stop = true;
    writer.join();
    ASSERT_THAT(deleted, IsOk());
    EXPECT_GT(*deleted, 0);
    for (const std::string& key : All()) {
      EXPECT_THAT(store_->Get(key), IsOkAndHolds(HasValue("meanwhile")));
      ++survived;
    }
  }
  EXPECT_GT(survived, 0) << "no writer came between";
  EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOk());
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

// A record that is sealed anew meanwhile is the same item.
TEST_F(StorePrefixDeleteTest, RemovesAllWhileTheDataKeyChanges) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = dir_.Path("sealed"), .keys = NewTestKeys()});
  ASSERT_THAT(store, IsOk());
  store_ = *std::move(store);
  Keys children;
  for (int i = 0; i < 1000; ++i) children.push_back(absl::StrCat("a||", i));
  for (int rotation = 0; rotation < 10; ++rotation) {
    Set(children);
    ASSERT_THAT(store_->keys().Rotate(), IsOk());
    EXPECT_THAT(store_->DeleteWithPrefix("a"), IsOkAndHolds(1000));
    EXPECT_THAT(All(), IsEmpty());
  }
}

// Two at once remove each child once, and count it once.
TEST_F(StorePrefixDeleteTest, TwoAtOnceShareTheCount) {
  Keys children;
  for (int i = 0; i < 2000; ++i) children.push_back(absl::StrCat("a||", i));
  Set(children);
  absl::StatusOr<int64_t> other;
  std::thread thread([&] { other = store_->DeleteWithPrefix("a"); });
  const absl::StatusOr<int64_t> mine = store_->DeleteWithPrefix("a");
  thread.join();
  ASSERT_THAT(mine, IsOk());
  ASSERT_THAT(other, IsOk());
  EXPECT_EQ(*mine + *other, 2000);
  EXPECT_THAT(All(), IsEmpty());
}

TEST_F(StorePrefixDeleteTest, AgreesWithUpstreamsDefinition) {
  std::mt19937_64 random(TestSeed());
  const Keys parts = {"a", "b", "|", "||", "||"};
  const auto text = [&](size_t parts_at_most) {
    std::string made;
    for (size_t left = 1 + random() % parts_at_most; left > 0; --left) {
      made += parts[random() % parts.size()];
    }
    return made;
  };
  // Of each key, when it expires.
  std::map<std::string, absl::Time> model;
  int64_t deleted = 0;
  for (int step = 0; step < 400; ++step) {
    for (int i = 0; i < 20; ++i) {
      // Some below six levels.
      const std::string key = (i < 5 ? "a||b||a||b||a||b||" : "") + text(9);
      std::optional<absl::Duration> ttl;
      if (i % 4 == 0) ttl = absl::Seconds(1 + random() % 100);
      ASSERT_THAT(store_->Set({.key = key, .ttl = ttl}), IsOk());
      model[key] =
          ttl.has_value() ? clock_.Now() + *ttl : absl::InfiniteFuture();
    }
    clock_.Advance(absl::Seconds(random() % 20));
    std::string prefix = (step % 4 == 0 ? "a||b||a||b||a||b||" : "") + text(4);
    if (prefix == "||") prefix = "a";
    const std::string whole =
        absl::EndsWith(prefix, "||") ? prefix : prefix + "||";
    int64_t expected = 0;
    Keys left;
    for (auto item = model.begin(); item != model.end();) {
      const auto& [key, expires] = *item;
      const bool is_live = expires > clock_.Now();
      if (absl::StartsWith(key, whole) &&
          !absl::StrContains(key.substr(whole.size()), "||")) {
        expected += is_live;
        item = model.erase(item);
      } else {
        if (is_live) left.push_back(key);
        ++item;
      }
    }
    ASSERT_THAT(store_->DeleteWithPrefix(prefix), IsOkAndHolds(expected))
        << prefix;
    deleted += expected;
    if (step % 20 == 0) {
      ASSERT_THAT(All(), ::testing::UnorderedElementsAreArray(left));
    }
  }
  EXPECT_EQ(store_->GetStats()->records, model.size());
  EXPECT_GT(deleted, 100);
}

}  // namespace
}  // namespace statecpp
