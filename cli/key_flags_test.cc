// SPDX-License-Identifier: Apache-2.0
#include "cli/key_flags.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

constexpr char kHex[] =
    "f9a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7dff";

class KeyFlagsTest : public ::testing::Test {
 protected:
  KeyFlagsTest() {
    unsetenv("STATECPP_KEY_FILE");
    unsetenv("CREDENTIALS_DIRECTORY");
    AddKeyFlags(&verb_, flags_);
    AddKeyFlags(&verb_, new_flags_, "new-");
  }

  std::string Write(const std::string& name, mode_t mode = 0600) {
    const std::string path = dir_.Path(name);
    std::ofstream(path) << kHex << "\n";
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  void Parse(std::vector<std::string> arguments) {
    // CLI11 leaves what it is not given as it is.
    flags_ = {.prefix = ""};
    new_flags_ = {.prefix = "new-"};
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants it
    verb_.parse(std::move(arguments));
  }

  // Of the source that the arguments choose; "none", or the error.
  std::string Chosen(std::vector<std::string> arguments) {
    Parse(std::move(arguments));
    return Description(ChooseKeySource(flags_));
  }

  static std::string Description(
      const absl::StatusOr<std::shared_ptr<const KeySource>>& source) {
    if (!source.ok()) return source.status().ToString();
    return *source == nullptr ? "none" : (*source)->description();
  }

  TempDir dir_;
  CLI::App verb_{"verb"};
  KeyFlags flags_;
  KeyFlags new_flags_;
};

TEST_F(KeyFlagsTest, EachFlagNamesASource) {
  EXPECT_EQ(Chosen({"--key-file", "/a/b.key"}), "key file /a/b.key");
  EXPECT_EQ(Chosen({"--passphrase-file", "/a/words"}),
            "passphrase file /a/words");
  EXPECT_EQ(Chosen({"--keyring-file", "/a/ring"}), "keyring file /a/ring");
  EXPECT_EQ(Chosen({"--key-env", "MY_KEY"}), "environment variable MY_KEY");
  EXPECT_EQ(Chosen({"--key-command", "get-key 'of prod'"}),
            "key command get-key");
}

TEST_F(KeyFlagsTest, NoneIsNoError) {
  EXPECT_EQ(Chosen({}), "none");
  EXPECT_EQ(Chosen({"--allow-loose-key-file"}), "none");
}

TEST_F(KeyFlagsTest, TheSourceGivesTheKey) {
  const std::string path = Write("a.key");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{
           {"--key-file", path}, {"--key-command", "cat '" + path + "'"}}) {
    Parse(arguments);
    const auto source = ChooseKeySource(flags_);
    ASSERT_THAT(source, IsOk());
    const auto keys = (*source)->Load();
    ASSERT_THAT(keys, IsOk());
    EXPECT_EQ((*keys)->front().key()->RevealKeyBytes()[0], 0xf9);
  }
}

TEST_F(KeyFlagsTest, MoreThanOneIsRefusedByName) {
  Parse({"--key-file", "/a", "--keyring-file", "/b"});
  EXPECT_THAT(ChooseKeySource(flags_),
              StatusIs(kInvalid, AllOf(HasSubstr("--key-file, --keyring-file"),
                                       HasSubstr("no key was read"))));
  Parse({"--new-key-command", "c", "--new-passphrase-file", "/d"});
  EXPECT_THAT(ChooseKeySource(new_flags_),
              StatusIs(kInvalid, HasSubstr("--new-key-command, "
                                           "--new-passphrase-file")));
}

TEST_F(KeyFlagsTest, ACommandWithAnOpenQuoteIsRefused) {
  Parse({"--key-command", "get-key 'of prod"});
  EXPECT_THAT(ChooseKeySource(flags_),
              StatusIs(kInvalid, HasSubstr("--key-command: a quote")));
}

TEST_F(KeyFlagsTest, AnEmptyValueIsNotAsIfThereWereNone) {
  for (const char* flag :
       {"--key-file", "--key-env", "--key-command", "--passphrase-file",
        "--keyring-file", "--new-key-file"}) {
    EXPECT_THROW(Parse({flag, ""}), CLI::ValidationError) << flag;
  }
}

TEST_F(KeyFlagsTest, WithoutFlagsTheEnvironmentNamesTheFile) {
  setenv("STATECPP_KEY_FILE", "/from/env.key", 1);
  EXPECT_EQ(Chosen({}), "key file /from/env.key");
  EXPECT_EQ(Chosen({"--key-file", "/a"}), "key file /a");
}

TEST_F(KeyFlagsTest, AFlagOfAnotherSourceWinsOverTheEnvironment) {
  setenv("STATECPP_KEY_FILE", "/from/env.key", 1);
  EXPECT_EQ(Chosen({"--keyring-file", "/b"}), "keyring file /b");
}

TEST_F(KeyFlagsTest, SystemdsCredentialComesLastAndOnlyIfItIsThere) {
  setenv("CREDENTIALS_DIRECTORY", dir_.path().c_str(), 1);
  EXPECT_EQ(Chosen({}), "none");
  const std::string path = Write("statecpp.key", 0400);
  EXPECT_EQ(Chosen({}), "key file " + path);
  setenv("STATECPP_KEY_FILE", "/from/env.key", 1);
  EXPECT_EQ(Chosen({}), "key file /from/env.key");
}

// They are where the key is that opens a store, not what takes its place.
TEST_F(KeyFlagsTest, ANewKeyComesFromFlagsAlone) {
  setenv("CREDENTIALS_DIRECTORY", dir_.path().c_str(), 1);
  Write("statecpp.key");
  setenv("STATECPP_KEY_FILE", "/from/env.key", 1);
  EXPECT_EQ(Description(ChooseKeySource(new_flags_)), "none");
  Parse({"--new-key-file", "/new.key"});
  EXPECT_EQ(Description(ChooseKeySource(new_flags_)), "key file /new.key");
  EXPECT_EQ(Description(ChooseKeySource(flags_)), "key file /from/env.key");
}

TEST_F(KeyFlagsTest, ALooseFileIsReadWithAWarningIfAllowed) {
  const std::string path = Write("a.key", 0644);
  Parse({"--key-file", path});
  EXPECT_THAT((*ChooseKeySource(flags_))->Load(),
              HasCode(absl::StatusCode::kPermissionDenied));
  Parse({"--key-file", path, "--allow-loose-key-file"});
  std::vector<std::string> warnings;
  const auto source = ChooseKeySource(
      flags_,
      [&warnings](absl::string_view text) { warnings.emplace_back(text); });
  EXPECT_THAT((*source)->Load(), IsOk());
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("mode 0644")));

  testing::internal::CaptureStderr();
  EXPECT_THAT((*ChooseKeySource(flags_))->Load(), IsOk());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("statecpp: warning: key file " + path),
                    Not(HasSubstr(kHex))));
}

TEST_F(KeyFlagsTest, HelpNamesThemAll) {
  const std::string help = verb_.help();
  for (const char* flag :
       {"--key-file", "--key-env", "--key-command", "--passphrase-file",
        "--keyring-file", "--allow-loose-key-file", "STATECPP_KEY_FILE",
        "CREDENTIALS_DIRECTORY/statecpp.key", "--new-key-file"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
}

}  // namespace
}  // namespace statecpp
