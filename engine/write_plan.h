// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WRITE_PLAN_H_
#define STATECPP_ENGINE_WRITE_PLAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/keyring.h"
#include "crypto/random.h"
#include "engine/current_keyring.h"
#include "engine/etag.h"
#include "engine/storage.h"
#include "engine/write.h"

namespace statecpp {

// The writes of one call that hold or fail together, on their way to becoming
// a batch:
//
//   Make     folds ops of the same key into one change each, draws versions,
//            and seals records, all on the calling thread
//   Decide   looks at a snapshot and turns each precondition into an
//            expectation, or into the error that it does not hold
//
// A commit that finds an expectation broken is followed by another Decide:
// nothing is sealed twice, and the caller hears of a mismatch only when the
// version differs, not when a record was merely sealed anew.
//
// Holds the keyring it sealed by until its verdict is there, so that the data
// key is not retired before the record arrives. What it reads it opens by that
// of the snapshot.
//
// One thread at a time.
class WritePlan {
 public:
  // `now` is the wall clock, which times to live are counted from.
  //
  // INVALID_ARGUMENT: key, content type, value or time to live is out of
  // bounds.
  static absl::StatusOr<WritePlan> Make(std::shared_ptr<const Keyring> keyring,
                                        Random& random, absl::Time now,
                                        std::vector<WriteOp> ops);

  // True when some op depends on what is stored.
  bool IsConditional() const { return conditional_; }

  // `now` decides what has expired.
  //
  // FAILED_PRECONDITION: of the first op in order that does not hold; with its
  //     index where there is more than one op.
  // DATA_LOSS: a record that decides is damaged.
  absl::Status Decide(const KeyedSnapshot& view, absl::Time now);

  const Batch& batch() const { return batch_; }

  // The version each op wrote; ETag(0) for deletes.
  std::vector<ETag> ETags() const;

  // The user's key of a change, for error texts.
  absl::string_view KeyOfChange(size_t change) const;

 private:
  // An op without what went into the sealed record.
  struct Step {
    std::string key;
    Precondition precondition;
    size_t target;                    // of targets_
    std::optional<uint64_t> version;  // nullopt: a delete
  };
  // One key of the plan.
  struct Target {
    std::string record_key;
    size_t change;  // of batch_
  };

  explicit WritePlan(std::shared_ptr<const Keyring> keyring)
      : keyring_(std::move(keyring)) {}

  void SealLast(Random& random, absl::Time now, const WriteOp& op,
                const Step& step);
  absl::StatusOr<std::optional<uint64_t>> ReadVersion(const KeyedSnapshot& view,
                                                      absl::Time now,
                                                      const Step& step);
  absl::Status Check(const Step& step,
                     const std::optional<uint64_t>& version) const;

  std::shared_ptr<const Keyring> keyring_;
  std::vector<Step> steps_;
  std::vector<Target> targets_;
  Batch batch_;
  bool conditional_ = false;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WRITE_PLAN_H_
