// SPDX-License-Identifier: Apache-2.0
#include "cli/command_words.h"

namespace statecpp {

std::optional<std::vector<std::string>> CommandWords(absl::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;  // nullopt between two
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '\0' && (c == ' ' || c == '\t')) {
      if (word.has_value()) words.push_back(*std::move(word));
      word.reset();
      continue;
    }
    if (!word.has_value()) word = "";  // '' is a word, too
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'') {
      if (++i == line.size()) return std::nullopt;
      word->push_back(line[i]);
    } else {
      word->push_back(c);
    }
  }
  if (quote != '\0') return std::nullopt;
  if (word.has_value()) words.push_back(*std::move(word));
  return words;
}

}  // namespace statecpp
