// SPDX-License-Identifier: Apache-2.0
#include "engine/walk_lines.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace statecpp {
namespace {

using Accumulator = WalkReport::Accumulator;
using Kind = WalkFinding::Kind;

constexpr int kKinds = static_cast<int>(Kind::kRecords) + 1;
constexpr int kAccumulators = static_cast<int>(Accumulator::kDiffers) + 1;
constexpr int kLargestCode =
    static_cast<int>(absl::StatusCode::kUnauthenticated);

std::string Hex(absl::string_view bytes) {
  return bytes.empty() ? "-" : absl::BytesToHexString(bytes);
}

std::string OneLine(absl::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(),
      [](unsigned char c) { return !absl::ascii_isprint(c); }, '?');
  return line;
}

std::string Print(const WalkHeader& header) {
  return absl::StrCat("header ", Hex(header.bytes));
}
std::string Print(const WalkTotal& total) {
  return absl::StrCat("total ", total.records);
}
std::string Print(const WalkSoFar& so_far) {
  return absl::StrCat("progress ", so_far.records, " ", so_far.bytes);
}
std::string Print(const WalkFinding& finding) {
  return absl::StrCat("finding ", static_cast<int>(finding.kind), " ",
                      Hex(finding.place), " ", Hex(finding.key), " ",
                      OneLine(finding.reason));
}
std::string Print(const absl::Status& failed) {
  return absl::StrCat("failed ", static_cast<int>(failed.code()), " ",
                      OneLine(failed.message()));
}
std::string Print(const WalkAssertion& assertion) {
  return absl::StrCat("assertion ", OneLine(assertion.text));
}
std::string Print(const WalkReport& report) {
  std::string line = absl::StrCat(
      "report ", report.complete ? 1 : 0, " ", report.sealed ? 1 : 0, " ",
      report.findings, " ", report.records, " ", report.expired, " ",
      report.damaged, " ", report.bytes, " ", report.expiry_entries, " ",
      report.stray_entries, " ", report.commit_seq, " ", report.unreadable, " ",
      static_cast<int>(report.accumulator));
  absl::StrAppend(&line, " ", report.accepted ? 1 : 0, " ", report.mended, " ",
                  report.dropped, " ", report.indexed);
  for (const WalkReport::DataKey& key : report.data_keys) {
    absl::StrAppend(&line, " ", key.id, ":", key.counted, ":", key.kept);
  }
  return line;
}

// Takes words off the front of a line. After one that is not what it should be
// `good` is false.
class Words {
 public:
  explicit Words(absl::string_view line) : left_(line) {}

  bool good() const { return good_; }
  bool AtEnd() const { return good_ && left_.empty() && !after_space_; }
  absl::string_view Rest() const { return left_; }

  absl::string_view Next() {
    const size_t end = std::min(left_.find(' '), left_.size());
    const absl::string_view word = left_.substr(0, end);
    after_space_ = end < left_.size();
    left_.remove_prefix(std::min(end + 1, left_.size()));
    if (word.empty()) good_ = false;
    return word;
  }

  template <typename Number>
  Number NextNumber() {
    return ToNumber<Number>(Next());
  }

  // Below `limit`.
  int NextSmall(int limit) {
    const int number = NextNumber<int>();
    if (number < 0 || number >= limit) good_ = false;
    return good_ ? number : 0;
  }

  std::string NextBytes() {
    const absl::string_view hex = Next();
    if (hex == "-") return "";
    if (hex.size() % 2 != 0 ||
        !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
      good_ = false;
      return "";
    }
    return absl::HexStringToBytes(hex);
  }

  // id ":" counted ":" kept
  WalkReport::DataKey NextDataKey() {
    const std::vector<absl::string_view> parts = absl::StrSplit(Next(), ':');
    if (parts.size() != 3) {
      good_ = false;
      return {};
    }
    return {.id = ToNumber<uint32_t>(parts[0]),
            .counted = ToNumber<uint64_t>(parts[1]),
            .kept = ToNumber<uint64_t>(parts[2])};
  }

 private:
  template <typename Number>
  Number ToNumber(absl::string_view word) {
    Number number = 0;
    if (!std::all_of(word.begin(), word.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(word, &number)) {
      good_ = false;
      return 0;
    }
    return number;
  }

  absl::string_view left_;
  bool good_ = true;
  bool after_space_ = false;  // after which there is always a word
};

WalkFinding TakeFinding(Words& words) {
  WalkFinding finding = {.kind = static_cast<Kind>(words.NextSmall(kKinds)),
                         .place = words.NextBytes(),
                         .key = words.NextBytes(),
                         .reason = std::string(words.Rest())};
  return finding;
}

WalkReport TakeReport(Words& words) {
  WalkReport report;
  report.complete = words.NextSmall(2) == 1;
  report.sealed = words.NextSmall(2) == 1;
  for (uint64_t* number :
       {&report.findings, &report.records, &report.expired, &report.damaged,
        &report.bytes, &report.expiry_entries, &report.stray_entries,
        &report.commit_seq, &report.unreadable}) {
    *number = words.NextNumber<uint64_t>();
  }
  report.accumulator = static_cast<Accumulator>(words.NextSmall(kAccumulators));
  report.accepted = words.NextSmall(2) == 1;
  for (uint64_t* number : {&report.mended, &report.dropped, &report.indexed}) {
    *number = words.NextNumber<uint64_t>();
  }
  while (words.good() && !words.AtEnd()) {
    report.data_keys.push_back(words.NextDataKey());
  }
  return report;
}

std::optional<WalkLine> OnlyIf(bool good, WalkLine line) {
  if (!good) return std::nullopt;
  return line;
}

}  // namespace

std::string PrintWalkLine(const WalkLine& line) {
  return absl::StrCat(
      std::visit([](const auto& value) { return Print(value); }, line), "\n");
}

std::optional<WalkLine> ParseWalkLine(absl::string_view line) {
  if (!std::all_of(line.begin(), line.end(), absl::ascii_isprint)) {
    return std::nullopt;
  }
  Words words(line);
  const absl::string_view what = words.Next();
  if (what == "header") {
    WalkHeader header = {words.NextBytes()};
    return OnlyIf(words.AtEnd(), std::move(header));
  }
  if (what == "total") {
    const WalkTotal total = {words.NextNumber<uint64_t>()};
    return OnlyIf(words.AtEnd(), total);
  }
  if (what == "progress") {
    const uint64_t records = words.NextNumber<uint64_t>();
    const uint64_t bytes = words.NextNumber<uint64_t>();
    return OnlyIf(words.AtEnd(), WalkSoFar{records, bytes});
  }
  if (what == "finding") {
    WalkFinding finding = TakeFinding(words);
    return OnlyIf(words.good(), std::move(finding));
  }
  if (what == "report") {
    WalkReport report = TakeReport(words);
    return OnlyIf(words.AtEnd(), std::move(report));
  }
  if (what == "failed") {
    const int code = words.NextSmall(kLargestCode + 1);
    return OnlyIf(
        words.good() && code != 0,
        absl::Status(static_cast<absl::StatusCode>(code), words.Rest()));
  }
  if (what == "assertion") {
    return OnlyIf(words.good(), WalkAssertion{std::string(words.Rest())});
  }
  return std::nullopt;
}

}  // namespace statecpp
