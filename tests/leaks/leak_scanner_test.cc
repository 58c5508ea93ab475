// SPDX-License-Identifier: Apache-2.0
//
// A search that finds nothing proves nothing until it has found what was
// planted.
#include "tests/leaks/leak_scanner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Key = std::array<uint8_t, 32>;

std::mt19937_64 Generator() { return std::mt19937_64(20260301); }

std::string Noise(size_t size, std::mt19937_64& generator) {
  std::string noise(size, '\0');
  for (char& byte : noise) byte = static_cast<char>(generator());
  return noise;
}

Key RandomKey() {
  std::mt19937_64 generator = Generator();
  Key key;
  for (uint8_t& byte : key) byte = static_cast<uint8_t>(generator());
  return key;
}

std::string RunOf(const Key& key, size_t from, size_t size) {
  return {reinterpret_cast<const char*>(key.data()) + from, size};
}

class LeakScannerTest : public ::testing::Test {
 protected:
  LeakScannerTest() { scanner_.AddSecret("key", key_); }

  // What is found in noise with `planted` at `at`.
  std::vector<Leak> Find(const std::string& planted, size_t at) {
    std::mt19937_64 generator(7);
    std::string file = Noise(10'000, generator);
    file.replace(at, planted.size(), planted);
    return scanner_.Scan(file);
  }

  const Key key_ = RandomKey();
  LeakScanner scanner_;
};

TEST_F(LeakScannerTest, FindsAnyEightBytesAsTheyAre) {
  for (size_t from = 0; from + 8 <= key_.size(); ++from) {
    for (const size_t at : {0, 1, 4095, 9'992}) {
      EXPECT_THAT(Find(RunOf(key_, from, 8), at),
                  ElementsAre(Leak{"key", LeakForm::kRaw, at}))
          << from;
    }
  }
}

TEST_F(LeakScannerTest, FindsThemInHexOfEitherCase) {
  for (size_t from = 0; from + 8 <= key_.size(); ++from) {
    const std::string hex = absl::BytesToHexString(RunOf(key_, from, 8));
    EXPECT_THAT(Find(hex, 4'321),
                ElementsAre(Leak{"key", LeakForm::kHex, 4'321}));
    EXPECT_THAT(Find(absl::AsciiStrToUpper(hex), 9'984),
                ElementsAre(Leak{"key", LeakForm::kHex, 9'984}));
  }
}

// What surrounds them in the encoded bytes shares characters with them.
TEST_F(LeakScannerTest, FindsThemInBase64WhateverSurroundsThem) {
  std::mt19937_64 generator = Generator();
  for (size_t from = 0; from + 8 <= key_.size(); ++from) {
    for (size_t before = 0; before < 7; ++before) {
      for (size_t after = 0; after < 4; ++after) {
        const std::string bytes = Noise(before, generator) +
                                  RunOf(key_, from, 8) +
                                  Noise(after, generator);
        for (const std::string& text :
             {absl::Base64Escape(bytes), absl::WebSafeBase64Escape(bytes)}) {
          EXPECT_THAT(Find(text, 5'555),
                      Contains(Field(&Leak::form, LeakForm::kBase64)))
              << text;
        }
      }
    }
  }
}

TEST_F(LeakScannerTest, FindsNothingInFewerBytes) {
  for (size_t from = 0; from + 7 <= key_.size(); ++from) {
    const std::string run = RunOf(key_, from, 7);
    EXPECT_THAT(Find(run, 100), IsEmpty());
    EXPECT_THAT(Find(absl::BytesToHexString(run), 100), IsEmpty());
  }
}

TEST_F(LeakScannerTest, FindsNothingInNoise) {
  std::mt19937_64 generator(11);
  EXPECT_THAT(scanner_.Scan(Noise(10 << 20, generator)), IsEmpty());
}

TEST_F(LeakScannerTest, NamesEachSecretOncePerForm) {
  Key other = key_;
  std::reverse(other.begin(), other.end());
  scanner_.AddSecret("other", other);
  const std::string both = RunOf(key_, 0, 32) + RunOf(other, 0, 32) +
                           absl::BytesToHexString(RunOf(other, 3, 12));
  EXPECT_THAT(scanner_.Scan(both + both),
              ElementsAre(Leak{"key", LeakForm::kRaw, 0},
                          Leak{"other", LeakForm::kRaw, 32},
                          Leak{"other", LeakForm::kHex, 64}));
}

TEST_F(LeakScannerTest, FindsATextAsAWhole) {
  scanner_.AddText("name", "orders||Actor||42");
  EXPECT_THAT(Find("orders||Actor||42", 9'983),
              ElementsAre(Leak{"name", LeakForm::kText, 9'983}));
  EXPECT_THAT(Find("orders||Actor||4", 9'984), IsEmpty());
}

TEST_F(LeakScannerTest, FindsAmongThousands) {
  for (int i = 0; i < 10'000; ++i) {
    scanner_.AddText(absl::StrCat("name ", i), absl::StrCat("orders||", i));
  }
  std::string file;
  for (int i = 0; i < 20'000; i += 2)
    absl::StrAppend(&file, "orders||", i, ";");
  // "orders||1" is the beginning of others, too.
  EXPECT_THAT(scanner_.Scan(file), SizeIs(::testing::Ge(5'000u)));
  EXPECT_THAT(scanner_.Scan(file), Contains(Field(&Leak::what, "name 9998")));
  EXPECT_THAT(scanner_.Scan(file),
              ::testing::Not(Contains(Field(&Leak::what, "name 9999"))));
}

TEST_F(LeakScannerTest, ReadsFilesToTheLastByte) {
  const TempDir dir;
  const std::string path = dir.Path("file");
  std::ofstream(path).close();
  EXPECT_THAT(scanner_.ScanFile(path), IsEmpty());
  std::ofstream(path) << std::string(100'001, 'x') << RunOf(key_, 24, 8);
  EXPECT_THAT(scanner_.ScanFile(path),
              ElementsAre(Leak{"key", LeakForm::kRaw, 100'001}));
}

TEST_F(LeakScannerTest, AFileThatCannotBeReadIsAFailure) {
  EXPECT_NONFATAL_FAILURE(LeakScanner().ScanFile("/nonexistent/data.mdb"),
                          "No such file");
}

}  // namespace
}  // namespace statecpp
