// SPDX-License-Identifier: Apache-2.0
//
// A store whose disk fails under a commit: it stops, says so once, and what it
// acknowledged before is there when it is opened again. The failure is a real
// one, by a limit of the system on the size of files.
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/error_payload.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(FailedSyncTest, StopsTheStoreOnceAndForAll) {
  const TempDir dir;
  const std::string path = dir.Path("store");
  std::vector<absl::Status> failures;
  const Options options = {.path = path,
                           .keys = TestKeys(),
                           .on_failed = [&failures](const absl::Status& cause) {
                             failures.push_back(cause);
                           }};
  std::unique_ptr<Store> store = Store::Open(options).value();
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(store->Set({.key = absl::StrCat("k", i), .value = "kept"}),
                IsOk());
  }
  EXPECT_THAT(failures, IsEmpty());
  {
    const FileSizeLimit limit(std::filesystem::file_size(path + "/data.mdb"));
    EXPECT_THAT(store->Set({.key = "lost", .value = std::string(1 << 20, 'v')}),
                StatusIs(absl::StatusCode::kUnknown,
                         HasSubstr("shows when the store is opened again")));
  }
  // The limit is gone and the disk would take it: nothing is tried again.
  const auto stopped = StatusIs(absl::StatusCode::kUnavailable,
                                HasSubstr("stopped after a failed sync"));
  EXPECT_THAT(store->Set({.key = "k0", .value = "late"}), stopped);
  EXPECT_THAT(error::HttpCode(store->Delete({.key = "k0"})), Optional(503));
  EXPECT_THAT(store->Get("k0"), stopped);
  EXPECT_THAT(store->BulkGet({"k0"}), stopped);
  EXPECT_THAT(
      store->Transact({{.key = "k0", .precondition = Precondition::Absent()}}),
      stopped);
  EXPECT_THAT(store->BulkWrite({{.key = "k0"}}), ElementsAre(stopped));
  EXPECT_THAT(store->Sweep(), stopped);
  store.reset();
  EXPECT_THAT(failures, ElementsAre(HasCode(absl::StatusCode::kUnknown)));

  store = Store::Open(options).value();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(store->Get(absl::StrCat("k", i)),
                IsOkAndHolds(HasValue("kept")));
  }
  EXPECT_THAT(store->CheckIntegrity(), IsOk());
  EXPECT_THAT(store->Set({.key = "k0", .value = "new"}), IsOk());
}

}  // namespace
}  // namespace statecpp
