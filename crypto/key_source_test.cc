// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_source.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

constexpr char kHex[] =
    "f9a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7dff";
constexpr char kOtherHex[] =
    "09a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7dff";

class KeySourceTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text,
                    mode_t mode = 0600) {
    const std::string path = dir_.Path(name);
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  // Each key as "name:its first byte" or "name:its passphrase"; or the error.
  static std::vector<std::string> Keys(
      const std::shared_ptr<const KeySource>& source) {
    const auto keys = source->Load();
    if (!keys.ok()) return {keys.status().ToString()};
    std::vector<std::string> shown;
    for (const MasterKey& key : **keys) {
      shown.push_back(absl::StrCat(
          key.name(), ":",
          key.key() != nullptr
              ? absl::StrCat(absl::Hex(key.key()->RevealKeyBytes()[0]))
              : std::string(key.passphrase()->RevealText())));
    }
    return shown;
  }

  KeyWarning Warn() {
    return [this](absl::string_view text) { warnings_.emplace_back(text); };
  }

  TempDir dir_;
  std::vector<std::string> warnings_;
};

TEST_F(KeySourceTest, AKeyFileHoldsOneKeyNamedAfterIt) {
  const std::string path = Write("prod-2026.09.key", std::string(kHex) + "\n");
  const auto source = KeyFileSource(path, false);
  EXPECT_THAT(Keys(source), ElementsAre("prod-2026.09:f9"));
  EXPECT_EQ(source->description(), "key file " + path);
  EXPECT_EQ(source->path(), path);
}

TEST_F(KeySourceTest, AKeysNameIsMadeToFit) {
  const std::string name = "the key \xc3\xa4 of all.key";
  EXPECT_THAT(Keys(KeyFileSource(Write(name, kHex), false)),
              ElementsAre("the-key----of-all:f9"));
  const std::string long_name(200, 'x');
  EXPECT_THAT(Keys(KeyFileSource(Write(long_name, kHex), false)),
              ElementsAre(std::string(64, 'x') + ":f9"));
  EXPECT_THAT(Keys(KeyFileSource(Write(".key", kHex), false)),
              ElementsAre(".key:f9"));
}

TEST_F(KeySourceTest, AKeyThatWasReplacedIsFoundTheNextTime) {
  const std::string path = Write("a.key", kHex);
  const auto source = KeyFileSource(path, false);
  EXPECT_THAT(Keys(source), ElementsAre("a:f9"));
  std::filesystem::rename(Write("new", kOtherHex), path);
  EXPECT_THAT(Keys(source), ElementsAre("a:9"));
  std::filesystem::remove(path);
  EXPECT_THAT(source->Load(), StatusIs(kDenied, HasSubstr("does not exist")));
}

TEST_F(KeySourceTest, AnErrorNamesTheFile) {
  const std::string path = Write("a.key", "f9a0b1");
  EXPECT_THAT(KeyFileSource(path, false)->Load(),
              StatusIs(kInvalid, HasSubstr("key file " + path + ": the key")));
  const std::string empty = Write("empty", "\n");
  EXPECT_THAT(PassphraseFileSource(empty, false)->Load(),
              StatusIs(kInvalid, HasSubstr("passphrase file " + empty +
                                           ": the passphrase is empty")));
  const std::string ring = Write("ring", "{}");
  EXPECT_THAT(KeyringFileSource(ring, false)->Load(),
              StatusIs(kInvalid, HasSubstr("keyring file " + ring + ": ")));
}

TEST_F(KeySourceTest, ALooseFileIsRefusedUnlessAllowed) {
  const std::string path = Write("a.key", kHex, 0644);
  EXPECT_THAT(KeyFileSource(path, false, Warn())->Load(), HasCode(kDenied));
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_THAT(Keys(KeyFileSource(path, true, Warn())), ElementsAre("a:f9"));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("key file " + path)));
  EXPECT_THAT(PassphraseFileSource(path, false)->Load(), HasCode(kDenied));
  EXPECT_THAT(PassphraseFileSource(path, true)->Load(), IsOk());
  EXPECT_THAT(KeyringFileSource(path, false)->Load(), HasCode(kDenied));
}

TEST_F(KeySourceTest, APassphraseFileHoldsAPassphrase) {
  const std::string path = Write("words.txt", "gr\xc3\xbc\xc3\x9f dich\n\n");
  const auto source = PassphraseFileSource(path, false);
  EXPECT_THAT(Keys(source), ElementsAre("words:gr\xc3\xbc\xc3\x9f dich\n"));
  EXPECT_EQ(source->description(), "passphrase file " + path);
  EXPECT_EQ(source->path(), path);
}

TEST_F(KeySourceTest, ALargeFileIsRefused) {
  EXPECT_THAT(KeyFileSource(Write("a", std::string(4097, ' ')), false)->Load(),
              StatusIs(kInvalid, HasSubstr("the limit is 4096")));
  EXPECT_THAT(
      KeyringFileSource(Write("b", std::string(65537, ' ')), false)->Load(),
      StatusIs(kInvalid, HasSubstr("the limit is 65536")));
}

class KeyringSourceTest : public KeySourceTest {
 protected:
  std::string WriteKeyring(const std::string& passphrase) {
    return Write("ring.json",
                 absl::StrCat(R"({"version":1,"primary":"a","keys":[)",
                              R"({"name":"b","passphrase":)", passphrase,
                              R"(},{"name":"a","key":")", kHex, "\"}]}"));
  }
};

TEST_F(KeyringSourceTest, HoldsSeveralKeysThePrimaryFirst) {
  Write("words", "correct horse\n");
  const std::string path = WriteKeyring(R"({"file":"words"})");
  const auto source = KeyringFileSource(path, false);
  EXPECT_THAT(Keys(source), ElementsAre("a:f9", "b:correct horse"));
  EXPECT_EQ(source->description(), "keyring file " + path);
  EXPECT_EQ(source->path(), path);
}

TEST_F(KeyringSourceTest, TakesAWholePathAsItIs) {
  std::filesystem::create_directory(dir_.Path("else"));
  const std::string words = Write("else/words", "correct horse\n");
  EXPECT_THAT(Keys(KeyringFileSource(
                  WriteKeyring("{\"file\":\"" + words + "\"}"), false)),
              ElementsAre("a:f9", "b:correct horse"));
}

TEST_F(KeyringSourceTest, JudgesThePassphrasesFileAlike) {
  const std::string words = Write("words", "correct horse\n", 0644);
  const std::string path = WriteKeyring(R"({"file":"words"})");
  EXPECT_THAT(KeyringFileSource(path, false)->Load(),
              StatusIs(kDenied, HasSubstr("passphrase file " + words)));
  EXPECT_THAT(KeyringFileSource(path, true, Warn())->Load(), IsOk());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("passphrase file " + words)));
}

TEST_F(KeyringSourceTest, ACommandMayPrintThePassphrase) {
  EXPECT_THAT(Keys(KeyringFileSource(
                  WriteKeyring(R"({"exec":["echo","correct horse"]})"), false)),
              ElementsAre("a:f9", "b:correct horse"));
  EXPECT_THAT(
      KeyringFileSource(WriteKeyring(R"({"exec":["false"]})"), false)->Load(),
      StatusIs(kDenied, HasSubstr("key command false exited with 1")));
  EXPECT_THAT(
      KeyringFileSource(WriteKeyring(R"({"exec":["echo"]})"), false)->Load(),
      StatusIs(kInvalid,
               HasSubstr("key command echo: the passphrase is empty")));
}

TEST(KeyCommandSourceTest, TakesTheKeyThatACommandPrints) {
  const auto source = KeyCommandSource({"echo", kHex});
  const auto keys = source->Load();
  ASSERT_THAT(keys, IsOk());
  EXPECT_EQ((*keys)->front().name(), "command");
  EXPECT_EQ((*keys)->front().key()->RevealKeyBytes()[0], 0xf9);
  EXPECT_EQ(source->description(), "key command echo");
  EXPECT_EQ(source->path(), "");
  EXPECT_THAT(
      KeyCommandSource({"echo", "a"})->Load(),
      StatusIs(kInvalid, HasSubstr("key command echo: the key has 1 ")));
  EXPECT_THAT(KeyCommandSource({"false"})->Load(), HasCode(kDenied));
}

TEST(KeyValueSourceTest, TakesTheKeyThatIsAtHand) {
  const auto source = KeyValueSource(SecretBytes::Copy(kHex), "component");
  for (int i = 0; i < 2; ++i) {
    const auto keys = source->Load();
    ASSERT_THAT(keys, IsOk());
    EXPECT_EQ((*keys)->front().name(), "component");
    EXPECT_EQ((*keys)->front().key()->RevealKeyBytes()[0], 0xf9);
  }
  EXPECT_EQ(source->description(), "key value of the component");
  EXPECT_EQ(source->path(), "");
  EXPECT_THAT(KeyValueSource(SecretBytes::Copy("s3cret"), "component")->Load(),
              StatusIs(kInvalid, AllOf(HasSubstr("key value of the component"),
                                       Not(HasSubstr("s3cret")))));
}

}  // namespace
}  // namespace statecpp
