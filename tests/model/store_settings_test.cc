// SPDX-License-Identifier: Apache-2.0
//
// The same random tape in six circumstances: stores that are plain and sealed,
// small, slow to take writes, whose keys change all the time, that crash all
// the time. Nobody who calls them could tell one from the other.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/model/player.h"
#include "tests/model/tape_check.h"

namespace statecpp {
namespace {

std::vector<Setting> Settings() {
  using Kind = Step::Kind;
  return {
      {.name = "plain"},
      {.name = "sealed", .opening = {.is_sealed = true}},
      {.name = "keys change",
       .opening = {.is_sealed = true},
       .interval = 3,
       .besides = {Kind::kRotate, Kind::kReplaceMasterKey, Kind::kRetire}},
      {.name = "small, and compacted",
       .opening = {.max_size = uint64_t{64} << 10},
       .interval = 10,
       .besides = {Kind::kCompact}},
      {.name = "one write at a time", .one_by_one = true},
      {.name = "crashes, and is encrypted",
       .interval = 4,
       .besides = {Kind::kCrash, Kind::kReopen, Kind::kEncrypt}},
  };
}

// Where two transcripts differ first.
absl::Status CompareTranscripts(const std::string& name,
                                const std::vector<std::string>& found,
                                const std::vector<std::string>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (found[i] == expected[i]) continue;
    return Wrong(absl::StrCat("at step ", i + 1, " \"", name, "\" says\n",
                              found[i], "\nand not, as the first,\n",
                              expected[i]));
  }
  return absl::OkStatus();
}

TEST(StoreSettingsTest, NoAnswerDependsOnTheSetting) {
  std::vector<Setting> settings = Settings();
  for (Setting& setting : settings) setting.keeps_time = true;
  int growths = 0;
  const TapeCheck check = {
      .tapes = 25, .max_steps = 150, .clocks = Clocks::kKnown};
  const bool all = check.Run([&](const Tape& tape) -> absl::Status {
    std::vector<std::string> first;
    for (const Setting& setting : settings) {
      Player player(setting);
      if (absl::Status agreed = player.Play(tape); !agreed.ok()) return agreed;
      growths += player.growths();
      if (first.empty()) first = player.transcript();
      const absl::Status same =
          CompareTranscripts(setting.name, player.transcript(), first);
      if (!same.ok()) return same;
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(!all || growths > 0) << "the small store was never full";
}

}  // namespace
}  // namespace statecpp
