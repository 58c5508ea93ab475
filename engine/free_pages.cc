// SPDX-License-Identifier: Apache-2.0
//
// A list of free pages, as LMDB keeps it (midl.h): the number of pages, then
// their numbers, the largest first. Its key is the transaction that freed them.
#include "engine/free_pages.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/coding.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

constexpr size_t kNumberSize = sizeof(uint64_t);
constexpr uint64_t kMetaPages = 2;

// The pages that were named so far.
class FreePages {
 public:
  explicit FreePages(uint64_t file_pages) : named_(file_pages) {}

  uint64_t count() const { return count_; }

  // What is wrong with a list; empty if nothing is.
  std::string Add(absl::string_view transaction, absl::string_view list) {
    const size_t numbers = list.size() / kNumberSize;
    if (transaction.size() != kNumberSize || numbers == 0 ||
        list.size() % kNumberSize != 0 || NumberAt(list, 0) != numbers - 1) {
      return "a list of free pages is not one";
    }
    for (size_t i = 1; i < numbers; ++i) {
      const uint64_t page = NumberAt(list, i);
      if (page < kMetaPages || page >= named_.size()) {
        return absl::StrCat("the free page ", page, " is none of the file's ",
                            named_.size());
      }
      if (i > 1 && page >= NumberAt(list, i - 1)) {
        return "a list of free pages is out of order";
      }
      if (named_[page]) return absl::StrCat("page ", page, " is free twice");
      named_[page] = true;
      ++count_;
    }
    return "";
  }

 private:
  static uint64_t NumberAt(absl::string_view list, size_t index) {
    return LoadFixed<uint64_t>(list.data() + index * kNumberSize);
  }

  std::vector<bool> named_;
  uint64_t count_ = 0;
};

}  // namespace

absl::Status CheckFreePages(const LmdbReader& reader) {
  const uint64_t file_pages = reader.FilePages();
  FreePages free(file_pages);
  std::string wrong;
  const absl::Status scanned = reader.ScanFreePages(
      [&](absl::string_view transaction, absl::string_view list) {
        wrong = free.Add(transaction, list);
        return wrong.empty();
      });
  if (!scanned.ok()) return scanned;
  if (!wrong.empty()) return error::TreeDamaged(wrong);
  const absl::StatusOr<uint64_t> live = reader.LivePages();
  if (!live.ok()) return live.status();
  if (*live > file_pages || free.count() > file_pages - *live) {
    return error::TreeDamaged(
        absl::StrCat(*live, " pages in use and ", free.count(),
                     " free ones are more than the file's ", file_pages));
  }
  return absl::OkStatus();
}

}  // namespace statecpp
