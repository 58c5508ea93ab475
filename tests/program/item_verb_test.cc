// SPDX-License-Identifier: Apache-2.0
//
// `statecpp get`, `set`, `delete` and `ls`: single items, beside the server
// that has the store and without one.
#include <signal.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/held_store.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kConflict = 4;
constexpr int kDamaged = 5;
constexpr int kUnreachable = 6;
constexpr int kKeyRefused = 7;
constexpr int kLockHeld = 73;
constexpr int kIo = 74;

// What docs/limits.md says of key, value and content type.
constexpr size_t kMaxItem = 4090 << 10;

class ItemVerbs : public OfflineStoreTest {
 protected:
  void MakeEmptyStore() {
    Serve();
    Client(socket_path()).MustInit();
  }

  // Beside a server a verb needs no key.
  ProgramOptions Options(bool served, const std::string& verb,
                         std::vector<std::string> more) const {
    return served ? VerbOptions(verb, std::move(more))
                  : VerbOptionsWithKey(verb, std::move(more));
  }

  static std::vector<std::string> Lines(const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return absl::StrSplit(outcome.out, '\n', absl::SkipEmpty());
  }

  // Of a file that is to be a value.
  std::string WriteFile(const std::string& text) const {
    std::string path = dir_.Path("value");
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
};

// The same beside a server and without one: `GetParam()`.
class ItemVerbTest : public ItemVerbs,
                     public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    MakeEmptyStore();
    if (!GetParam()) StopServing();
  }

  Outcome Run(const std::string& verb, std::vector<std::string> more) const {
    return RunToEnd(Options(GetParam(), verb, std::move(more)));
  }
  void MustSet(std::vector<std::string> more) const {
    EXPECT_THAT(Run("set", std::move(more)),
                Exits(0, MatchesRegex("[0-9a-f]{16}\n")));
  }
};

INSTANTIATE_TEST_SUITE_P(ServedOrNot, ItemVerbTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Served" : "Here";
                         });

TEST_P(ItemVerbTest, GetPrintsTheBytesOfAValueAndNothingElse) {
  const std::string bytes("a\0b\xFF\n\x1B[2J", 9);
  MustSet({"k", "--file", WriteFile(bytes)});
  const Outcome outcome = Run("get", {"k"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out == bytes);
  EXPECT_EQ(outcome.err, "");
}

TEST_P(ItemVerbTest, GetSaysWhatIsKeptBesideAValue) {
  const Outcome set =
      Run("set", {"app||k", "{\"n\":1}", "--content-type", "application/json"});
  EXPECT_EQ(set.exit_code, 0) << set.err;
  const std::string etag = set.out.substr(0, 16);
  EXPECT_EQ(Run("get", {"app||k", "--meta"}).out,
            absl::StrCat("key: app||k\netag: ", etag,
                         "\nsize: 7\ncontent type: application/json\n"
                         "expires: -\n"));
  const std::string head =
      absl::StrCat("{\"key\":\"app||k\",\"etag\":\"", etag,
                   "\",\"size\":7,\"contentType\":\"application/json\","
                   "\"expires\":null");
  EXPECT_EQ(Run("get", {"app||k", "--json", "--meta"}).out, head + "}\n");
  EXPECT_EQ(Run("get", {"app||k", "--json"}).out,
            head + ",\"value\":\"{\\\"n\\\":1}\"}\n");
}

TEST_P(ItemVerbTest, JsonHasTheBytesOfAValueThatIsNoText) {
  MustSet({"k", "--file", WriteFile("a\xFF")});
  EXPECT_THAT(Run("get", {"k", "--json"}).out,
              HasSubstr(",\"valueBase64\":\"Yf8=\"}"));
}

TEST_P(ItemVerbTest, WhatIsNotThereIsExitThree) {
  for (const std::string verb : {"get", "delete"}) {
    EXPECT_THAT(Run(verb, {"k"}),
                Exits(kNotFound, AllOf(HasSubstr("no item \"k\""),
                                       HasSubstr("nothing was changed"))));
  }
}

TEST_P(ItemVerbTest, SetTakesAValueFromItsArgumentAFileOrStandardInput) {
  MustSet({"k", "argument"});
  EXPECT_EQ(Run("get", {"k"}).out, "argument");
  MustSet({"k", "--file", WriteFile("file\n")});
  EXPECT_EQ(Run("get", {"k"}).out, "file\n");
  ProgramOptions options = Options(GetParam(), "set", {"k"});
  options.input_file = WriteFile("standard input");
  EXPECT_EQ(RunToEnd(options).exit_code, 0);
  EXPECT_EQ(Run("get", {"k"}).out, "standard input");
  MustSet({"k", ""});
  EXPECT_EQ(Run("get", {"k"}).out, "");
  ProgramOptions number = Options(GetParam(), "set", {});
  number.arguments.insert(number.arguments.end(), {"k", "--", "-1"});
  EXPECT_EQ(RunToEnd(number).exit_code, 0);
  EXPECT_EQ(Run("get", {"k"}).out, "-1");
}

TEST_P(ItemVerbTest, SetSaysTheNewETag) {
  const Outcome set = Run("set", {"k", "1"});
  EXPECT_EQ(Run("get", {"k", "--meta"}).out.substr(13, 17), set.out);
  EXPECT_THAT(Run("set", {"k", "2", "--json"}).out,
              MatchesRegex("\\{\"key\":\"k\",\"etag\":\"[0-9a-f]{16}\"\\}\n"));
}

TEST_P(ItemVerbTest, AnETagThatIsNotTheItemsIsExitFour) {
  const std::string stale = Run("set", {"k", "1"}).out.substr(0, 16);
  const std::string etag =
      Run("set", {"k", "2", "--etag", stale}).out.substr(0, 16);
  ASSERT_EQ(etag.size(), 16u);
  for (const std::vector<std::string>& write :
       {std::vector<std::string>{"set", "k", "3", "--etag", stale},
        {"set", "k", "3", "--etag", "no ETag"},
        {"set", "k", "3", "--first-write"},
        {"set", "absent", "3", "--etag", etag},
        {"delete", "k", "--etag", stale}}) {
    EXPECT_THAT(Run(write[0], {write.begin() + 1, write.end()}),
                Exits(kConflict, HasSubstr("nothing was written")));
  }
  EXPECT_EQ(Run("get", {"k"}).out, "2");
  EXPECT_THAT(Run("delete", {"k", "--etag", etag}), Exits(0, ""));
  MustSet({"k", "4", "--first-write"});
  EXPECT_EQ(Run("get", {"k"}).out, "4");
}

TEST_P(ItemVerbTest, AnItemMayExpire) {
  MustSet({"long", "1", "--ttl", "1h"});
  EXPECT_THAT(Run("get", {"long", "--meta"}).out,
              ContainsRegex("expires: 20[0-9-]+T[0-9:.]+Z\n"));
  // However little it is, it is not "never".
  MustSet({"short", "1", "--ttl", "1ns"});
  EXPECT_TRUE(AwaitTrue(
      [this] { return Run("get", {"short"}).exit_code == kNotFound; }));
  EXPECT_EQ(Run("ls", {}).out, "long\n");
  EXPECT_THAT(Run("set", {"k", "1", "--ttl", "soon"}),
              Exits(kUsage, HasSubstr("--ttl")));
}

TEST_P(ItemVerbTest, AnItemMayBeAsLargeAsAnyComponentAllows) {
  const std::string value(kMaxItem - 1, 'v');
  MustSet({"k", "--file", WriteFile(value)});
  EXPECT_TRUE(Run("get", {"k"}).out == value);
  EXPECT_THAT(Run("set", {"k2", "--file", WriteFile(value)}),
              Exits(kUsage, HasSubstr("nothing was written")));
  EXPECT_THAT(Run("set", {"k2", "--file", WriteFile(value + "12")}),
              Exits(kUsage, AllOf(HasSubstr("has more than 4188160 bytes"),
                                  HasSubstr("nothing was written"))));
  EXPECT_EQ(Run("get", {"k2"}).exit_code, kNotFound);
}

TEST_P(ItemVerbTest, LsListsTheKeysThatBeginSo) {
  for (const char* key : {"app||a", "app||b", "app||b||c", "apple", "50%"}) {
    MustSet({key, "value"});
  }
  EXPECT_THAT(
      Lines(Run("ls", {})),
      UnorderedElementsAre("app||a", "app||b", "app||b||c", "apple", "50%"));
  EXPECT_THAT(Lines(Run("ls", {"app||"})),
              UnorderedElementsAre("app||a", "app||b", "app||b||c"));
  EXPECT_THAT(Lines(Run("ls", {"app||b"})),
              UnorderedElementsAre("app||b", "app||b||c"));
  EXPECT_THAT(Lines(Run("ls", {"50%"})), UnorderedElementsAre("50%"));
  EXPECT_THAT(Lines(Run("ls", {"none"})), UnorderedElementsAre());
  EXPECT_THAT(Lines(Run("ls", {"--like", "app||_"})),
              UnorderedElementsAre("app||a", "app||b"));
  EXPECT_THAT(Lines(Run("ls", {"--json", "app||a"})),
              UnorderedElementsAre("{\"key\":\"app||a\"}"));
}

TEST_P(ItemVerbTest, LsSaysMoreOfEachItemOnRequestButNeverTheValue) {
  MustSet({"k", "canary value", "--ttl", "1h"});
  const Outcome lines = Run("ls", {"-l"});
  EXPECT_THAT(lines.out,
              MatchesRegex(" +12  [0-9a-f]{16}  20[0-9-]+T[0-9:.]+Z  k\n"));
  const Outcome json = Run("ls", {"-l", "--json"});
  EXPECT_THAT(json.out,
              AllOf(HasSubstr("{\"key\":\"k\",\"etag\":\""),
                    HasSubstr("\"size\":12"), HasSubstr("\"expires\":\"20")));
  EXPECT_THAT(lines.out + json.out, Not(HasSubstr("canary")));
}

TEST_P(ItemVerbTest, LsGoesOnWhereALimitEndedIt) {
  std::set<std::string> want;
  for (const char letter : std::string("abcdefg")) {
    want.insert(std::string(1, letter));
    MustSet({std::string(1, letter), "1"});
  }
  std::set<std::string> got;
  std::vector<std::string> more = {"--limit", "3"};
  for (const size_t size : {3, 3, 1}) {
    const Outcome page = Run("ls", more);
    EXPECT_EQ(Lines(page).size(), size);
    for (std::string& key : Lines(page)) got.insert(std::move(key));
    const std::string before = "more with --token ";
    const size_t at = page.err.find(before);
    ASSERT_EQ(at == std::string::npos, size == 1) << page.err;
    if (size == 1) break;
    const size_t from = at + before.size();
    more = {"--limit", "3", "--token",
            page.err.substr(from, page.err.find('\n', from) - from)};
  }
  EXPECT_EQ(got, want);
  EXPECT_THAT(Run("ls", {"--token", "foreign"}),
              Exits(kUsage, HasSubstr("begin again without a token")));
}

TEST_P(ItemVerbTest, AKeyThatATerminalWouldObeyIsEscaped) {
  MustSet({"a\n\x1B[2J", "1"});
  MustSet({"\xFF", "1"});
  EXPECT_THAT(Lines(Run("ls", {})),
              UnorderedElementsAre("a\\n\\033[2J", "\\377"));
  EXPECT_THAT(Run("ls", {"--json"}).out,
              AllOf(HasSubstr("\"a\\u000a\\u001b[2J\""),
                    HasSubstr("\"keyBase64\":\"/w==\"")));
}

TEST_P(ItemVerbTest, DeleteTakesAnItemAway) {
  MustSet({"k", "1"});
  EXPECT_THAT(Run("delete", {"k"}), Exits(0, ""));
  EXPECT_EQ(Run("get", {"k"}).exit_code, kNotFound);
  MustSet({"k", "1"});
  EXPECT_EQ(Run("delete", {"k", "--json"}).out,
            "{\"key\":\"k\",\"deleted\":1}\n");
}

TEST_P(ItemVerbTest, DeleteOfAPrefixOnlyCountsUntilItIsMeant) {
  for (const char* key : {"app||a", "app||b||c", "app", "b"}) {
    MustSet({key, "1"});
  }
  EXPECT_THAT(
      Run("delete", {"--prefix", "app||"}),
      Exits(0, AllOf(HasSubstr("2 items"), HasSubstr("nothing was deleted"))));
  EXPECT_EQ(Run("delete", {"--prefix", "app||", "--json"}).out,
            "{\"prefix\":\"app||\",\"found\":2,\"deleted\":0}\n");
  EXPECT_EQ(Lines(Run("ls", {})).size(), 4u);
  EXPECT_EQ(Run("delete", {"--prefix", "app||", "--yes"}).out,
            "deleted 2 items\n");
  EXPECT_THAT(Lines(Run("ls", {})), UnorderedElementsAre("app", "b"));
  EXPECT_EQ(Run("delete", {"--prefix", "app||", "--yes", "--json"}).out,
            "{\"prefix\":\"app||\",\"found\":0,\"deleted\":0}\n");
}

// More than is done at a time.
TEST_P(ItemVerbTest, DeleteOfAPrefixSaysHowManyItHasDone) {
  if (!GetParam()) Serve();
  {
    Client client(socket_path());
    wire::BulkSetRequest bulk;
    for (int i = 0; i < 1500; ++i) {
      wire::SetRequest* const item = bulk.add_items();
      item->set_key(absl::StrCat("many||", i));
      item->set_value("1");
    }
    ASSERT_THAT(client.BulkSet(bulk), Succeeds());
  }
  if (!GetParam()) StopServing();
  ProgramOptions options =
      Options(GetParam(), "delete", {"--prefix", "many||", "--yes"});
  options.error_terminal = true;
  const Outcome outcome = RunToEnd(options);
  EXPECT_THAT(outcome, Exits(0, HasSubstr("deleted 1500 items\n")));
  EXPECT_THAT(outcome.err, HasSubstr("deleting: 1000 items"));
  options.arguments.push_back("--quiet");
  EXPECT_EQ(RunToEnd(options).err, "");
}

TEST_P(ItemVerbTest, DeleteIsNeverOfEverything) {
  MustSet({"k", "1"});
  EXPECT_THAT(Run("delete", {"--prefix", "", "--yes"}),
              Exits(kUsage, HasSubstr("nothing was deleted")));
  EXPECT_THAT(Run("delete", {}),
              Exits(kUsage, HasSubstr("a KEY, or --prefix")));
  EXPECT_THAT(Run("delete", {"k", "--prefix", "k"}),
              Exits(kUsage, HasSubstr("--prefix")));
  EXPECT_THAT(Run("delete", {"k", "--yes"}), Exits(kUsage, HasSubstr("--yes")));
  EXPECT_EQ(Lines(Run("ls", {})).size(), 1u);
}

TEST_P(ItemVerbTest, AStandardOutputThatIsFullIsAnError) {
  MustSet({"k", "1"});
  for (const std::string verb : {"get", "ls"}) {
    ProgramOptions options = Options(GetParam(), verb, {});
    if (verb == "get") options.arguments.push_back("k");
    options.output_file = "/dev/full";
    EXPECT_THAT(RunToEnd(options), Exits(kIo, HasSubstr("No space left")));
  }
}

TEST_P(ItemVerbTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(Run("set", {"k", "--file", dir_.Path("absent")}),
              Exits(kNotFound, AllOf(HasSubstr(dir_.Path("absent")),
                                     HasSubstr("nothing was written"))));
}

// One item that takes most of the file, so that a byte in the midst of it can
// be damaged without a thought for LMDB's pages.
TEST_F(ItemVerbs, WhatIsDamagedIsExitFiveAndCanBeDeleted) {
  constexpr size_t kLarge = 1 << 20;
  MakeEmptyStore();
  Client client(socket_path());
  ASSERT_THAT(client.SetKey("large", std::string(kLarge, 'v')), Succeeds());
  ASSERT_THAT(client.SetKey("small", "1"), Succeeds());
  StopServing();
  std::fstream file(store() + "/data.mdb",
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(kLarge / 2);
  const char byte = static_cast<char>(file.get());
  file.seekp(kLarge / 2);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  const auto run = [this](bool served, const std::string& verb,
                          std::vector<std::string> more) {
    return RunToEnd(Options(served, verb, std::move(more)));
  };
  for (const bool served : {false, true}) {
    if (served) Serve();
    EXPECT_THAT(run(served, "get", {"large"}),
                Exits(kDamaged, HasSubstr("damaged")));
    EXPECT_EQ(run(served, "get", {"small"}).out, "1");
    const Outcome list = run(served, "ls", {"-l"});
    EXPECT_EQ(list.exit_code, kDamaged);
    EXPECT_THAT(list.out, AllOf(HasSubstr("small\n"),
                                ContainsRegex("damaged .*large\n")));
    EXPECT_THAT(list.err, HasSubstr("1 records on the way are damaged"));
  }
  EXPECT_THAT(run(true, "delete", {"large"}), Exits(0, ""));
  EXPECT_EQ(run(true, "ls", {"-l"}).exit_code, 0);
}

TEST_F(ItemVerbs, AServerDoesWhatItsAppsSee) {
  MakeEmptyStore();
  Client client(socket_path());
  const std::string etag =
      RunToEnd(Options(true, "set", {"canary-key", "canary-value"}))
          .out.substr(0, 16);
  EXPECT_EQ(client.ValueOf("canary-key"), "canary-value");
  EXPECT_EQ(client.ETagOf("canary-key"), etag);
  ASSERT_THAT(client.SetKey("canary-key", "canary-app"), Succeeds());
  EXPECT_EQ(RunToEnd(Options(true, "get", {"canary-key"})).out, "canary-app");
  EXPECT_EQ(RunToEnd(Options(true, "delete", {"canary-key"})).exit_code, 0);
  EXPECT_EQ(client.ValueOf("canary-key"), "(none)");
  // Each change is in the log, without what it was.
  EXPECT_TRUE(server().AwaitLog("items changed by hand", 2));
  EXPECT_THAT(server().err(),
              AllOf(HasSubstr("verb=\"delete\""), Not(HasSubstr("canary"))));
}

TEST_F(ItemVerbs, AServerThatLeavesIsExitSix) {
  MakeEmptyStore();
  // Its socket takes connections all the same, so whoever comes waits for it.
  server().Signal(SIGSTOP);
  Program get(Options(true, "get", {"k"}));
  ASSERT_TRUE(AwaitTrue([this] {
    std::ifstream sockets("/proc/net/unix");
    const std::string text{std::istreambuf_iterator<char>(sockets), {}};
    const std::string name = data_root() + "/.admin.sock";
    return text.find(name) != text.rfind(name);
  }));
  Kill();
  EXPECT_EQ(get.Wait(), kUnreachable);
  EXPECT_THAT(get.err(), HasSubstr("server"));
}

TEST_F(ItemVerbs, AStoreThatCannotBeOpenedIsNotTouched) {
  EXPECT_THAT(RunToEnd(Options(false, "get", {"k"})),
              Exits(kNotFound, HasSubstr("--data-root")));
  MakeEmptyStore();
  EXPECT_THAT(RunToEnd(Options(true, "get", {"k", "--store", "absent"})),
              Exits(kNotFound, HasSubstr("no store absent; it has: orders")));
  StopServing();
  {
    const HeldStore held(store(), "pid 7 on elsewhere");
    EXPECT_THAT(RunToEnd(Options(false, "set", {"k", "1"})),
                Exits(kLockHeld, HasSubstr("pid 7 on elsewhere")));
  }
  if (TestsAreSealed()) {
    EXPECT_THAT(RunToEnd(Options(true, "set", {"k", "1"})),
                Exits(kKeyRefused, HasSubstr("no key")));
  }
  EXPECT_EQ(RunToEnd(Options(false, "ls", {})).out, "");
}

}  // namespace
}  // namespace statecpp
