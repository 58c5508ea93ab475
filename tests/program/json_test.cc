// SPDX-License-Identifier: Apache-2.0
//
// `--json` of the verbs that change something, or say little: one object on a
// line, and nothing else on standard output.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::MatchesRegex;

class JsonTest : public OfflineStoreTest {
 protected:
  // Of a verb of one word or two about the store, which nobody serves.
  std::string OutOf(std::vector<std::string> words) const {
    words.insert(words.end(), {"--json", "--data-root", data_root()});
    if (TestsAreSealed()) {
      words.insert(words.end(), {"--key-file", key_file()});
    }
    return OutOfWords(std::move(words));
  }
  static std::string OutOfWords(std::vector<std::string> words) {
    const Outcome outcome = RunToEnd({.arguments = std::move(words)});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }
};

TEST_F(JsonTest, OfWhatNeedsNoStore) {
  EXPECT_THAT(OutOfWords({"version", "--json"}),
              MatchesRegex("\\{\"version\":\"[0-9.]+\"\\}\n"));
  const std::string key = dir_.Path("new.key");
  EXPECT_EQ(OutOfWords({"keygen", key, "--json"}),
            absl::StrCat("{\"key\":\"", key, "\"}\n"));
  Serve();
  EXPECT_EQ(
      OutOfWords({"health", "--json", "--socket-folder", socket_folder()}),
      "{\"status\":\"SERVING\"}\n");
}

TEST_F(JsonTest, OfACompaction) {
  MakeStore(3);
  EXPECT_THAT(OutOf({"compact"}),
              MatchesRegex("\\{\"store\":\"orders\",\"records\":3,"
                           "\"bytesBefore\":[0-9]+,\"bytesAfter\":[0-9]+,"
                           "\"formerRemoved\":true\\}\n"));
}

TEST_F(JsonTest, OfSealingAStoreInClear) {
  if (TestsAreSealed()) return;
  MakeStore(3);
  const std::vector<std::string> encrypt = {"encrypt",     "--json",
                                            "--data-root", data_root(),
                                            "--key-file",  key_file()};
  EXPECT_THAT(OutOfWords(encrypt),
              MatchesRegex("\\{\"store\":\"orders\",\"records\":3,.*,"
                           "\"remembered\":\\[\"orders\"\\]\\}\n"));
  EXPECT_EQ(OutOfWords(encrypt),
            "{\"store\":\"orders\",\"wasSealed\":true,\"remembered\":[]}\n");
}

TEST_F(JsonTest, OfTheChangesOfKeys) {
  if (!TestsAreSealed()) return;
  MakeStore(3);
  const std::string key = dir_.Path("new.key");
  OutOfWords({"keygen", key});
  EXPECT_EQ(OutOf({"keys", "add", "--new-key-file", key}),
            "{\"slot\":\"new\"}\n");
  EXPECT_EQ(OutOf({"keys", "remove", "new"}), "{\"removed\":\"new\"}\n");
  EXPECT_EQ(OutOf({"keys", "rotate"}), "{\"dataKey\":2,\"left\":0}\n");
  EXPECT_EQ(OutOf({"keys", "retire"}), "{\"retired\":[1]}\n");
  EXPECT_EQ(OutOf({"keys", "retire"}), "{\"retired\":[]}\n");
  EXPECT_EQ(OutOf({"keys", "rotate", "--no-wait"}),
            "{\"dataKey\":3,\"left\":null}\n");
}

}  // namespace
}  // namespace statecpp
