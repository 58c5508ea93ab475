// SPDX-License-Identifier: Apache-2.0
#include "cli/finding_text.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/item_text.h"
#include "crypto/error_payload.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

using Level = Finding::Level;

absl::string_view NameOf(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kWarning:
      return "warning";
    case Level::kFault:
      return "fault";
  }
  return "";
}

// As wide as the others, and seen among them.
absl::string_view MarkOf(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok     ";
    case Level::kWarning:
      return "warning";
    case Level::kFault:
      return "FAULT  ";
  }
  return "";
}

// A fix may have several lines, of YAML.
std::string FixText(const std::string& fix) {
  std::string text;
  const char* before = "           fix: ";
  for (const absl::string_view line : absl::StrSplit(fix, '\n')) {
    absl::StrAppend(&text, before, KeyText(line), "\n");
    before = "                ";
  }
  return text;
}

std::string Number(long count, absl::string_view noun) {
  if (count == 0) return absl::StrCat("no ", noun, "s");
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace

std::string GroupText(const FindingGroup& group) {
  std::string text = absl::StrCat(group.title, "\n");
  for (const Finding& finding : group.findings) {
    absl::StrAppend(&text, "  ", MarkOf(finding.level), "  ",
                    KeyText(finding.subject), ": ", KeyText(finding.text),
                    "\n");
    if (!finding.fix.empty()) absl::StrAppend(&text, FixText(finding.fix));
  }
  return absl::StrCat(text, "\n");
}

std::string TotalText(const std::vector<FindingGroup>& groups) {
  return absl::StrCat(Number(CountOf(groups, Level::kFault), "fault"), ", ",
                      Number(CountOf(groups, Level::kWarning), "warning"),
                      "\n");
}

std::string FindingsJson(const std::vector<FindingGroup>& groups) {
  std::string json = "{\"findings\":[";
  const char* separator = "";
  for (const FindingGroup& group : groups) {
    for (const Finding& finding : group.findings) {
      absl::StrAppend(&json, separator, "{\"group\":", JsonText(group.title),
                      ",\"level\":", JsonText(NameOf(finding.level)),
                      ",\"kind\":", JsonText(finding.kind),
                      ",\"subject\":", JsonText(finding.subject),
                      ",\"text\":", JsonText(finding.text));
      if (!finding.fix.empty()) {
        absl::StrAppend(&json, ",\"fix\":", JsonText(finding.fix));
      }
      absl::StrAppend(&json, "}");
      separator = ",";
    }
  }
  return absl::StrCat(json, "],\"warnings\":", CountOf(groups, Level::kWarning),
                      ",\"faults\":", CountOf(groups, Level::kFault), "}\n");
}

long CountOf(const std::vector<FindingGroup>& groups, Level level) {
  long count = 0;
  for (const FindingGroup& group : groups) {
    count += Count(group.findings, level);
  }
  return count;
}

std::string CommandOf(const absl::Status& status, absl::string_view otherwise) {
  const std::vector<std::string> words = error::MendingCommand(status);
  if (words.empty()) return std::string(otherwise);
  return absl::StrJoin(words, " ", [](std::string* out, const std::string& w) {
    absl::StrAppend(out, ShellWord(w));
  });
}

std::string ShellWord(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || std::strchr("/._-+,:@%=", c) != nullptr;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) {
    return word;
  }
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace statecpp
