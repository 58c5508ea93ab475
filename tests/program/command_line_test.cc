// SPDX-License-Identifier: Apache-2.0
//
// What a user may type, and what the shell gets back.
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr int kUsage = 2;

TEST(CommandLineTest, VersionPrintsTheVersionAlone) {
  const Outcome outcome = RunToEnd({.arguments = {"version"}});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, MatchesRegex("statecpp [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_THAT(outcome.err, IsEmpty());
}

TEST(CommandLineTest, HelpNamesEveryVerbAndExitCode) {
  const Outcome outcome = RunToEnd({.arguments = {"help"}});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("serve"), HasSubstr("health"),
                    HasSubstr("version"), HasSubstr("keygen"),
                    HasSubstr("Exit codes"), HasSubstr("73 lock held"),
                    HasSubstr("6 no server"), HasSubstr("3 not found"),
                    HasSubstr("4 conflict"), HasSubstr("7 key refused")));
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_EQ(RunToEnd({.arguments = {"--help"}}).out, outcome.out);
}

TEST(CommandLineTest, HelpOfAVerbIsTheVerbsOwn) {
  const Outcome outcome = RunToEnd({.arguments = {"help", "serve"}});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* flag :
       {"--data-root", "--dev", "--socket-folder", "--socket-mode",
        "--allow-uid", "--max-connections", "--max-instances", "--wait-lock",
        "--drain-timeout", "--allow-network-fs", "STATECPP_DATA_ROOT",
        "DAPR_COMPONENTS_SOCKETS_FOLDER"}) {
    EXPECT_THAT(outcome.out, HasSubstr(flag));
  }
  EXPECT_EQ(RunToEnd({.arguments = {"serve", "--help"}}).out, outcome.out);
  EXPECT_THAT(RunToEnd({.arguments = {"help", "health"}}).out,
              HasSubstr("--wait"));
}

TEST(CommandLineTest, HelpOfEachVerbNamesTheExitCodes) {
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"serve"},
        {"health"},
        {"keygen"},
        {"keys"},
        {"keys", "status"},
        {"get"},
        {"set"},
        {"delete"},
        {"ls"},
        {"stat"},
        {"config"},
        {"doctor"},
        {"init"},
        {"query"},
        {"verify"},
        {"encrypt"},
        {"compact"},
        {"backup"},
        {"restore"},
        {"version"}}) {
    std::vector<std::string> arguments = verb;
    arguments.push_back("--help");
    EXPECT_THAT(RunToEnd({.arguments = arguments}).out,
                AllOf(HasSubstr("Exit codes"), HasSubstr("74 I/O error")))
        << verb.front();
  }
  EXPECT_THAT(RunToEnd({.arguments = {"help", "query"}}).out,
              HasSubstr("one item a line"));
}

TEST(CommandLineTest, NoVerbIsAnErrorThatSaysHowToGetHelp) {
  const Outcome outcome = RunToEnd({.arguments = {}});
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--help"));
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST(CommandLineTest, AnUnknownVerbIsNamed) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"srve"},
        {"help", "srve"},
        {"serve", "srve"}}) {
    const Outcome outcome = RunToEnd({.arguments = arguments});
    EXPECT_EQ(outcome.exit_code, kUsage);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("srve"), HasSubstr("--help")));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

class FlagsTest : public ServedStoreTest {
 protected:
  // A flag whose value is refused must stop the program before it touches
  // anything.
  void ExpectRefused(const std::string& flag, const std::string& value) {
    const Outcome outcome = RunToEnd(ServeOptions({flag, value}));
    EXPECT_EQ(outcome.exit_code, kUsage) << flag << " \"" << value << "\"";
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(flag), HasSubstr(value)));
    EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
  }
};

TEST_F(FlagsTest, ASocketModeThatIsNotOctalIsRefused) {
  for (const char* mode : {"rw", "0888", "1777", "-1", "+660", "660 ", "0x1ff",
                           "99999999999999999999"}) {
    ExpectRefused("--socket-mode", mode);
  }
  const Outcome empty = RunToEnd(ServeOptions({"--socket-mode", ""}));
  EXPECT_EQ(empty.exit_code, kUsage);
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(FlagsTest, ADurationThatIsNoneIsRefused) {
  for (const char* flag : {"--wait-lock", "--drain-timeout"}) {
    for (const char* duration : {"5 minutes", "-1s", "1", "s", "1h-1m"}) {
      if (std::string(duration) == "1") continue;  // whole seconds
      ExpectRefused(flag, duration);
    }
  }
  const Outcome health = RunToEnd({.arguments = {"health", "--wait", "soon"}});
  EXPECT_EQ(health.exit_code, kUsage);
  EXPECT_THAT(health.err,
              AllOf(HasSubstr("--wait"), HasSubstr("soon"), HasSubstr("30s")));
}

TEST_F(FlagsTest, NumbersOutOfRangeAreRefused) {
  for (const char* count : {"0", "-1", "65537", "many"}) {
    ExpectRefused("--max-connections", count);
    ExpectRefused("--max-instances", count);
  }
  for (const char* uid : {"root", "-1", "4294967296"}) {
    ExpectRefused("--allow-uid", uid);
  }
}

TEST_F(FlagsTest, AnUnknownFlagIsNamed) {
  const Outcome outcome = RunToEnd(ServeOptions({"--data-rot"}));
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--data-rot"));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(FlagsTest, WithoutADataRootNothingIsServed) {
  for (const std::vector<std::string>& root :
       {std::vector<std::string>{}, {"--data-root", ""}}) {
    std::vector<std::string> arguments = {"serve", "--socket-folder",
                                          socket_folder()};
    arguments.insert(arguments.end(), root.begin(), root.end());
    const Outcome outcome =
        RunToEnd({.arguments = arguments, .working_folder = dir_.path()});
    EXPECT_EQ(outcome.exit_code, kUsage);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("--data-root is missing"), HasSubstr("--dev")));
    EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
  }
}

TEST_F(FlagsTest, TheDataRootMayComeFromTheEnvironmentAndTheFlagWins) {
  {
    Program program(
        {.arguments = {"serve", "--socket-folder", socket_folder()},
         .environment = {"STATECPP_DATA_ROOT=" + dir_.Path("env")}});
    ASSERT_TRUE(program.AwaitLog("ready: "));
    EXPECT_TRUE(std::filesystem::exists(dir_.Path("env/LOCK")));
  }
  ProgramOptions options = ServeOptions();
  options.environment = {"STATECPP_DATA_ROOT=" + dir_.Path("other")};
  Program program(options);
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_TRUE(std::filesystem::exists(data_root() + "/LOCK"));
  EXPECT_FALSE(std::filesystem::exists(dir_.Path("other")));
}

TEST_F(FlagsTest, DevServesAFolderBelowTheWorkingFolder) {
  Program program(
      {.arguments = {"serve", "--dev"},
       .environment = {"DAPR_COMPONENTS_SOCKETS_FOLDER=" + socket_folder()},
       .working_folder = dir_.path()});
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_TRUE(std::filesystem::exists(dir_.Path(".statecpp/LOCK")));
  EXPECT_THAT(program.err(),
              AllOf(HasSubstr(socket_path()),
                    HasSubstr("DAPR_COMPONENTS_SOCKETS_FOLDER")));
}

// daprd's folder comes from a variable that Dapr's own injector misspells; the
// user must hear of it.
TEST_F(FlagsTest, AFolderThatDaprdDoesNotReadIsServedWithAWarning) {
  ProgramOptions options = {
      .arguments = {"serve", "--data-root", data_root()},
      .environment = {"DAPR_COMPONENT_SOCKETS_FOLDER=" + socket_folder()}};
  Program program(options);
  ASSERT_TRUE(program.AwaitLog("ready: "));
  EXPECT_THAT(program.err(),
              AllOf(HasSubstr("level=warning"),
                    HasSubstr("DAPR_COMPONENTS_SOCKETS_FOLDER")));
}

}  // namespace
}  // namespace statecpp
