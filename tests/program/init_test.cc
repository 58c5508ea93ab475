// SPDX-License-Identifier: Apache-2.0
//
// `statecpp init`: what it writes serves at once, and nothing is overwritten.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kConflict = 4;
constexpr int kIo = 74;

std::string ContentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t ModeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

class InitTest : public ::testing::Test {
 protected:
  Outcome Init(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"init"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunToEnd(
        {.arguments = std::move(arguments), .working_folder = dir_.path()});
  }
  std::string yaml() const {
    return dir_.Path("demo/components/statestore.yaml");
  }
  std::string key() const { return dir_.Path("demo/statecpp.key"); }

  const TempDir dir_;
};

TEST_F(InitTest, WritesAComponentAndAKeyAndSaysHowToGoOn) {
  const Outcome outcome = Init({"demo"});
  EXPECT_THAT(
      outcome,
      Exits(0, AllOf(HasSubstr("wrote " + yaml()), HasSubstr("wrote " + key()),
                     HasSubstr(absl::StrCat("statecpp serve --data-root ",
                                            dir_.Path("demo/data"),
                                            " --key-file ", key(), "\n")),
                     HasSubstr("--resources-path " +
                               dir_.Path("demo/components")))));
  EXPECT_THAT(ContentOf(key()), MatchesRegex("[0-9a-f]{64}\n"));
  EXPECT_EQ(ModeOf(key()), 0600u);
  EXPECT_EQ(ModeOf(yaml()), 0644u);
  EXPECT_THAT(RunToEnd({.arguments = {"config", "--component", yaml()}}),
              Exits(0, HasSubstr("component statestore")));
}

TEST_F(InitTest, WhatItSaysServesAsItStands) {
  ASSERT_EQ(Init({"demo"}).exit_code, 0);
  Program server({.arguments = {"serve", "--data-root", dir_.Path("demo/data"),
                                "--key-file", key(), "--socket-folder",
                                dir_.Path("sockets")}});
  ASSERT_TRUE(server.AwaitLog("ready: "));
  Client client(dir_.Path("sockets/cpp.sock"), "statestore");
  EXPECT_THAT(client.Init({}), Succeeds());
  EXPECT_THAT(client.SetKey("k", "1"), Succeeds());
  EXPECT_EQ(
      RunToEnd({.arguments = {"get", "k", "--data-root", dir_.Path("demo/data"),
                              "--component", yaml()}})
          .out,
      "1");
}

TEST_F(InitTest, OverwritesNothing) {
  ASSERT_EQ(Init({"demo"}).exit_code, 0);
  const std::string before = ContentOf(key());
  std::ofstream(yaml()) << "mine";
  EXPECT_THAT(Init({"demo"}),
              Exits(kConflict, AllOf(HasSubstr(yaml() + " exists already"),
                                     HasSubstr("nothing was written"))));
  EXPECT_EQ(ContentOf(yaml()), "mine");
  EXPECT_THAT(Init({"demo", "--name", "second"}),
              Exits(0, AllOf(HasSubstr("kept " + key()),
                             HasSubstr("components/second.yaml"))));
  EXPECT_EQ(ContentOf(key()), before);
}

TEST_F(InitTest, WhereAComponentIsThereNoKeyIsMade) {
  fs::create_directories(dir_.Path("demo/components"));
  std::ofstream(yaml()) << "mine";
  EXPECT_EQ(Init({"demo"}).exit_code, kConflict);
  EXPECT_FALSE(fs::exists(key()));
}

TEST_F(InitTest, JsonSaysTheSame) {
  EXPECT_THAT(
      Init({"demo", "--json"}).out,
      AllOf(HasSubstr(absl::StrCat("{\"component\":\"", yaml(), "\",\"key\":\"",
                                   key(), "\",\"keyMade\":true,\"next\":[")),
            HasSubstr("\"statecpp serve --data-root ")));
}

TEST_F(InitTest, APathThatAShellWouldTakeApartIsQuoted) {
  EXPECT_THAT(Init({"a demo"}),
              Exits(0, HasSubstr(absl::StrCat("--data-root '",
                                              dir_.Path("a demo/data"), "'"))));
}

TEST_F(InitTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(dir_.Path("file")) << "";
  EXPECT_THAT(Init({"file"}), Exits(kIo, HasSubstr(dir_.Path("file"))));
}

TEST_F(InitTest, ANameThatIsNoneIsRefusedBeforeAnythingIsWritten) {
  for (const char* name : {"", "A", "a_b", "../a", "-a", "a."}) {
    EXPECT_THAT(Init({"--name", name}),
                Exits(kUsage, HasSubstr("nothing was written")))
        << name;
  }
  EXPECT_TRUE(fs::is_empty(dir_.path()));
}

}  // namespace
}  // namespace statecpp
