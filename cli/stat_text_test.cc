// SPDX-License-Identifier: Apache-2.0
#include "cli/stat_text.h"

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

StatView View() {
  StatView view = {.store = "orders", .stats = {}, .keys = {}};
  view.stats.format = 1;
  view.stats.records = 3;
  view.stats.used_bytes = 40960;
  view.stats.max_size = 81920;
  view.stats.page_size = 4096;
  view.stats.used_pages = 10;
  view.stats.free_pages = 2;
  view.stats.file_bytes = uint64_t{3} << 30;
  view.stats.file_bytes_on_disk = 1000;
  view.stats.disk_free_bytes = uint64_t{5} << 40;
  view.stats.commit_seq = 7;
  view.stats.open_count = 2;
  view.stats.readers = 1;
  view.stats.oldest_reader_lag = 4;
  view.stats.expiry_entries = 9;
  view.keys.store_id = "00ff";
  return view;
}

TEST(StatTextTest, SaysWhatAPlainStoreHas) {
  EXPECT_EQ(
      StatText(View(), absl::UnixEpoch()),
      "store:        orders\n"
      "format:       1, in clear: not sealed, store id 00ff\n"
      "items:        3, those included that have expired and are not "
      "swept yet\n"
      "in use:       40.0 KiB in 10 pages of 4096\n"
      "free pages:   2, which are used again before the file grows\n"
      "file:         3.0 GiB, 1000 bytes on disk, which has 5.0 TiB left\n"
      "commits:      7 since it was made, opened 2 times\n"
      "readers:      1, the oldest 4 commits behind\n"
      "expiry index: 9 entries, 0 due\n");
}

TEST(StatTextTest, SaysMoreWhereMoreIsKnown) {
  StatView view = View();
  view.served = true;
  view.knows_max_size = true;
  view.keys.sealed = true;
  view.keys.slots = {{"prod", false, "837c0a07"}, {"next", false, "01020304"}};
  view.keys.data_keys = {{1, false, 1}, {2, true, 2}};
  view.stats.due_entries = StoreStats::kMaxDueEntries;
  view.stats.due_since = absl::UnixEpoch();
  const std::string text =
      StatText(view, absl::UnixEpoch() + absl::Milliseconds(90500));
  EXPECT_THAT(text, AllOf(HasSubstr("store:        orders, served\n"),
                          HasSubstr("1, sealed, store id 00ff\n"),
                          HasSubstr(", 50.0 % of maxSize 80.0 KiB\n"),
                          HasSubstr("10000 or more due, the first for 1m30s\n"),
                          HasSubstr("prod (837c0a07), next (01020304)\n"),
                          HasSubstr("1 (1 records), 2 (active, 2 records)\n")));
}

TEST(StatTextTest, JsonHasNoMaximumWhereNoneIsKnown) {
  StatView view = View();
  EXPECT_THAT(StatJson(view), AllOf(HasSubstr("\"maxSize\":null"),
                                    HasSubstr("\"dueSince\":null}\n"),
                                    HasSubstr("\"sealed\":false")));
  view.knows_max_size = true;
  view.stats.due_since = absl::UnixEpoch();
  EXPECT_THAT(StatJson(view),
              AllOf(HasSubstr("\"maxSize\":81920,"),
                    HasSubstr("\"dueSince\":\"1970-01-01T00:00:00.000Z\"}"),
                    Not(HasSubstr("null"))));
}

}  // namespace
}  // namespace statecpp
