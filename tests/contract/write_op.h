// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_CONTRACT_WRITE_OP_H_
#define STATECPP_TESTS_CONTRACT_WRITE_OP_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/item.h"
#include "engine/write.h"
#include "tests/contract/subject.h"

namespace statecpp {

// What an embedder makes of Dapr's words.
inline WriteOp WriteOpOf(const Operation& operation) {
  WriteOp op = {.kind = operation.kind == Operation::Kind::kSet
                            ? WriteOp::Kind::kSet
                            : WriteOp::Kind::kDelete,
                .key = operation.key,
                .value = operation.value,
                .content_type = operation.content_type};
  if (operation.ttl.has_value() && *operation.ttl != -1 &&
      *operation.ttl != 0) {
    op.ttl = absl::Seconds(*operation.ttl);
  }
  if (operation.etag.has_value() && !operation.etag->empty()) {
    op.precondition = Precondition::MatchText(*operation.etag);
  } else if (operation.kind == Operation::Kind::kSet &&
             operation.concurrency == Operation::Concurrency::kFirstWrite) {
    op.precondition = Precondition::Absent();
  }
  return op;
}

inline std::vector<WriteOp> WriteOpsOf(
    const std::vector<Operation>& operations) {
  std::vector<WriteOp> ops;
  for (const Operation& operation : operations) {
    ops.push_back(WriteOpOf(operation));
  }
  return ops;
}

inline Verdict VerdictOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return Verdict::kDone;
    case absl::StatusCode::kFailedPrecondition:
      return Verdict::kMismatch;
    case absl::StatusCode::kInvalidArgument:
      return Verdict::kInvalid;
    default:
      return Verdict::kFailed;
  }
}

inline std::optional<Reading> ReadingOf(const std::optional<Item>& item) {
  if (!item.has_value()) return std::nullopt;
  return Reading{.value = item->value,
                 .etag = item->etag.ToString(),
                 .content_type = item->content_type,
                 .expires = item->expires.has_value()};
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_CONTRACT_WRITE_OP_H_
