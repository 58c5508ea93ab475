// SPDX-License-Identifier: Apache-2.0
//
// Keys listed by patterns, in pages and all at once. The examples of Dapr's
// conformance suite (its operation keyslike) come first.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/open_store.h"
#include "tests/support/reference_like.h"
#include "tests/support/status_matchers.h"
#include "tests/support/stored_records.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

using Keys = std::vector<std::string>;
constexpr absl::StatusCode kInvalidArgument =
    absl::StatusCode::kInvalidArgument;

class StoreListingTest : public OpenStoreTest {
 protected:
  void Set(const Keys& keys) {
    std::vector<WriteOp> ops;
    for (const std::string& key : keys) ops.push_back({.key = key});
    for (const auto& result : store_->BulkWrite(std::move(ops))) {
      EXPECT_THAT(result, IsOk());
    }
  }

  // All of one page.
  Keys List(std::string pattern) {
    const absl::StatusOr<KeyPage> page =
        store_->ListKeys({.pattern = std::move(pattern)});
    EXPECT_THAT(page, IsOk());
    if (!page.ok()) return {};
    EXPECT_EQ(page->next_token, "");
    EXPECT_EQ(page->damaged, 0);
    return page->keys;
  }
  KeyPage Page(size_t size, std::string token = "", std::string pattern = "%") {
    const absl::StatusOr<KeyPage> page =
        store_->ListKeys({.pattern = std::move(pattern),
                          .page_size = size,
                          .token = std::move(token)});
    EXPECT_THAT(page, IsOk());
    return page.ok() ? *page : KeyPage();
  }
  // The pages of a chain, put together.
  KeyPage Chain(std::string pattern, size_t page_size) {
    KeyPage all;
    std::string token;
    do {
      KeyPage page = Page(page_size, std::move(token), pattern);
      EXPECT_LE(page.keys.size(), page_size);
      std::move(page.keys.begin(), page.keys.end(),
                std::back_inserter(all.keys));
      all.damaged += page.damaged;
      token = std::move(page.next_token);
    } while (!token.empty());
    return all;
  }

  Keys Places() {
    store_.reset();
    Keys places = StoredPlaces(path_);
    Open();
    return places;
  }
  void Damage(absl::string_view place) {
    store_.reset();
    DamageRecord(path_, place);
    Open();
  }
};

const Keys& UpstreamKeys() {
  static const Keys& keys =
      *new Keys({"prefix||key1", "prefix||key2", "prefix||prefix2||key3",
                 "other-prefix||key1", "no-prefix", "abc1", "abc2", "abc3",
                 "abc33", "xyz1", "xyz2", "xyz3"});
  return keys;
}

TEST_F(StoreListingTest, RefusesAnEmptyPattern) {
  EXPECT_THAT(store_->ListKeys({}),
              StatusIs(kInvalidArgument, HasSubstr("pattern is empty")));
}

TEST_F(StoreListingTest, ListsWhatUpstreamsPatternsMatch) {
  EXPECT_THAT(List("%"), IsEmpty());
  Set(UpstreamKeys());
  const std::map<std::string, Keys> expected = {
      {"%", UpstreamKeys()},
      {"prefix||%", {"prefix||key1", "prefix||key2", "prefix||prefix2||key3"}},
      {"%key1", {"prefix||key1", "other-prefix||key1"}},
      {"%||%",
       {"prefix||key1", "prefix||key2", "prefix||prefix2||key3",
        "other-prefix||key1"}},
      {"%||%||%", {"prefix||prefix2||key3"}},
      {"abc_", {"abc1", "abc2", "abc3"}},
      {"prefix||key1", {"prefix||key1"}},
      {"nothing", {}},
      {"nothing||%", {}}};
  for (const auto& [pattern, keys] : expected) {
    EXPECT_THAT(List(pattern), UnorderedElementsAreArray(keys)) << pattern;
  }
}

TEST_F(StoreListingTest, EscapesAsUpstreamDoes) {
  const Keys all = {"%",
                    "hello%%wor.kflow",
                    "%%wor.kflow",
                    "hello%%",
                    "_",
                    "hello_workflow",
                    "_workflow",
                    "hello_",
                    "%hello_workflow%_yoyo"};
  Set(all);
  const Keys hello = {"hello%%wor.kflow", "hello%%", "hello_workflow",
                      "hello_"};
  const std::map<std::string, Keys> expected = {
      {"%", all},
      {"hello%", hello},
      {"hello_", {"hello_"}},
      {"hello_workflo_", {"hello_workflow"}},
      {R"(hello\_workflow)", {"hello_workflow"}},
      {R"(hello\_)", {"hello_"}},
      {"hello%%", hello},
      {R"(hello\%\%)", {"hello%%"}},
      {R"(hello%\%)", {"hello%%"}},
      {R"(hello\%\%%wor.kflow)", {"hello%%wor.kflow"}},
      {R"(\%hello\_workflow\%\_yoyo)", {"%hello_workflow%_yoyo"}}};
  for (const auto& [pattern, keys] : expected) {
    EXPECT_THAT(List(pattern), UnorderedElementsAreArray(keys)) << pattern;
  }
}

TEST_F(StoreListingTest, PagesMayDifferInSizeAndTheLastHasNoToken) {
  Set(UpstreamKeys());
  const KeyPage first = Page(6);
  EXPECT_THAT(first.keys, SizeIs(6));
  EXPECT_NE(first.next_token, "");
  const KeyPage second = Page(5, first.next_token);
  EXPECT_THAT(second.keys, SizeIs(5));
  EXPECT_NE(second.next_token, "");
  const KeyPage third = Page(100, second.next_token);
  EXPECT_THAT(third.keys, SizeIs(1));
  EXPECT_EQ(third.next_token, "");

  Keys all = first.keys;
  all.insert(all.end(), second.keys.begin(), second.keys.end());
  all.insert(all.end(), third.keys.begin(), third.keys.end());
  EXPECT_THAT(all, UnorderedElementsAreArray(UpstreamKeys()));
  // The order is the same each time, however it is cut.
  EXPECT_EQ(all, List("%"));
  EXPECT_EQ(all, Chain("%", 1).keys);
}

// Nothing is promised that an empty page would follow.
TEST_F(StoreListingTest, APageThatEndsWithTheLastKeyHasNoToken) {
  Set(UpstreamKeys());
  EXPECT_EQ(Page(12).next_token, "");
  EXPECT_EQ(Page(3, "", "abc_").next_token, "");
  EXPECT_NE(Page(11).next_token, "");
}

TEST_F(StoreListingTest, WithoutAPageSizeListsAll) {
  Keys keys;
  for (int i = 0; i < 1025; ++i) keys.push_back(absl::StrCat(i));
  Set(keys);
  EXPECT_THAT(List("%"), SizeIs(1025));
  const KeyPage page = Page(100'000);
  EXPECT_THAT(page.keys, UnorderedElementsAreArray(keys));
  EXPECT_EQ(page.next_token, "");
}

TEST_F(StoreListingTest, KeysMayGoAndComeBetweenPages) {
  Set({"key1", "key2", "key3", "key4"});
  const KeyPage first = Page(3);
  EXPECT_THAT(first.keys, SizeIs(3));
  EXPECT_NE(first.next_token, "");
  EXPECT_THAT(store_->Delete({.key = "key1"}), IsOk());
  EXPECT_THAT(store_->Delete({.key = "key3"}), IsOk());
  Set({"key5", "key0"});
  const KeyPage rest = Page(0, first.next_token);
  EXPECT_EQ(rest.next_token, "");
  EXPECT_THAT(Page(3).keys, SizeIs(3));
  EXPECT_NE(Page(3).next_token, "");
  EXPECT_THAT(Page(2).keys, SizeIs(2));
  EXPECT_THAT(List("%"), UnorderedElementsAre("key0", "key2", "key4", "key5"));
}

// A token names a place, and not a key that has to be there.
TEST_F(StoreListingTest, ATokenOutlivesItsKeyAndItsStoresOpening) {
  Set(UpstreamKeys());
  const Keys all = List("%");
  const KeyPage first = Page(6);
  EXPECT_THAT(store_->Delete({.key = first.keys.back()}), IsOk());
  store_.reset();
  Open();
  EXPECT_EQ(Page(0, first.next_token).keys, Keys(all.begin() + 6, all.end()));
}

TEST_F(StoreListingTest, ExpiredKeysAreHidden) {
  ASSERT_THAT(store_->Set({.key = "1", .ttl = absl::Seconds(1)}), IsOk());
  ASSERT_THAT(store_->Set({.key = "2"}), IsOk());
  ASSERT_THAT(store_->Set({.key = "3", .ttl = absl::Seconds(1)}), IsOk());
  EXPECT_THAT(List("%"), SizeIs(3));
  clock_.Advance(absl::Seconds(5));
  EXPECT_THAT(List("%"), ElementsAre("2"));
  EXPECT_THAT(List("1"), IsEmpty());
  EXPECT_EQ(Page(1).next_token, "");
}

TEST_F(StoreListingTest, KeysOfAnyDepthAndBytesAreListed) {
  const std::string nul("nul\0||\0", 7);
  const Keys all = {"a",
                    "||",
                    "|||",
                    "||||",
                    "a||",
                    "a|||",
                    "a|||b",
                    "a||||b",
                    "1||2||3||4||5||6||7",
                    "1||2||3||4||5||6||7||8||9",
                    nul,
                    "\u00e9||\u20ac",
                    "\xFF\xFE||\xE2\x82",
                    std::string(65536, '|'),
                    "big"};
  Set(all);
  // Large values are not read for it.
  ASSERT_THAT(store_->Set({.key = "big", .value = std::string(1 << 20, 'v')}),
              IsOk());
  EXPECT_THAT(List("%"), UnorderedElementsAreArray(all));
  EXPECT_THAT(
      List("1||2||3||4||5||6||%"),
      UnorderedElementsAre("1||2||3||4||5||6||7", "1||2||3||4||5||6||7||8||9"));
  EXPECT_THAT(List("1||2||3||4||5||6||7||8||_"),
              ElementsAre("1||2||3||4||5||6||7||8||9"));
  EXPECT_THAT(List("a|||%"), UnorderedElementsAre("a|||", "a|||b", "a||||b"));
  EXPECT_THAT(List("a|%"),
              UnorderedElementsAre("a||", "a|||", "a|||b", "a||||b"));
  EXPECT_THAT(List("||%"), UnorderedElementsAre("||", "|||", "||||",
                                                std::string(65536, '|')));
  EXPECT_THAT(List(std::string("nul\0%", 5)), ElementsAre(nul));
  EXPECT_THAT(List("\u00e9||_"), ElementsAre("\u00e9||\u20ac"));
  EXPECT_THAT(List("__||\xE2_"), ElementsAre("\xFF\xFE||\xE2\x82"));
  EXPECT_THAT(List("\xFF%"), ElementsAre("\xFF\xFE||\xE2\x82"));
}

TEST_F(StoreListingTest, RefusesATokenThatIsNotItsOwn) {
  Set(UpstreamKeys());
  const std::string token = Page(3, "", "%").next_token;
  const auto list = [&](std::string pattern, std::string text) {
    return store_->ListKeys(
        {.pattern = std::move(pattern), .token = std::move(text)});
  };
  ASSERT_THAT(list("%", token), IsOk());
  // Of another pattern, even of one that matches the same.
  EXPECT_THAT(list("%%", token),
              StatusIs(kInvalidArgument, HasSubstr("continuation token")));
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char other : {'A', 'B', '_', '=', ' ', '\n'}) {
      std::string changed = token;
      if (changed[i] == other) continue;
      changed[i] = other;
      EXPECT_THAT(list("%", changed), HasCode(kInvalidArgument)) << changed;
    }
    EXPECT_THAT(list("%", token.substr(0, i)),
                i == 0
                    ? ::testing::Matcher<const absl::StatusOr<KeyPage>&>(IsOk())
                    : HasCode(kInvalidArgument));
  }
  for (const char* text : {"=", "A", "token", "!", " ", "\xFF", "AAAA"}) {
    EXPECT_THAT(list("%", text), HasCode(kInvalidArgument)) << text;
  }
  for (const std::string& changed :
       {token + "=", token + "A", token + " ", " " + token, token + token}) {
    EXPECT_THAT(list("%", changed), HasCode(kInvalidArgument)) << changed;
  }
  // Of another store.
  absl::StatusOr<std::unique_ptr<Store>> other =
      Store::Open({.path = dir_.Path("other"), .keys = TestKeys()});
  ASSERT_THAT(other, IsOk());
  EXPECT_THAT((*other)->ListKeys({.pattern = "%", .token = token}),
              HasCode(kInvalidArgument));
}

TEST_F(StoreListingTest, ATokenTellsNothingOfTheKeyOrItsPlace) {
  Set({"a||1", "a||2", "a||3"});
  const KeyPage page = Page(1);
  std::string token;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(page.next_token, &token));
  EXPECT_THAT(page.next_token, ::testing::MatchesRegex("[A-Za-z0-9_-]+"));
  EXPECT_THAT(token, ::testing::Not(HasSubstr("a||")));
  for (const std::string& place : Places()) {
    // The ancestor's hash, and the leaf's.
    EXPECT_THAT(token, ::testing::Not(HasSubstr(place.substr(1, 8))));
    EXPECT_THAT(token, ::testing::Not(HasSubstr(place.substr(10))));
  }
  EXPECT_NE(Page(1).next_token, page.next_token) << "the nonce is drawn anew";
}

TEST_F(StoreListingTest, ADamagedRecordIsCountedAndHidesNoOther) {
  Set({"a||1"});
  const Keys places = Places();
  ASSERT_THAT(places, SizeIs(1));
  Set({"a||2", "a||3", "b||1", "c"});
  Damage(places[0]);

  const absl::StatusOr<KeyPage> all = store_->ListKeys({.pattern = "%"});
  ASSERT_THAT(all, IsOk());
  EXPECT_THAT(all->keys, UnorderedElementsAre("a||2", "a||3", "b||1", "c"));
  EXPECT_EQ(all->damaged, 1);
  // On one page of a chain, wherever it is cut.
  for (size_t size = 1; size <= 5; ++size) {
    const KeyPage chain = Chain("%", size);
    EXPECT_EQ(chain.keys, all->keys);
    EXPECT_EQ(chain.damaged, 1) << size;
  }
  // Where its key is asked for, or might have been.
  EXPECT_EQ(store_->ListKeys({.pattern = "a||1"})->damaged, 1);
  EXPECT_EQ(store_->ListKeys({.pattern = "a||x%"})->damaged, 1);
  EXPECT_EQ(store_->ListKeys({.pattern = "b||%"})->damaged, 0);
  EXPECT_THAT(store_->ListKeys({.pattern = "b||%"})->keys, ElementsAre("b||1"));
}

// Each key that stays is listed once in each chain of pages, and none twice,
// whatever comes, goes and is written anew meanwhile.
TEST_F(StoreListingTest, KeysThatStayAreListedOnceWhileOthersComeAndGo) {
  Keys stay;
  for (int i = 0; i < 1500; ++i) {
    stay.push_back(absl::StrCat(i % 7, "||stay", i));
  }
  Set(stay);
  std::atomic<bool> stop = false;
  std::atomic<int> rounds = 0;
  std::thread writer([&] {
    for (int i = 0; !stop; rounds = ++i) {
      EXPECT_THAT(store_->Set({.key = absl::StrCat(i % 7, "||go", i % 50)}),
                  IsOk());
      EXPECT_THAT(store_->Set({.key = stay[i % stay.size()], .value = "new"}),
                  IsOk());
      const int gone = i + 25;
      EXPECT_THAT(
          store_->Delete({.key = absl::StrCat(gone % 7, "||go", gone % 50)}),
          IsOk());
    }
  });
  Keys sorted = stay;
  std::sort(sorted.begin(), sorted.end());
  constexpr size_t kPageSizes[] = {37, 100, 5000, 700};
  for (size_t i = 0; i < 8 || rounds < 500; ++i) {
    KeyPage chain = Chain("%", kPageSizes[i % std::size(kPageSizes)]);
    std::sort(chain.keys.begin(), chain.keys.end());
    EXPECT_EQ(std::adjacent_find(chain.keys.begin(), chain.keys.end()),
              chain.keys.end());
    EXPECT_TRUE(std::includes(chain.keys.begin(), chain.keys.end(),
                              sorted.begin(), sorted.end()));
    EXPECT_EQ(chain.damaged, 0);
  }
  stop = true;
  writer.join();
}

// What is under another key than before is not damaged for that, and a listing
// keeps no key from being retired.
TEST_F(StoreListingTest, ListsAllWhileTheDataKeyChanges) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = dir_.Path("sealed"), .keys = NewTestKeys()});
  ASSERT_THAT(store, IsOk());
  store_ = *std::move(store);
  Keys keys;
  for (int i = 0; i < 2000; ++i) keys.push_back(absl::StrCat(i % 3, "||", i));
  Set(keys);
  uint32_t active = store_->keys().GetStatus()->data_keys.back().id;
  for (int rotation = 0; rotation < 3; ++rotation) {
    const absl::StatusOr<uint32_t> next = store_->keys().Rotate();
    ASSERT_THAT(next, IsOk());
    int listings = 0;
    do {
      const KeyPage chain = Chain("%", 300);
      EXPECT_THAT(chain.keys, SizeIs(keys.size()));
      EXPECT_EQ(chain.damaged, 0);
    } while (++listings < 3 || store_->keys().GetStatus()->resealer.left > 0);
    EXPECT_THAT(store_->keys().Retire(active), IsOk());
    EXPECT_THAT(List("%"), UnorderedElementsAreArray(keys));
    active = *next;
  }
}

// The ranges that patterns are looked for in leave out no key.
TEST_F(StoreListingTest, AgreesWithTheReference) {
  std::mt19937_64 random(TestSeed());
  const Keys parts = {"a", "b", "|", "||", "||", "\u00e9", "%", "_", "\\"};
  const auto text = [&](size_t parts_at_most) {
    std::string made;
    for (size_t left = 1 + random() % parts_at_most; left > 0; --left) {
      made += parts[random() % parts.size()];
    }
    return made;
  };
  Keys keys;
  for (int i = 0; i < 600; ++i) keys.push_back(text(12));
  // Not below six levels alone.
  for (int i = 0; i < 100; ++i) {
    keys.push_back("a||b||a||b||a||b||" + text(6));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Set(keys);
  size_t listed = 0;
  for (int i = 0; i < 1000; ++i) {
    // Half of them begin as a key does.
    std::string pattern = text(6);
    if (random() % 2 == 0) {
      const std::string& key = keys[random() % keys.size()];
      pattern = key.substr(0, random() % (key.size() + 1)) + pattern;
    }
    Keys expected;
    for (const std::string& key : keys) {
      if (ReferenceLike(pattern, key)) expected.push_back(key);
    }
    listed += expected.size();
    Keys found = random() % 2 == 0 ? List(pattern)
                                   : Chain(pattern, 1 + random() % 10).keys;
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, expected) << "pattern " << pattern;
  }
  EXPECT_GT(listed, 5000u);
}

}  // namespace
}  // namespace statecpp
