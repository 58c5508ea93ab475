// SPDX-License-Identifier: Apache-2.0
#include "api/instance_name.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace statecpp {
namespace {

// Trap 7: the conformance suite and grpcurl name no instance.
TEST(InstanceNameTest, IsDefaultWhereNoneIsNamed) {
  EXPECT_EQ(InstanceName(""), "default");
  EXPECT_EQ(InstanceName("orders"), "orders");
}

TEST(FileNameOfTest, KeepsOrdinaryNamesAndEncodesTheRest) {
  const std::pair<absl::string_view, std::string> cases[] = {
      {"orders", "orders"},
      {"order-store.v1_x", "order-store.v1_x"},
      {"a/b", "a%2Fb"},
      {"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"},
      {".", "%2E"},
      {"..", "%2E."},
      {".new-x", "%2Enew-x"},
      {"100%", "100%25"},
      {"a\nb", "a%0Ab"},
      {absl::string_view("a\0b", 3), "a%00b"},
      {"caf\u00e9 1", "caf\u00e9 1"},
  };
  for (const auto& [instance, file_name] : cases) {
    EXPECT_EQ(FileNameOf(instance).value(), file_name);
  }
}

TEST(FileNameOfTest, GivesNoTwoInstancesTheSameFile) {
  const std::string letters = "a./%2F";
  std::set<std::string> files;
  size_t names = 0;
  for (const char a : letters) {
    for (const char b : letters) {
      for (const char c : letters) {
        for (const char d : letters) {
          files.insert(FileNameOf(std::string{a, b, c, d}).value());
          ++names;
        }
      }
    }
  }
  EXPECT_EQ(files.size(), names);
}

TEST(FileNameOfTest, RefusesWhatNoFileNameCanHold) {
  EXPECT_TRUE(FileNameOf(std::string(240, 'a')).ok());
  EXPECT_EQ(FileNameOf(std::string(241, 'a')).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(FileNameOf(std::string(81, '/')).ok());
  // The file that remembers an instance holds its name, as JSON.
  for (const char* name : {"\xb0", "orders\xff", "\xed\xa0\x80", "\xc0\xaf"}) {
    EXPECT_EQ(FileNameOf(name).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(NameOfFileTest, GivesBackTheNameThatMadeTheFile) {
  for (const std::string name : {"orders", "shop/orders", "a.b", ".hidden",
                                 "100%", "%2F", "a\tb", "", "ümlaut/%"}) {
    EXPECT_EQ(NameOfFile(FileNameOf(name).value()), name);
  }
}

TEST(NameOfFileTest, LeavesWhatFileNameOfNeverMakes) {
  for (const std::string file : {"%", "a%2", "%zz"}) {
    EXPECT_EQ(NameOfFile(file), file);
  }
}

TEST(IsDataDirTest, TakesWhatLooksLikeARelativePath) {
  for (const std::string text : {"orders", "shop/orders", "a/b/c", "a.b",
                                 "a..b", "my orders", "LOCK", "a\tb/c%"}) {
    EXPECT_TRUE(IsDataDir(text)) << text;
  }
}

TEST(IsDataDirTest, RefusesWaysOutAndReservedNames) {
  for (const absl::string_view text :
       {"", "/", "/abs", "..", "../x", "a/..", "a/../b", ".", "./a", "a/./b",
        "a//b", "a/", ".new-x", ".hidden", "a/.b"}) {
    EXPECT_FALSE(IsDataDir(text)) << std::string(text);
  }
  EXPECT_FALSE(IsDataDir("a/" + std::string(241, 'b')));
}

}  // namespace
}  // namespace statecpp
