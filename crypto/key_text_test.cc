// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_text.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

constexpr char kHex[] =
    "f9a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7dff";

// The hexadecimal digits of what `text` is read as; "" for no key.
std::string Parsed(absl::string_view text) {
  const absl::StatusOr<Secret> key = ParseKey(text);
  if (!key.ok()) return "";
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(key->RevealKeyBytes().data()),
       Secret::kSize});
}

std::string Raw() { return absl::HexStringToBytes(kHex); }

std::string Base64() {
  std::string text;
  absl::Base64Escape(Raw(), &text);
  return text;
}

TEST(ParseKeyTest, TakesEachForm) {
  EXPECT_EQ(Parsed(Raw()), kHex);
  EXPECT_EQ(Parsed(kHex), kHex);
  EXPECT_EQ(Parsed(absl::AsciiStrToUpper(kHex)), kHex);
  ASSERT_EQ(Base64().size(), 44u);
  EXPECT_EQ(Parsed(Base64()), kHex);
  EXPECT_EQ(Parsed(Base64().substr(0, 43)), kHex);
}

TEST(ParseKeyTest, TakesBase64OfEitherAlphabet) {
  std::string url;
  absl::WebSafeBase64Escape(Raw(), &url);
  ASSERT_EQ(url.size(), 43u);
  ASSERT_NE(url, Base64().substr(0, 43));
  EXPECT_EQ(Parsed(url), kHex);
  EXPECT_EQ(Parsed(url + "="), kHex);
}

TEST(ParseKeyTest, WhitespaceMayFollowText) {
  for (const char* space : {"\n", "\r\n", " ", "\t\n\n"}) {
    EXPECT_EQ(Parsed(std::string(kHex) + space), kHex);
    EXPECT_EQ(Parsed(Base64() + space), kHex);
    EXPECT_EQ(Parsed(space + std::string(kHex)), "");
  }
}

// Raw bytes are what they are.
TEST(ParseKeyTest, RawBytesMayEndInANewline) {
  std::string raw = Raw();
  raw.back() = '\n';
  EXPECT_EQ(Parsed(raw), absl::BytesToHexString(raw));
}

TEST(ParseKeyTest, RawBytesPlusANewlineAreRefusedAsSuch) {
  EXPECT_THAT(ParseKey(Raw() + "\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("33 bytes"),
                                       HasSubstr("32 raw bytes plus a "
                                                 "newline"))));
  EXPECT_THAT(ParseKey(Raw() + "\r\n"),
              StatusIs(kInvalid, HasSubstr("32 raw bytes plus a newline")));
}

TEST(ParseKeyTest, A128BitKeyIsRefusedAsSuch) {
  const std::string half(kHex, 32);
  for (const std::string& text : {half, half + "\n"}) {
    EXPECT_THAT(ParseKey(text),
                StatusIs(kInvalid, AllOf(HasSubstr("128-bit key"),
                                         HasSubstr("64 hex digits are "
                                                   "needed"))));
  }
}

TEST(ParseKeyTest, HexOfAnotherLengthIsRefusedWithItsLength) {
  // Of 43 and 44 digits, which could pass for base64, too.
  for (const size_t digits : {1, 31, 43, 44, 63, 65, 66, 128}) {
    const std::string text = (std::string(kHex) + kHex).substr(0, digits);
    EXPECT_THAT(
        ParseKey(text),
        StatusIs(kInvalid, HasSubstr(std::to_string(digits) + " hexadecimal")))
        << digits;
  }
}

TEST(ParseKeyTest, WhatLooksLikeBase64AndIsNoneIsRefused) {
  std::string wrong = Base64();
  wrong[5] = '*';
  std::string mixed = Base64();  // of both alphabets
  mixed[4] = '-';
  mixed[5] = '+';
  std::string padding_inside = Base64();
  padding_inside[42] = '=';
  std::string bits_behind_the_end = Base64();
  bits_behind_the_end[42]++;
  for (const std::string& text :
       {wrong, mixed, padding_inside, bits_behind_the_end, Base64() + "A",
        Base64().substr(0, 43) + "*"}) {
    EXPECT_THAT(ParseKey(text), HasCode(kInvalid));
    EXPECT_EQ(Parsed(text), "");
  }
  EXPECT_THAT(ParseKey(wrong), StatusIs(kInvalid, HasSubstr("base64")));
}

// libsodium takes each of these bytes for the digit of 63.
TEST(ParseKeyTest, NoByteBeyondAsciiIsADigitOfBase64) {
  for (int byte = 0x80; byte <= 0xFF; ++byte) {
    std::string text = Base64();
    text[5] = static_cast<char>(byte);
    EXPECT_THAT(ParseKey(text), StatusIs(kInvalid, HasSubstr("base64")))
        << byte;
    EXPECT_EQ(Parsed(text.substr(0, 43)), "") << byte;
  }
}

TEST(ParseKeyTest, AnyOtherLengthIsRefusedWithWhatIsExpected) {
  for (const size_t size : {16, 31, 33, 40, 45, 64, 100}) {
    const std::string text = "!" + (Raw() + Raw() + Raw() + Raw())  //
                                       .substr(1, size - 1);
    EXPECT_THAT(
        ParseKey(text),
        StatusIs(kInvalid, AllOf(HasSubstr(std::to_string(size) + " bytes"),
                                 HasSubstr("expected 32 raw bytes, 64 "
                                           "hexadecimal digits"))))
        << size;
  }
}

TEST(ParseKeyTest, NothingIsRefused) {
  for (const char* text : {"", "\n", " \t\r\n"}) {
    EXPECT_THAT(ParseKey(text), StatusIs(kInvalid, HasSubstr("empty")));
  }
}

TEST(ParseKeyTest, AKeyOfEqualBytesIsRefused) {
  for (const std::string& text :
       {std::string(32, '\0'), std::string(32, '!'), std::string(64, '0'),
        std::string(64, 'a'), std::string(43, 'A') + "="}) {
    EXPECT_THAT(ParseKey(text), StatusIs(kInvalid, HasSubstr("the same")));
  }
  std::string one_differs(32, '\0');
  one_differs[31] = 1;
  EXPECT_NE(Parsed(one_differs), "");
}

TEST(ParseKeyTest, NoErrorShowsWhatWasRead) {
  for (const std::string& text :
       {std::string(kHex, 63), Base64() + "AAAA", "!" + Base64().substr(1)}) {
    const absl::Status status = ParseKey(text).status();
    EXPECT_THAT(std::string(status.message()),
                Not(HasSubstr(text.substr(2, 6))));
  }
}

TEST(KeyAsTextTest, IsWhatParseKeyTakes) {
  const SecretBytes text = KeyAsText(*ParseKey(kHex));
  EXPECT_EQ(std::string(text.RevealText()), std::string(kHex) + "\n");
  EXPECT_EQ(Parsed(text.RevealText()), kHex);
}

// nullopt for none.
std::optional<std::string> Passphrase(absl::string_view text) {
  const absl::StatusOr<SecretBytes> passphrase =
      ParsePassphrase(SecretBytes::Copy(text));
  if (!passphrase.ok()) return std::nullopt;
  return std::string(passphrase->RevealText());
}

TEST(ParsePassphraseTest, OneNewlineIsNotPartOfIt) {
  EXPECT_EQ(Passphrase("correct horse"), "correct horse");
  EXPECT_EQ(Passphrase("correct horse\n"), "correct horse");
  EXPECT_EQ(Passphrase("correct horse\r\n"), "correct horse");
  EXPECT_EQ(Passphrase("correct horse\n\n"), "correct horse\n");
  EXPECT_EQ(Passphrase(" correct\nhorse \n"), " correct\nhorse ");
  EXPECT_EQ(Passphrase("correct horse\n\r\n"), "correct horse\n");
  EXPECT_EQ(Passphrase("horse\r"), "horse\r");
}

TEST(ParsePassphraseTest, Utf8IsKeptAsItIs) {
  EXPECT_EQ(Passphrase("gr\xc3\xbc\xc3\x9f\xf0\x9f\x90\x8e\n"),
            "gr\xc3\xbc\xc3\x9f\xf0\x9f\x90\x8e");
}

TEST(ParsePassphraseTest, NothingIsRefused) {
  EXPECT_EQ(Passphrase(""), std::nullopt);
  EXPECT_EQ(Passphrase("\n"), std::nullopt);
  EXPECT_THAT(ParsePassphrase(SecretBytes::Copy("\r\n")),
              StatusIs(kInvalid, HasSubstr("passphrase is empty")));
}

}  // namespace
}  // namespace statecpp
