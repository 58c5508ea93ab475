// SPDX-License-Identifier: Apache-2.0
//
// What a walk says arrives as it was said, and nothing else is taken for it.
#include "engine/walk_lines.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using Kind = WalkFinding::Kind;

// What comes of a line on its way.
template <typename Said>
Said Sent(const Said& said) {
  const std::string line = PrintWalkLine(said);
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  const std::optional<WalkLine> parsed =
      ParseWalkLine(absl::StripSuffix(line, "\n"));
  EXPECT_TRUE(parsed.has_value()) << line;
  return std::get<Said>(*parsed);
}

WalkReport FullReport() {
  WalkReport report;
  report.complete = true;
  report.sealed = true;
  uint64_t next = 1;
  for (uint64_t* number :
       {&report.findings, &report.records, &report.expired, &report.damaged,
        &report.bytes, &report.expiry_entries, &report.stray_entries,
        &report.commit_seq, &report.unreadable, &report.mended, &report.dropped,
        &report.indexed}) {
    *number = next++;
  }
  report.bytes = ~uint64_t{0};
  report.accumulator = WalkReport::Accumulator::kDiffers;
  report.accepted = true;
  report.data_keys = {{.id = 0, .counted = 7, .kept = 0},
                      {.id = ~uint32_t{0}, .counted = 0, .kept = 9}};
  return report;
}

TEST(WalkLinesTest, WhatIsSaidArrives) {
  EXPECT_EQ(Sent(WalkHeader{std::string("\0\xff header\n", 10)}).bytes,
            std::string("\0\xff header\n", 10));
  EXPECT_EQ(Sent(WalkTotal{12345678901234}).records, 12345678901234u);
  const WalkSoFar so_far = Sent(WalkSoFar{3, ~uint64_t{0}});
  EXPECT_EQ(so_far.records, 3u);
  EXPECT_EQ(so_far.bytes, ~uint64_t{0});
  EXPECT_EQ(Sent(WalkAssertion{"mp->mp_p != 0"}).text, "mp->mp_p != 0");
  const absl::Status failed = absl::UnavailableError("no more of them");
  EXPECT_EQ(Sent(failed), failed);
  EXPECT_EQ(Sent(FullReport()), FullReport());
  EXPECT_EQ(Sent(WalkReport()), WalkReport());
}

TEST(WalkLinesTest, AFindingOfEachKindArrives) {
  for (int kind = 0; kind <= static_cast<int>(Kind::kRecords); ++kind) {
    const WalkFinding finding = {.kind = static_cast<Kind>(kind),
                                 .place = std::string("\0 \n", 3),
                                 .key = kind % 2 == 0 ? "" : "a||\xff",
                                 .reason = "why  it is so"};
    EXPECT_EQ(Sent(finding), finding);
    EXPECT_FALSE(NameOf(finding.kind).empty());
  }
}

// Texts come from a process that may have lost its mind, and go to a terminal.
TEST(WalkLinesTest, TextsAreOneLineThatPrints) {
  EXPECT_EQ(Sent(WalkAssertion{"a\nreport\x1b[2J\xc3\xa4"}).text,
            "a?report?[2J??");
}

TEST(WalkLinesTest, WhatIsNoLineIsRefused) {
  for (const char* line : {
           "",
           " ",
           "nonsense",
           "Segmentation fault",
           "header",
           "header ",
           "header 0",
           "header 0g",
           "header 00 00",
           "total",
           "total x",
           "total -1",
           "total +1",
           "total 0x1",
           "total 1 ",
           "total 1 2",
           "total 18446744073709551616",
           "progress 1",
           "progress 1 2 3",
           "progress 1  2",
           "finding 9 - - why",
           "finding -1 - - why",
           "finding 4 xx - why",
           "finding 4 -",
           "failed 0 it did not",
           "failed 99 why",
           "failed",
           "report 1 0 0",
           "report 1 2 0 0 0 0 0 0 0 0 0 1 0 0 0 0",
           "report 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
           "report 1 0 0 0 0 0 0 0 0 0 0 3 0 0 0 0",
           "report 1 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 1:2",
           "report 1 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 1:2:3:4",
           "report 1 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 4294967296:2:3",
           "report 1 0 0 0 0 0 0 0 0 0 0 1 0 0 0 0 1:2:3 ",
       }) {
    EXPECT_FALSE(ParseWalkLine(line).has_value()) << "\"" << line << "\"";
  }
  EXPECT_FALSE(ParseWalkLine("total 1\r").has_value());
  EXPECT_FALSE(ParseWalkLine(absl::string_view("total 1\0", 8)).has_value());
  EXPECT_FALSE(ParseWalkLine("assertion \x1b[2J").has_value());
}

// Every line with one byte changed is refused or is a line still.
TEST(WalkLinesTest, ALineWithAnyByteChangedParsesToWhatPrintsAsIt) {
  const std::vector<WalkLine> lines = {
      WalkHeader{"header"},
      WalkTotal{7},
      WalkSoFar{7, 8},
      WalkFinding{
          .kind = Kind::kForeign, .place = "p", .key = "k", .reason = "why"},
      absl::Status(absl::UnavailableError("why")),
      WalkAssertion{"why"},
      FullReport(),
  };
  for (const WalkLine& said : lines) {
    const std::string line(absl::StripSuffix(PrintWalkLine(said), "\n"));
    for (size_t i = 0; i < line.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = line;
        changed[i] = static_cast<char>(byte);
        const std::optional<WalkLine> parsed = ParseWalkLine(changed);
        if (!parsed.has_value()) continue;
        // But for digits that have another spelling.
        const std::string again = PrintWalkLine(*parsed);
        EXPECT_EQ(ParseWalkLine(absl::StripSuffix(again, "\n")).has_value(),
                  true)
            << changed;
        EXPECT_EQ(again.substr(0, again.find(' ')),
                  changed.substr(0, changed.find(' ')));
      }
    }
  }
}

}  // namespace
}  // namespace statecpp
