// SPDX-License-Identifier: Apache-2.0
//
// `statecpp stat`: the figures of a store, beside the server that has it and
// without one.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// docs/operations.md promises these.
constexpr int kNotFound = 3;
constexpr int kKeyRefused = 7;

class StatTest : public OfflineStoreTest {
 protected:
  Outcome StatServed(std::vector<std::string> more = {}) const {
    return RunToEnd(VerbOptions("stat", std::move(more)));
  }
  Outcome StatHere(std::vector<std::string> more = {}) const {
    return RunToEnd(VerbOptionsWithKey("stat", std::move(more)));
  }
};

TEST_F(StatTest, SaysTheSameServedOrNot) {
  Serve();
  Client client(socket_path());
  client.MustInit({{"maxSize", "64Mi"}});
  ASSERT_THAT(client.SetKey("canary-key", "canary-value"), Succeeds());
  const char* const sealed = TestsAreSealed() ? "sealed" : "in clear";
  const auto is_stat =
      AllOf(ContainsRegex(absl::StrCat("format:       1, ", sealed)),
            HasSubstr("items:        1,"), HasSubstr("pages of 4096"),
            HasSubstr("expiry index: 0 entries, 0 due\n"));
  EXPECT_THAT(StatServed(),
              Exits(0, AllOf(HasSubstr("store:        orders, served\n"),
                             is_stat, HasSubstr("% of maxSize 64.0 MiB"),
                             HasSubstr("opened 1 times"))));
  StopServing();
  // Nothing here says what maxSize the server will open it with.
  EXPECT_THAT(StatHere(), Exits(0, AllOf(HasSubstr("store:        orders\n"),
                                         is_stat, Not(HasSubstr("maxSize")),
                                         HasSubstr("opened 2 times"))));
}

TEST_F(StatTest, JsonHasTheFigures) {
  Serve();
  Client client(socket_path());
  client.MustInit({{"maxSize", "64Mi"}});
  for (const char* key : {"a", "b"}) {
    ASSERT_THAT(client.SetKey(key, "1"), Succeeds());
  }
  const std::string sealed =
      absl::StrCat("\"sealed\":", TestsAreSealed() ? "true" : "false");
  EXPECT_THAT(StatServed({"--json"}).out,
              AllOf(HasSubstr("{\"store\":\"orders\",\"served\":true,"
                              "\"format\":1,"),
                    HasSubstr(sealed), HasSubstr("\"items\":2,"),
                    HasSubstr("\"maxSize\":67108864,")));
  StopServing();
  EXPECT_THAT(StatHere({"--json"}).out,
              AllOf(HasSubstr("\"served\":false"), HasSubstr(sealed),
                    HasSubstr("\"items\":2,"), HasSubstr("\"maxSize\":null")));
}

TEST_F(StatTest, NeedsAStoreAndItsKey) {
  EXPECT_THAT(StatHere(), Exits(kNotFound, HasSubstr("--data-root")));
  MakeStore(1);
  if (!TestsAreSealed()) return;
  EXPECT_THAT(StatServed(), Exits(kKeyRefused, HasSubstr("no key")));
}

}  // namespace
}  // namespace statecpp
