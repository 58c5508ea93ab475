// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_PAGE_CHECK_H_
#define STATECPP_ENGINE_PAGE_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/lmdb_environment.h"
#include "engine/lmdb_page.h"

namespace statecpp {

// Looks at LMDB's own structures in one snapshot, page by page with plain
// reads: that each page is what the one above says, that keys are in order and
// between those of the page above, and that no page is used twice, or free and
// used, or free twice. LMDB itself trusts all of that: a page header that is
// wrong can crash it, hide keys from it, or have it write over what is in use,
// and the last two without a sign.
//
//   absl::StatusOr<PageCheck> pages = PageCheck::Of(reader);
//   pages->Run([](uint64_t page, absl::string_view what) { ... });
//
// Pages that are neither free nor used do no harm and are not looked for.
class PageCheck {
 public:
  // Of a file that nobody writes to, past LMDB. `fd` outlives it.
  //
  // DATA_LOSS: it has no two meta pages.
  static absl::StatusOr<PageCheck> Of(int fd);

  // Of one snapshot. The reader outlives it: it keeps the pages from being used
  // again.
  //
  // UNAVAILABLE: two commits were faster than this, and the snapshot's roots
  //     are no longer known; a new snapshot has new ones.
  // Those of error::System.
  static absl::StatusOr<PageCheck> Of(const LmdbReader& reader);

  // What is wrong with a page, in words that follow "page 17: ".
  using Found = absl::FunctionRef<void(uint64_t page, absl::string_view what)>;
  // Once.
  void Run(Found found);

 private:
  enum class TreeKind { kFree, kNames, kTable };
  class TreeCheck;

  PageCheck(int fd, const LmdbMeta& meta)
      : fd_(fd), meta_(meta), used_(meta.last_page + 1) {}

  // Takes `count` pages from `page` on for something; false where the file has
  // not all of them, or one is taken already.
  bool Take(uint64_t page, uint64_t count);

  const int fd_;
  const LmdbMeta meta_;
  std::vector<bool> used_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_PAGE_CHECK_H_
