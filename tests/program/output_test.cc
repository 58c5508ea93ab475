// SPDX-License-Identifier: Apache-2.0
//
// A standard output that nothing can be written to: on a full disk, or closed.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// docs/operations.md promises these.
constexpr int kDamaged = 5;
constexpr int kIo = 74;

constexpr char kNoSpace[] =
    "statecpp: could not write to standard output: No space left on device; "
    "the output is incomplete, and all else was done\n";

// Of rows that were not even read.
constexpr char kCutShort[] =
    "statecpp: could not write to standard output: No space left on device; "
    "the output is incomplete\n";

class OutputTest : public OfflineStoreTest {
 protected:
  // A store in which one item is JSON. Stops the server.
  void MakeStoreOfLarge(size_t size) {
    Serve();
    Client client(socket_path());
    client.MustInit();
    ASSERT_THAT(client.SetKey("text", std::string(size, 't')), Succeeds());
    ASSERT_THAT(
        client.SetKey("json", absl::StrCat("\"", std::string(size, 'j'), "\"")),
        Succeeds());
    StopServing();
  }

  // Words of a verb, its flags among them, about this store.
  ProgramOptions AboutStore(std::vector<std::string> words) const {
    words.insert(words.end(), {"--data-root", data_root()});
    return {.arguments = std::move(words)};
  }
  // The same where no server has it.
  ProgramOptions AboutClosedStore(std::vector<std::string> words) const {
    if (TestsAreSealed()) {
      words.insert(words.end(), {"--key-file", key_file()});
    }
    return AboutStore(std::move(words));
  }

  static Outcome RunOnFullDisk(ProgramOptions options) {
    options.output_file = "/dev/full";
    return RunToEnd(options);
  }

  static void ExpectNoSpace(const ProgramOptions& options) {
    const Outcome outcome = RunOnFullDisk(options);
    const std::string words = absl::StrJoin(options.arguments, " ");
    EXPECT_EQ(outcome.exit_code, kIo) << words;
    EXPECT_EQ(outcome.err, kNoSpace) << words;
  }
};

TEST_F(OutputTest, WhatNeedsNoStoreSaysThatItCouldNotBeWritten) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"version"},
        {"--help"},
        {"help"},
        {"help", "query"},
        {"serve", "--help"}}) {
    ExpectNoSpace({.arguments = words});
  }
}

TEST_F(OutputTest, WhatReadsAStoreSaysThatItCouldNotBeWritten) {
  MakeStoreOfLarge(10);
  const std::vector<std::string> verbs[] = {{"verify"},
                                            {"verify", "--json"},
                                            {"keys", "status"},
                                            {"keys", "status", "--json"},
                                            {"query"}};
  for (const auto& verb : verbs) ExpectNoSpace(AboutClosedStore(verb));
  Serve();
  for (const auto& verb : verbs) ExpectNoSpace(AboutStore(verb));
  ExpectNoSpace({.arguments = {"health", "--socket-folder", socket_folder()}});
}

// More than is kept back until the end.
TEST_F(OutputTest, RowsThatCannotBeWrittenEndAQuery) {
  MakeStoreOfLarge(size_t{1} << 20);
  EXPECT_THAT(RunOnFullDisk(AboutClosedStore({"query"})),
              Exits(kIo, kCutShort));
  Serve();
  EXPECT_THAT(RunOnFullDisk(AboutStore({"query"})), Exits(kIo, kCutShort));
}

TEST_F(OutputTest, WhatAVerbChangesIsChangedAllTheSame) {
  MakeStore();
  const std::string before = Data();
  ExpectNoSpace(AboutClosedStore({"compact", "--quiet"}));
  EXPECT_TRUE(Data() != before);
  ExpectServed({});
}

TEST_F(OutputTest, AFailureKeepsItsExitCode) {
  MakeStoreOfLarge(size_t{1} << 20);
  {
    std::fstream data(store() + "/data.mdb",
                      std::ios::in | std::ios::out | std::ios::binary);
    data.seekp(static_cast<std::streamoff>(Data().size() / 2));
    data.write("damage", 6);
  }
  EXPECT_THAT(
      RunOnFullDisk(AboutClosedStore({"verify"})),
      Exits(kDamaged, AllOf(HasSubstr("could not write to standard output"),
                            HasSubstr("the output is incomplete\n"))));
}

// Else a file of the store would be opened where the output goes.
TEST_F(OutputTest, AClosedOutputIsNoPlaceForAStore) {
  EXPECT_THAT(RunToEnd({.arguments = {"version"}, .closed = {STDOUT_FILENO}}),
              Exits(kIo, HasSubstr("Bad file descriptor")));
  // More than is kept back until the store is closed again.
  MakeStoreOfLarge(size_t{1} << 20);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"query"}, {"verify"}, {"keys", "status"}}) {
    for (const std::vector<int>& closed :
         {std::vector<int>{STDOUT_FILENO},
          {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}}) {
      ProgramOptions options = AboutClosedStore(words);
      options.closed = closed;
      EXPECT_EQ(RunToEnd(options).exit_code, kIo) << words.front();
      EXPECT_LT(std::filesystem::file_size(store() + "/LOCK"), 4096u)
          << words.front();
      EXPECT_THAT(RunToEnd(AboutClosedStore({"verify"})),
                  Exits(0, HasSubstr("orders is whole")));
    }
  }
}

TEST_F(OutputTest, AServerRunsWithoutAnyStandardStream) {
  MakeStoreOfLarge(10);
  ProgramOptions options = ServeOptions();
  options.closed = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  Program server(options);
  const std::vector<std::string> health = {"health", "--socket-folder",
                                           socket_folder(), "--wait", "30s"};
  ASSERT_EQ(RunToEnd({.arguments = health}).exit_code, 0);
  EXPECT_EQ(Client(socket_path()).ValueOf("text"), std::string(10, 't'));
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
  EXPECT_EQ(RunToEnd(AboutClosedStore({"verify"})).exit_code, 0);
}

}  // namespace
}  // namespace statecpp
