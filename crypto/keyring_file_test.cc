// SPDX-License-Identifier: Apache-2.0
#include "crypto/keyring_file.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

constexpr char kHex[] =
    "f9a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7dff";
// Of the bytes 00 to 1f, and with a slash that some writers of JSON escape.
constexpr char kBase64[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr char kWithSlash[] = "/AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

class KeyringFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<MasterKeys> Parse(absl::string_view text) {
    return ParseKeyringFile(
        SecretBytes::Copy(text),
        [this](const PassphrasePlace& place) -> absl::StatusOr<SecretBytes> {
          asked_.push_back(place.file + absl::StrJoin(place.command, "|"));
          if (place.file == "bad") return absl::AbortedError("no passphrase");
          return SecretBytes::Copy("correct horse");
        });
  }

  // A file with these "keys" whose primary is "a".
  absl::StatusOr<MasterKeys> ParseKeys(absl::string_view keys) {
    return Parse(
        absl::StrCat(R"({"version":1,"primary":"a","keys":[)", keys, "]}"));
  }

  // Refused with a text that holds `text`; nobody is asked for a passphrase.
  void ExpectRefused(const absl::StatusOr<MasterKeys>& keys,
                     const std::string& text) {
    EXPECT_THAT(keys, StatusIs(kInvalid, HasSubstr(text)));
    EXPECT_THAT(asked_, IsEmpty());
  }

  static std::string Key(absl::string_view name) {
    return absl::StrCat(R"({"name":")", name, R"(","key":")", kHex, "\"}");
  }

  std::vector<std::string> asked_;
};

std::vector<std::string> Names(const MasterKeys& keys) {
  std::vector<std::string> names;
  for (const MasterKey& key : keys) names.push_back(key.name());
  return names;
}

TEST_F(KeyringFileTest, ThePrimaryComesFirstAndTheOthersAsTheyStand) {
  const auto keys = Parse(absl::StrCat(R"({
    "version": 1,
    "primary": "prod-2026-09",
    "keys": [
      {"name": "prod-2026-03", "use": "unlock", "key": ")",
                                       kBase64, R"("},
      {"name": "recovery", "passphrase": {"file": "/etc/words"}},
      {"name": "prod-2026-09", "key": ")",
                                       kHex, R"("  },
      {"passphrase": {"exec": ["/bin/get", "a b"]}, "name": "spare"}
    ]
  })",
                                       "\n"));
  ASSERT_THAT(keys, IsOk());
  EXPECT_THAT(Names(*keys),
              ElementsAre("prod-2026-09", "prod-2026-03", "recovery", "spare"));
  EXPECT_THAT(asked_, ElementsAre("/etc/words", "/bin/get|a b"));
  ASSERT_NE((*keys)[0].key(), nullptr);
  EXPECT_EQ((*keys)[0].key()->RevealKeyBytes()[0], 0xf9);
  ASSERT_NE((*keys)[1].key(), nullptr);
  EXPECT_EQ((*keys)[1].key()->RevealKeyBytes()[31], 0x1f);
  ASSERT_NE((*keys)[2].passphrase(), nullptr);
  EXPECT_EQ(std::string((*keys)[2].passphrase()->RevealText()),
            "correct horse");
}

TEST_F(KeyringFileTest, APassphraseMayBeThePrimary) {
  const auto keys =
      ParseKeys(Key("b") + R"(,{"name":"a","passphrase":{"file":"words"}})");
  ASSERT_THAT(keys, IsOk());
  EXPECT_THAT(Names(*keys), ElementsAre("a", "b"));
}

TEST_F(KeyringFileTest, WhatReadingAPassphraseFailsWithIsTheError) {
  EXPECT_THAT(
      ParseKeys(Key("a") + R"(,{"name":"b","passphrase":{"file":"bad"}})"),
      StatusIs(absl::StatusCode::kAborted, HasSubstr("no passphrase")));
}

TEST_F(KeyringFileTest, TwoPrimariesAreRefused) {
  ExpectRefused(
      Parse(absl::StrCat(R"({"version":1,"primary":"a","primary":"b","keys":[)",
                         Key("a"), ",", Key("b"), "]}")),
      "\"primary\" is there twice");
}

TEST_F(KeyringFileTest, TwoKeysOfOneNameAreRefused) {
  ExpectRefused(ParseKeys(Key("a") + "," + Key("b") + "," + Key("b")),
                "two keys have the name \"b\"");
}

TEST_F(KeyringFileTest, AnUnknownFieldIsNamed) {
  ExpectRefused(
      Parse(absl::StrCat(R"({"version":1,"primary":"a","note":"x","keys":[)",
                         Key("a"), "]}")),
      "unknown field \"note\"; expected version, primary, keys");
  ExpectRefused(ParseKeys(absl::StrReplaceAll(Key("a"), {{"key", "kye"}})),
                "entry 1 \"a\" of \"keys\": unknown field \"kye\"");
  ExpectRefused(ParseKeys(R"({"name":"a","passphrase":{"path":"x"}})"),
                "unknown field \"path\"; expected file, exec");
  // What is no name may be the key itself.
  EXPECT_THAT(ParseKeys(absl::StrCat("{\"", kHex, "\":1}")),
              StatusIs(kInvalid, AllOf(HasSubstr("unknown field"),
                                       Not(HasSubstr("f9a0")))));
}

TEST_F(KeyringFileTest, AnotherVersionIsRefused) {
  for (const char* version : {"2", "0", "-1", "1.0", "1e0", "\"1\"", "true",
                              "null", "[1]", "18446744073709551617"}) {
    ExpectRefused(
        Parse(absl::StrCat(R"({"version":)", version,
                           R"(,"primary":"a","keys":[)", Key("a"), "]}")),
        "\"version\" is not 1");
  }
}

TEST_F(KeyringFileTest, EachFieldIsNeeded) {
  ExpectRefused(
      Parse(absl::StrCat(R"({"primary":"a","keys":[)", Key("a"), "]}")),
      "\"version\" is missing");
  ExpectRefused(Parse(absl::StrCat(R"({"version":1,"keys":[)", Key("a"), "]}")),
                "\"primary\" is missing");
  ExpectRefused(Parse(R"({"version":1,"primary":"a"})"), "\"keys\" is missing");
  ExpectRefused(ParseKeys(R"({"name":"a"})"),
                "expected one of \"key\" and \"passphrase\"");
  ExpectRefused(ParseKeys(absl::StrCat(R"({"key":")", kHex, "\"}")),
                "entry 1 of \"keys\": \"name\" is not");
}

TEST_F(KeyringFileTest, APrimaryThatIsNoneOfTheKeysIsNamed) {
  ExpectRefused(ParseKeys(Key("b")), "\"primary\" \"a\" is the name of none");
  ExpectRefused(ParseKeys(""), "\"primary\" \"a\" is the name of none");
}

TEST_F(KeyringFileTest, APrimaryThatOnlyUnlocksIsRefused) {
  ExpectRefused(
      ParseKeys(absl::StrReplaceAll(Key("a"), {{"}", R"(,"use":"unlock"})"}})),
      "the primary key \"a\" has \"use\": \"unlock\"");
}

TEST_F(KeyringFileTest, AnotherUseIsRefused) {
  ExpectRefused(
      ParseKeys(absl::StrReplaceAll(Key("a"), {{"}", R"(,"use":"seal"})"}})),
      "entry 1 \"a\" of \"keys\": \"use\" is not \"unlock\"");
}

TEST_F(KeyringFileTest, ABadNameIsRefusedByItsPlaceAndNotShown) {
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a/b"),
        std::string(65, 'x'), std::string("a\\u0041\\u0000")}) {
    ExpectRefused(ParseKeys(Key("a") + "," + Key(name)), "entry 2 of \"keys\"");
  }
  EXPECT_THAT(ParseKeys(Key("secret+/")),
              StatusIs(kInvalid, Not(HasSubstr("secret+"))));
  EXPECT_THAT(ParseKeys(Key("a") + "," + Key(std::string(64, 'x'))), IsOk());
}

TEST_F(KeyringFileTest, ABadKeyIsRefusedWithItsEntry) {
  EXPECT_THAT(
      ParseKeys(Key("a") + R"(,{"name":"b","key":"f9a0b1c2"})"),
      StatusIs(kInvalid, AllOf(HasSubstr("entry 2 \"b\" of \"keys\": the key "
                                         "has 8 hexadecimal digits"),
                               Not(HasSubstr("f9a0")))));
  for (const char* key : {"1", "null", "true", "{}", "[]", "[\"x\"]"}) {
    ExpectRefused(ParseKeys(absl::StrCat(R"({"name":"a","key":)", key, "}")),
                  "\"key\" is not a string");
  }
}

TEST_F(KeyringFileTest, AnEscapedKeyIsRefusedAsSuch) {
  const std::string text =
      absl::StrCat(R"({"name":"a","key":")", kWithSlash, "\"}");
  EXPECT_THAT(ParseKeys(text), IsOk());
  ExpectRefused(ParseKeys(absl::StrReplaceAll(text, {{"/", "\\/"}})),
                "\"key\" has a backslash");
}

TEST_F(KeyringFileTest, AnEntryHasEitherAKeyOrAPassphrase) {
  ExpectRefused(ParseKeys(absl::StrReplaceAll(
                    Key("a"), {{"}", R"(,"passphrase":{"file":"x"}})"}})),
                "expected one of \"key\" and \"passphrase\"");
  ExpectRefused(
      ParseKeys(absl::StrReplaceAll(
          Key("a"), {{"}", absl::StrCat(",\"key\":\"", kBase64, "\"}")}})),
      "\"key\" is there twice");
}

TEST_F(KeyringFileTest, APassphraseHasOnePlace) {
  for (const char* passphrase : {"{}", R"({"file":""})", R"({"exec":[]})",
                                 R"({"file":"x","exec":["y"]})"}) {
    ExpectRefused(ParseKeys(absl::StrCat(R"({"name":"a","passphrase":)",
                                         passphrase, "}")),
                  "expected one of \"file\" and \"exec\"");
  }
  // Least of all the passphrase itself, which then is not shown.
  EXPECT_THAT(ParseKeys(R"({"name":"a","passphrase":"correct horse"})"),
              StatusIs(kInvalid, AllOf(HasSubstr("\"passphrase\" is not an "
                                                 "object"),
                                       Not(HasSubstr("horse")))));
  for (const char* exec : {"\"ls\"", "[1]", "[[\"ls\"]]", "{}"}) {
    ExpectRefused(ParseKeys(absl::StrCat(R"({"name":"a","passphrase":{"exec":)",
                                         exec, "}}")),
                  "\"exec\" is not a");
  }
}

TEST_F(KeyringFileTest, WhatIsNoSuchJsonIsRefused) {
  const std::string whole =
      absl::StrCat(R"({"version":1,"primary":"a","keys":[)", Key("a"), "]}");
  ASSERT_THAT(Parse(whole), IsOk());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(Parse(absl::string_view(whole).substr(0, size)),
                HasCode(kInvalid))
        << size;
  }
  for (const std::string& text :
       {whole + "}", whole + whole, whole + " x", "[" + whole + "]",
        std::string("null"), std::string(" "), std::string(64, '['),
        absl::StrReplaceAll(whole, {{"version", "vers\xffion"}}),
        absl::StrReplaceAll(whole, {{",", ";"}}),
        absl::StrReplaceAll(whole, {{",", ",,"}}),
        absl::StrReplaceAll(whole, {{":1", ":1 1"}}),
        absl::StrReplaceAll(whole, {{"}]", "},]"}})}) {
    EXPECT_THAT(Parse(text), HasCode(kInvalid)) << text.size();
  }
  EXPECT_THAT(Parse(whole + "\n \t\n"), IsOk());
}

// Each byte in turn is changed: an error or the same names, never a crash.
TEST_F(KeyringFileTest, AChangedByteIsReadOrRefused) {
  const std::string whole = absl::StrCat(
      R"({"version":1,"primary":"a","keys":[{"name":"b","passphrase":)",
      R"({"exec":["x","y"]}},)", Key("a"), "]}");
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char byte : {'"', '\\', '{', '}', ',', '\0', '\xff'}) {
      std::string changed = whole;
      changed[i] = byte;
      const auto keys = Parse(changed);
      if (keys.ok()) {
        EXPECT_EQ(keys->size(), 2u) << i;
      } else {
        EXPECT_EQ(keys.status().code(), kInvalid) << i;
      }
    }
  }
}

}  // namespace
}  // namespace statecpp
