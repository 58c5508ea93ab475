// SPDX-License-Identifier: Apache-2.0
//
// Where things stand in LMDB. These bytes are on disk: a test here that has to
// change means that every store has to be made anew.
#include "engine/keys.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "crypto/keyring.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

constexpr size_t kAncestor = 1 + PathHash::kAncestorSize;
constexpr size_t kLeaf = 1 + PathHash::kLeafSize;

class RecordKeyTest : public ::testing::Test {
 protected:
  std::string KeyOf(absl::string_view user_key) {
    return RecordKey(keyring_->paths(), user_key);
  }

  // The leaf of `user_key` below the given ancestors.
  std::string Path(const std::vector<std::string>& ancestors,
                   absl::string_view user_key) {
    std::string path;
    for (const std::string& ancestor : ancestors) {
      const PathHash::Ancestor hash = keyring_->paths().OfAncestor(ancestor);
      path.push_back('\1');
      path.append(hash.begin(), hash.end());
    }
    const PathHash::Leaf hash = keyring_->paths().OfLeaf(user_key);
    path.push_back('\0');
    path.append(hash.begin(), hash.end());
    return path;
  }

  const std::shared_ptr<const Keyring> keyring_ = VectorKeyring();
};

TEST_F(RecordKeyTest, HasThePublishedBytes) {
  EXPECT_EQ(absl::BytesToHexString(KeyOf(kVectorKey)),
            "01c85f34ac6a74d822010bd5586fbb66a87501915bd4a74096321e00352df9b873"
            "b2831c89f6d4064b8da143");
}

TEST_F(RecordKeyTest, IsSplitAtTheLeftmostSeparatorsWithoutOverlap) {
  EXPECT_EQ(KeyOf("a"), Path({}, "a"));
  EXPECT_EQ(KeyOf("a|b"), Path({}, "a|b"));
  EXPECT_EQ(KeyOf("a||b"), Path({"a||"}, "a||b"));
  EXPECT_EQ(KeyOf("a||"), Path({"a||"}, "a||"));
  EXPECT_EQ(KeyOf("||"), Path({"||"}, "||"));
  EXPECT_EQ(KeyOf("|||"), Path({"||"}, "|||"));
  // The third bar belongs to what follows.
  EXPECT_EQ(KeyOf("a|||b"), Path({"a||"}, "a|||b"));
  EXPECT_EQ(KeyOf("a||||b"), Path({"a||", "a||||"}, "a||||b"));
  EXPECT_EQ(KeyOf("a||b||c"), Path({"a||", "a||b||"}, "a||b||c"));
}

TEST_F(RecordKeyTest, HasAtMostSixAncestors) {
  const std::vector<std::string> six = {
      "1||",          "1||2||",          "1||2||3||",
      "1||2||3||4||", "1||2||3||4||5||", "1||2||3||4||5||6||"};
  EXPECT_EQ(KeyOf("1||2||3||4||5||6||7"), Path(six, "1||2||3||4||5||6||7"));
  EXPECT_EQ(KeyOf("1||2||3||4||5||6||7||8||9"),
            Path(six, "1||2||3||4||5||6||7||8||9"));
  EXPECT_EQ(KeyOf(std::string(65536, '|')).size(), 6 * kAncestor + kLeaf);
}

TEST_F(RecordKeyTest, EqualSegmentsBelowDifferentParentsDoNotLookAlike) {
  const std::string state_of_a = KeyOf("a||state");
  const std::string state_of_b = KeyOf("b||state");
  EXPECT_NE(state_of_a.substr(kAncestor), state_of_b.substr(kAncestor));
  EXPECT_NE(KeyOf("a||x||s").substr(kAncestor, kAncestor),
            KeyOf("b||x||s").substr(kAncestor, kAncestor));
}

// True when the keys that `belongs` picks stand next to one another.
template <typename Predicate>
bool AreOneRange(const std::vector<std::pair<std::string, std::string>>& sorted,
                 Predicate belongs) {
  int changes = 0;
  bool inside = false;
  for (const auto& [record_key, user_key] : sorted) {
    if (belongs(user_key) == inside) continue;
    inside = !inside;
    ++changes;
  }
  return changes <= 2;
}

TEST_F(RecordKeyTest, APrefixIsOneRangeAndItsDirectChildrenAreOne) {
  // Every path of up to four segments out of three, and every prefix of one.
  std::vector<std::string> prefixes = {""};
  std::vector<std::pair<std::string, std::string>> keys;
  for (size_t i = 0; i < prefixes.size(); ++i) {
    const std::string prefix = prefixes[i];
    for (const char* segment : {"a", "b", "metadata"}) {
      const std::string user_key = absl::StrCat(prefix, segment);
      keys.emplace_back(KeyOf(user_key), user_key);
      if (prefixes.size() < 1 + 3 + 9 + 27) {
        prefixes.push_back(absl::StrCat(user_key, "||"));
      }
    }
  }
  std::sort(keys.begin(), keys.end());
  for (const std::string& prefix : prefixes) {
    EXPECT_TRUE(AreOneRange(keys, [&](absl::string_view key) {
      return absl::StartsWith(key, prefix);
    })) << prefix;
    EXPECT_TRUE(AreOneRange(keys, [&](absl::string_view key) {
      return absl::StartsWith(key, prefix) &&
             !absl::StrContains(key.substr(prefix.size()), "||");
    })) << prefix;
  }
}

TEST_F(RecordKeyTest, ARangeIsNamedByTheAncestorsOfWhatIsFixed) {
  const PathHash& paths = keyring_->paths();
  const auto ancestors = [&](absl::string_view key) {
    const std::string whole = KeyOf(key);
    return whole.substr(0, whole.size() - kLeaf);
  };
  EXPECT_EQ(RangeBelow(paths, ""), "");
  EXPECT_EQ(RangeBelow(paths, "a"), "");
  EXPECT_EQ(RangeBelow(paths, "a|"), "");
  EXPECT_EQ(RangeBelow(paths, "a||"), ancestors("a||"));
  EXPECT_EQ(RangeBelow(paths, "a||b"), ancestors("a||"));
  EXPECT_EQ(RangeBelow(paths, "a||b||"), ancestors("a||b||"));

  const std::string leaves(1, '\0');
  EXPECT_EQ(RangeOfChildren(paths, "a||"), ancestors("a||") + leaves);
  EXPECT_EQ(RangeOfChildren(paths, "a||||"), ancestors("a||||") + leaves);
  // Split before its last bar, so its children are not below one node.
  EXPECT_EQ(RangeOfChildren(paths, "a|||"), ancestors("a||"));
  // All that is deeper than six stands together.
  EXPECT_EQ(RangeOfChildren(paths, "1||2||3||4||5||6||"),
            ancestors("1||2||3||4||5||6||") + leaves);
  EXPECT_EQ(RangeOfChildren(paths, "1||2||3||4||5||6||7||"),
            ancestors("1||2||3||4||5||6||") + leaves);
}

TEST_F(RecordKeyTest, ARangeHasAllThatWasAskedFor) {
  // Every text of up to seven bars and letters, as key and as prefix.
  std::vector<std::string> texts = {""};
  for (size_t i = 0; texts[i].size() < 7; ++i) {
    texts.push_back(texts[i] + "|");
    texts.push_back(texts[i] + "a");
  }
  std::vector<std::string> places;
  for (const std::string& text : texts) places.push_back(KeyOf(text));
  for (const std::string& prefix : texts) {
    const std::string below = RangeBelow(keyring_->paths(), prefix);
    const std::string children = RangeOfChildren(keyring_->paths(), prefix);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (!absl::StartsWith(texts[i], prefix)) continue;
      EXPECT_TRUE(absl::StartsWith(places[i], below))
          << texts[i] << " below " << prefix;
      if (!absl::EndsWith(prefix, "||") ||
          absl::StrContains(texts[i].substr(prefix.size()), "||")) {
        continue;
      }
      EXPECT_TRUE(absl::StartsWith(places[i], children))
          << texts[i] << ", child of " << prefix;
    }
  }
}

constexpr char kPlace[] = "place";
const absl::Time kNow = absl::FromUnixSeconds(1790000003);

absl::Time DueOf(absl::Time expires) {
  const std::string key = ExpiryKey(kNow, expires, kPlace);
  return ParseExpiryKey(key).value().due;
}

TEST(ExpiryKeyTest, IsTheDueTimeInUnitsOf64SecondsAndTheRecordKey) {
  const std::string key =
      ExpiryKey(kNow, absl::FromUnixSeconds(1790000064), kPlace);
  // 0x01aac4f0 units are 128 s after 1790000000.
  EXPECT_EQ(absl::BytesToHexString(key),
            absl::StrCat("01aac4f0", absl::BytesToHexString(kPlace)));
  const ExpiryEntry entry = ParseExpiryKey(key).value();
  EXPECT_EQ(entry.due, absl::FromUnixSeconds(1790000128));
  EXPECT_EQ(std::string(entry.record_key), kPlace);
  EXPECT_EQ(DueOf(absl::FromUnixSeconds(1790000063)),
            absl::FromUnixSeconds(1790000064));
}

TEST(ExpiryKeyTest, IsDueAfterTheExpiryAndNotLong) {
  for (int64_t ttl = 1; ttl <= std::numeric_limits<int32_t>::max();
       ttl += ttl / 3 + 1) {
    const absl::Time expires = kNow + absl::Seconds(ttl);
    const absl::Duration late = DueOf(expires) - expires;
    EXPECT_GT(late, absl::ZeroDuration()) << ttl;
    EXPECT_LE(late, absl::Seconds(std::max<int64_t>(64, ttl / 8))) << ttl;
  }
}

TEST(ExpiryKeyTest, IsFoundByWhoKnowsTheExpiryAlone) {
  for (int64_t ttl = 1; ttl <= std::numeric_limits<int32_t>::max();
       ttl += ttl / 3 + 1) {
    const absl::Time expires = kNow + absl::Seconds(ttl);
    const std::string entry = ExpiryKey(kNow, expires, kPlace);
    const auto is_it = [&](absl::string_view key) { return key == entry; };
    EXPECT_TRUE(AnyExpiryKey(expires, kPlace, is_it)) << ttl;
    // Whatever else it asks for would be swept in time, too.
    EXPECT_FALSE(AnyExpiryKey(expires, kPlace, [&](absl::string_view key) {
      return ParseExpiryKey(key)->due <= expires;
    })) << ttl;
  }
}

TEST(ExpiryKeyTest, SortsByTheDueTime) {
  std::vector<std::string> keys;
  for (int64_t ttl = 1; ttl <= std::numeric_limits<int32_t>::max(); ttl *= 2) {
    keys.push_back(ExpiryKey(kNow, kNow + absl::Seconds(ttl), kPlace));
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_GT(std::set<std::string>(keys.begin(), keys.end()).size(), 24u);
}

TEST(ExpiryKeyTest, AKeyRefreshedForEverLeavesSomeSeventeenEntries) {
  for (const int64_t ttl : {100, 1024, 3600, 86400, 86400 * 30, 86400 * 365}) {
    const int64_t refresh = std::max<int64_t>(1, ttl / 1000);
    std::set<std::string> entries;
    size_t most = 0;
    for (int64_t t = 0; t < 4 * ttl; t += refresh) {
      const absl::Time now = kNow + absl::Seconds(t);
      entries.insert(ExpiryKey(now, now + absl::Seconds(ttl), kPlace));
      // The sweeper drops what is due.
      while (ParseExpiryKey(*entries.begin())->due <= now) {
        entries.erase(entries.begin());
      }
      most = std::max(most, entries.size());
    }
    EXPECT_LE(most, 18u) << ttl;
    if (ttl >= 1024) {
      EXPECT_GE(most, 9u) << ttl;
    }
  }
}

TEST(ExpiryKeyTest, StaysWithinItsFourBytes) {
  EXPECT_EQ(
      ExpiryKey(kNow, absl::FromUnixSeconds(int64_t{1} << 40), "").substr(0, 4),
      "\xff\xff\xff\xff");
  EXPECT_EQ(
      ExpiryKey(absl::FromUnixSeconds(-200), absl::FromUnixSeconds(-150), "")
          .substr(0, 4),
      std::string(4, '\0'));
}

TEST(ExpiryKeyTest, IsNotParsedWhereItHasNoRecordKey) {
  EXPECT_EQ(ParseExpiryKey(""), std::nullopt);
  EXPECT_EQ(ParseExpiryKey("1234"), std::nullopt);
  EXPECT_NE(ParseExpiryKey("12345"), std::nullopt);
}

}  // namespace
}  // namespace statecpp
