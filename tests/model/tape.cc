// SPDX-License-Identifier: Apache-2.0
#include "tests/model/tape.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace statecpp {
namespace {

std::string ConditionText(const TapeWrite& write) {
  switch (write.condition) {
    case TapeWrite::Condition::kNone:
      return "";
    case TapeWrite::Condition::kAbsent:
      return " if absent";
    case TapeWrite::Condition::kRight:
      return " if its ETag";
    case TapeWrite::Condition::kStale:
      return absl::StrCat(" if ETag ", write.which, " back");
    case TapeWrite::Condition::kMalformed:
      return absl::StrCat(" if malformed ETag ", write.which);
  }
  return "";
}

std::string WriteText(const TapeWrite& write) {
  const WriteOp& op = write.op;
  const std::string key = Shortened(op.key);
  if (op.kind == WriteOp::Kind::kDelete) {
    return absl::StrCat("delete ", key, ConditionText(write));
  }
  return absl::StrCat(
      "set ", key, " = ", Shortened(op.value),
      op.content_type.empty() ? "" : absl::StrCat(" as ", op.content_type),
      op.ttl ? absl::StrCat(" for ", absl::FormatDuration(*op.ttl)) : "",
      ConditionText(write));
}

std::string WritesText(const Step& step) {
  return absl::StrJoin(step.writes, ", ",
                       [](std::string* out, const TapeWrite& write) {
                         absl::StrAppend(out, WriteText(write));
                       });
}

std::string QueryText(const Step& step) {
  std::string text = absl::StrCat("query ", step.text);
  for (const SortKey& key : step.sort) {
    absl::StrAppend(&text, " by ", key.path, key.descending ? " down" : "");
  }
  return absl::StrCat(text, " below ", Shortened(step.key_prefix), ", ",
                      step.page_size, " a page");
}

}  // namespace

const std::vector<std::string>& TapeKeys() {
  static const auto* const keys = [] {
    auto* const made = new std::vector<std::string>{"a",
                                                    "b",
                                                    "a||b",
                                                    "a|||b",
                                                    "a||b||c",
                                                    "1||2||3||4||5||6||7||8",
                                                    std::string("\0\1", 2),
                                                    std::string(600, 'k')};
    for (int i = 0; i < 12; ++i) made->push_back(absl::StrCat("tail||", i));
    return made;
  }();
  return *keys;
}

std::string Shortened(const std::string& bytes) {
  constexpr size_t kShown = 40;
  const std::string shown =
      absl::StrCat("'", absl::CHexEscape(bytes.substr(0, kShown)), "'");
  if (bytes.size() <= kShown) return shown;
  return absl::StrCat(shown, "...[", bytes.size(), "]");
}

std::string ToText(const Step& step) {
  const std::string span = absl::FormatDuration(step.span);
  switch (step.kind) {
    case Step::Kind::kGet:
      return absl::StrCat("get ", Shortened(step.text));
    case Step::Kind::kWrite:
      return WritesText(step);
    case Step::Kind::kTransact:
      return absl::StrCat("transaction of: ", WritesText(step));
    case Step::Kind::kBulkWrite:
      return absl::StrCat("bulk of: ", WritesText(step));
    case Step::Kind::kDeleteWithPrefix:
      return absl::StrCat("delete below ", Shortened(step.text));
    case Step::Kind::kListKeys:
      return absl::StrCat("list ", Shortened(step.text), ", ", step.page_size,
                          " a page");
    case Step::Kind::kQuery:
      return QueryText(step);
    case Step::Kind::kAdvance:
      return absl::StrCat(span, " pass");
    case Step::Kind::kJump:
      return absl::StrCat("the wall clock jumps by ", span);
    case Step::Kind::kJumpAndBack:
      return absl::StrCat("the wall clock jumps by ", span, " and back");
    case Step::Kind::kSweep:
      return "sweep";
    case Step::Kind::kReopen:
      return absl::StrCat("reopen after ", span);
    case Step::Kind::kCrash:
      return "crash";
    case Step::Kind::kRotate:
      return "rotate the data key";
    case Step::Kind::kRetire:
      return "retire former data keys";
    case Step::Kind::kReplaceMasterKey:
      return "replace the master key";
    case Step::Kind::kEncrypt:
      return "encrypt";
    case Step::Kind::kCompact:
      return "compact";
  }
  return "";
}

std::ostream& operator<<(std::ostream& out, const Tape& tape) {
  for (size_t i = 0; i < tape.steps.size(); ++i) {
    out << "  " << i + 1 << ". " << ToText(tape.steps[i]) << "\n";
  }
  return out;
}

}  // namespace statecpp
