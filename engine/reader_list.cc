// SPDX-License-Identifier: Apache-2.0
#include "engine/reader_list.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace statecpp {

void ReaderList::AddLine(absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  uint64_t snapshot = 0;
  // The line may as well be the heading, or say that there is nobody.
  if (words.size() != 3 || !absl::SimpleAtoi(words[2], &snapshot)) return;
  ++readers;
  oldest = std::min(oldest.value_or(snapshot), snapshot);
}

int ReaderList::AddTo(const char* line, void* list) {
  static_cast<ReaderList*>(list)->AddLine(line);
  return 0;
}

absl::Duration OldestReader::AgeOf(const ReaderList& list, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (list.Lag() == 0) {
    snapshot_.reset();
    return absl::ZeroDuration();
  }
  if (snapshot_ != list.oldest) {
    snapshot_ = list.oldest;
    since_ = now;
  }
  return std::max(now - since_, absl::ZeroDuration());
}

}  // namespace statecpp
