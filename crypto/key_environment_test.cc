// SPDX-License-Identifier: Apache-2.0
//
// The kernel shows the environment that a process was started with, so this one
// starts itself again with a key in it.
#include "crypto/key_environment.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "crypto/key_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kName[] = "STATECPP_TEST_KEY";
constexpr char kHex[] =
    "f9a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7dff";

std::string ShownEnvironment() {
  std::ifstream file("/proc/self/environ", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(KeyEnvironmentTest, TheKeyIsReadOnceAndShownNoMore) {
  ASSERT_THAT(ShownEnvironment(), AllOf(HasSubstr(kName), HasSubstr(kHex)));
  const std::shared_ptr<const KeySource> source = KeyEnvironmentSource(kName);
  EXPECT_THAT(ShownEnvironment(), Not(HasSubstr(kHex)));
  EXPECT_EQ(getenv(kName), nullptr);

  for (int i = 0; i < 2; ++i) {
    const auto keys = source->Load();
    ASSERT_THAT(keys, IsOk());
    ASSERT_EQ((*keys)->size(), 1u);
    EXPECT_EQ((*keys)->front().name(), kName);
    ASSERT_NE((*keys)->front().key(), nullptr);
    EXPECT_EQ((*keys)->front().key()->RevealKeyBytes()[0], 0xf9);
  }
  EXPECT_EQ(source->path(), "");

  EXPECT_THAT(KeyEnvironmentSource(kName)->Load(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       AllOf(HasSubstr(kName), HasSubstr("is not set"))));
}

TEST(KeyEnvironmentTest, AVariableThatIsNoKeyIsNamed) {
  setenv("STATECPP_TEST_BAD", "s3cret", 1);
  EXPECT_THAT(
      KeyEnvironmentSource("STATECPP_TEST_BAD")->Load(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("environment variable STATECPP_TEST_BAD"),
                     HasSubstr("6 bytes"), Not(HasSubstr("s3cret")))));
}

// As a process may be started; getenv finds the first of them.
TEST(KeyEnvironmentTest, AVariableThatIsThereTwiceIsWipedTwice) {
  char first[] = "STATECPP_TEST_TWICE=s3cret-1";
  char second[] = "STATECPP_TEST_TWICE=s3cret-2";
  char other[] = "STATECPP_TEST_TWICE_NOT=kept";
  char* entries[] = {first, other, second, nullptr};
  char** const before = environ;
  environ = entries;
  const std::optional<SecretBytes> taken = TakeVariable("STATECPP_TEST_TWICE");
  EXPECT_EQ(getenv("STATECPP_TEST_TWICE"), nullptr);
  EXPECT_STREQ(getenv("STATECPP_TEST_TWICE_NOT"), "kept");
  environ = before;
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(std::string(taken->RevealText()), "s3cret-1");
  EXPECT_EQ(std::string(first, sizeof(first)).find("s3cret"),
            std::string::npos);
  EXPECT_EQ(std::string(second, sizeof(second)).find("s3cret"),
            std::string::npos);
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  if (getenv(statecpp::kName) == nullptr) {
    setenv(statecpp::kName, statecpp::kHex, 1);
    execv("/proc/self/exe", argv);
    std::perror("execv");
    return 1;
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
