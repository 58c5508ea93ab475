// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_TAPE_H_
#define STATECPP_TESTS_MODEL_TAPE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/query.h"
#include "engine/write.h"

namespace statecpp {

// What is done to a store, as data: each step means something whatever was left
// out before it, so a tape that fails can be made shorter.

// A write whose ETag is chosen when it is played.
struct TapeWrite {
  enum class Condition {
    kNone,
    kAbsent,
    kRight,      // the item's own ETag
    kStale,      // one that was issued before, to whichever key
    kMalformed,  // a text that is no ETag
  };

  // But for the precondition.
  WriteOp op;
  Condition condition = Condition::kNone;
  // Which of the ETags that were issued, from the last one backwards, or of the
  // malformed texts.
  size_t which = 0;
};

struct Step {
  enum class Kind {
    kGet,
    kWrite,  // by Set or Delete; of writes there is exactly one
    kTransact,
    kBulkWrite,
    kDeleteWithPrefix,
    kListKeys,
    kQuery,
    kAdvance,      // time passes
    kJump,         // somebody sets the date
    kJumpAndBack,  // and sets it right again
    kSweep,
    kReopen,  // `span` later
    kCrash,
    kRotate,
    kRetire,
    kReplaceMasterKey,
    kEncrypt,
    kCompact,
  };

  Kind kind;
  std::vector<TapeWrite> writes = {};
  // The key, prefix or pattern; of a query the filter.
  std::string text = "";
  std::vector<SortKey> sort = {};
  std::string key_prefix = "";
  size_t page_size = 0;
  absl::Duration span = absl::ZeroDuration();
};

struct Tape {
  std::vector<Step> steps;
};

// The keys that occur on tapes, those that occur often first. The empty one
// does too, and is none.
const std::vector<std::string>& TapeKeys();
constexpr size_t kHotKeys = 8;

// For a reader: long texts are cut short.
std::string ToText(const Step& step);
std::string Shortened(const std::string& bytes);
std::ostream& operator<<(std::ostream& out, const Tape& tape);

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_TAPE_H_
