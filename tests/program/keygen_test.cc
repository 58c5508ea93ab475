// SPDX-License-Identifier: Apache-2.0
//
// A key is made once, and must not be lost or shown.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/program.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr int kUsage = 2;
constexpr int kConflict = 4;
constexpr int kIo = 74;

constexpr char kKeyLine[] = "[0-9a-f]{64}\n";

std::string ContentOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class KeygenTest : public ::testing::Test {
 protected:
  Outcome Keygen(std::string file) {
    return RunToEnd({.arguments = {"keygen", std::move(file)},
                     .working_folder = dir_.path()});
  }

  TempDir dir_;
};

TEST_F(KeygenTest, WritesANewKeyThatOnlyItsOwnerMayRead) {
  const mode_t before = umask(0);
  const Outcome outcome = Keygen(dir_.Path("prod.key"));
  umask(before);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_THAT(ContentOf(dir_.Path("prod.key")), MatchesRegex(kKeyLine));
  struct stat info = {};
  ASSERT_EQ(stat(dir_.Path("prod.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);

  EXPECT_EQ(Keygen(dir_.Path("other.key")).exit_code, 0);
  EXPECT_NE(ContentOf(dir_.Path("other.key")),
            ContentOf(dir_.Path("prod.key")));
}

TEST_F(KeygenTest, SaysWhatToDoNextAndNotTheKey) {
  const Outcome outcome = Keygen("prod.key");
  EXPECT_EQ(outcome.exit_code, 0);
  const std::string key = ContentOf(dir_.Path("prod.key"));
  ASSERT_THAT(key, MatchesRegex(kKeyLine));
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("statecpp serve --data-root DIR --key-file " +
                      dir_.Path("prod.key") + "\n"),
            HasSubstr("Keep a copy"), HasSubstr("nobody can read the data"),
            Not(HasSubstr(key.substr(0, 64)))));
}

TEST_F(KeygenTest, NeverOverwritesAFile) {
  const std::string path = dir_.Path("prod.key");
  ASSERT_EQ(Keygen(path).exit_code, 0);
  const std::string key = ContentOf(path);
  const Outcome outcome = Keygen(path);
  EXPECT_EQ(outcome.exit_code, kConflict);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(path), HasSubstr("exists already"),
                                 HasSubstr("nothing was written")));
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(ContentOf(path), key);
}

TEST_F(KeygenTest, FollowsNoLink) {
  fs::create_symlink(dir_.Path("elsewhere"), dir_.Path("link"));
  EXPECT_EQ(Keygen(dir_.Path("link")).exit_code, kConflict);
  EXPECT_FALSE(fs::exists(dir_.Path("elsewhere")));
  EXPECT_EQ(Keygen(dir_.path()).exit_code, kConflict);
}

TEST_F(KeygenTest, ADashPrintsTheKeyAlone) {
  const Outcome outcome = Keygen("-");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, MatchesRegex(kKeyLine));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Keep a copy"),
                                 Not(HasSubstr(outcome.out.substr(0, 64)))));
  EXPECT_TRUE(fs::is_empty(dir_.path()));
}

TEST_F(KeygenTest, ADashIsNoFileThatJsonCouldName) {
  const Outcome outcome = RunToEnd({.arguments = {"keygen", "-", "--json"}});
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_EQ(outcome.out, "");
}

TEST_F(KeygenTest, WhereNoFileCanBeIsAnErrorOfUsage) {
  std::ofstream(dir_.Path("file")) << "not a folder";
  for (const std::string& path :
       {dir_.Path("none/prod.key"), dir_.Path("file/prod.key"),
        dir_.Path(std::string(300, 'x'))}) {
    const Outcome outcome = Keygen(path);
    EXPECT_EQ(outcome.exit_code, kUsage);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("could not write a key to " + path),
                      HasSubstr("nothing is there now")));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
  EXPECT_EQ(RunToEnd({.arguments = {"keygen"}}).exit_code, kUsage);
  const Outcome empty = Keygen("");
  EXPECT_EQ(empty.exit_code, kUsage);
  EXPECT_THAT(empty.err, HasSubstr("FILE: must not be empty"));
}

TEST_F(KeygenTest, AFolderThatMayNotBeWrittenIsAnErrorOfUsage) {
  if (!CanBecomeNobody()) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  const Outcome outcome =
      RunToEnd({.arguments = {"keygen", dir_.Path("key")}, .uid = kNobody});
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("Permission denied"));
}

TEST(KeygenDiskTest, AKeyThatDoesNotFitLeavesNoFile) {
  const absl::StatusOr<std::unique_ptr<SmallDisk>> disk =
      SmallDisk::Mount(SmallDisk::Kind::kTmpfs, 1);
  if (!disk.ok()) GTEST_SKIP() << disk.status();
  (*disk)->FillUpTo(0);
  const std::string path = (*disk)->Path("key");
  const Outcome outcome = RunToEnd({.arguments = {"keygen", path}});
  EXPECT_EQ(outcome.exit_code, kIo);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("could not write a key to " + path),
                                 HasSubstr("No space left"),
                                 HasSubstr("nothing is there now")));
  EXPECT_FALSE(fs::exists(path));
  (*disk)->DropBallast();
  EXPECT_EQ(RunToEnd({.arguments = {"keygen", path}}).exit_code, 0);
}

}  // namespace
}  // namespace statecpp
