// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_bytes.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SecretBytesTest, BeginAsZeros) {
  SecretBytes bytes(1000);
  EXPECT_EQ(bytes.size(), 1000u);
  EXPECT_EQ(std::string(bytes.RevealText()), std::string(1000, '\0'));
}

TEST(SecretBytesTest, CopyHoldsTheBytesItWasGiven) {
  const std::string text("a\0b\n", 4);
  EXPECT_EQ(std::string(SecretBytes::Copy(text).RevealText()), text);
  EXPECT_EQ(SecretBytes::Copy("").size(), 0u);
}

TEST(SecretBytesTest, MoveAndAreNotCopied) {
  SecretBytes bytes = SecretBytes::Copy("secret");
  const uint8_t* const place = bytes.data();
  SecretBytes moved = std::move(bytes);
  EXPECT_EQ(moved.data(), place);
  EXPECT_EQ(std::string(moved.RevealText()), "secret");
  static_assert(!std::is_copy_constructible_v<SecretBytes>);
}

TEST(SecretBytesTest, WhatIsCutOffIsWiped) {
  SecretBytes bytes = SecretBytes::Copy("secret");
  bytes.Truncate(2);
  EXPECT_EQ(std::string(bytes.RevealText()), "se");
  EXPECT_EQ(std::count(bytes.data() + 2, bytes.data() + 6, 0), 4);
  EXPECT_DEATH(bytes.Truncate(3), "");
}

// As also when they are released: then the page is gone.
TEST(SecretBytesTest, APageThatFaultsFollows) {
  EXPECT_DEATH(
      {
        SecretBytes bytes(100);
        volatile uint8_t* const end = bytes.data() + bytes.size();
        *end = 1;
      },
      "");
}

// The flags that the kernel keeps for the memory around an address.
std::string MemoryFlags(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') {
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line + " ";
    }
  }
  return "";
}

TEST(SecretBytesTest, AreLeftOutOfCoreDumps) {
  SecretBytes bytes(100);
  EXPECT_THAT(MemoryFlags(bytes.data()), HasSubstr(" dd "));
  const std::string common(100, 'x');
  EXPECT_THAT(MemoryFlags(common.data()), Not(HasSubstr(" dd ")));
}

}  // namespace
}  // namespace statecpp
