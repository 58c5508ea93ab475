// SPDX-License-Identifier: Apache-2.0
#include "engine/key_listing.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "engine/errors.h"
#include "engine/key_pattern.h"
#include "engine/keys.h"
#include "engine/page_token.h"

namespace statecpp {
namespace {

constexpr absl::string_view kTokenDomain("lse/1/keys\0", 11);

// What is collected of one page.
class Page {
 public:
  Page(const KeyPattern& pattern, absl::Time now, size_t size)
      : pattern_(pattern), now_(now), size_(size) {}

  // False when the page is full and more was found.
  bool Add(const RecordScan::Entry& entry) {
    if (!entry.reader.ok()) {
      ++damaged_behind_;
      return true;
    }
    if (entry.reader->IsExpired(now_) ||
        !pattern_.Matches(entry.reader->key())) {
      return true;
    }
    if (size_ != 0 && page_.keys.size() == size_) {
      more_ = true;
      return false;
    }
    page_.keys.emplace_back(entry.reader->key());
    last_.assign(entry.record_key.data(), entry.record_key.size());
    TakeDamaged();
    return true;
  }

  bool more() const { return more_; }
  // The record key of the last row.
  const std::string& last() const { return last_; }

  KeyPage Finish(std::string next_token) && {
    // What is damaged behind the last row is met again by the next page.
    if (!more_) TakeDamaged();
    page_.next_token = std::move(next_token);
    return std::move(page_);
  }

 private:
  void TakeDamaged() {
    page_.damaged += damaged_behind_;
    damaged_behind_ = 0;
  }

  const KeyPattern& pattern_;
  const absl::Time now_;
  const size_t size_;
  KeyPage page_;
  std::string last_;
  int64_t damaged_behind_ = 0;
  bool more_ = false;
};

}  // namespace

absl::StatusOr<KeyPage> ReadKeyPage(const RecordScan::Look& look,
                                    const CurrentKeyring& keyring,
                                    Random& random, absl::Time now,
                                    const KeyQuery& query) {
  const absl::StatusOr<KeyPattern> pattern = KeyPattern::Parse(query.pattern);
  if (!pattern.ok()) return pattern.status();
  std::string after;
  if (!query.token.empty()) {
    std::optional<std::string> opened =
        OpenPageToken(*keyring.Get(), kTokenDomain, query.pattern, query.token);
    if (!opened.has_value()) return error::ForeignToken();
    after = *std::move(opened);
  }
  RecordScan scan(look,
                  pattern->IsOneKey()
                      ? RecordKey(keyring.Get()->paths(), pattern->head())
                      : RangeBelow(keyring.Get()->paths(), pattern->head()),
                  after);
  Page page(*pattern, now, query.page_size);
  while (!scan.done() && !page.more()) {
    const absl::Status status =
        scan.NextSlice([&page](const auto& entry) { return page.Add(entry); });
    if (!status.ok()) return status;
  }
  return std::move(page).Finish(
      page.more() ? SealPageToken(*keyring.Get(), random, kTokenDomain,
                                  query.pattern, page.last())
                  : "");
}

}  // namespace statecpp
