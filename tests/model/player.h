// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_PLAYER_H_
#define STATECPP_TESTS_MODEL_PLAYER_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/etag.h"
#include "engine/item.h"
#include "engine/store.h"
#include "engine/write.h"
#include "tests/model/agreement.h"
#include "tests/model/played_store.h"
#include "tests/model/reference_store.h"
#include "tests/model/tape.h"

namespace statecpp {

// In which circumstances a tape is played. No answer depends on them.
struct Setting {
  std::string name = "plain";
  Opening opening = {};
  // Whether the writes of a bulk are made by calls of their own.
  bool one_by_one = false;
  // Whether a commit goes before each step. A store that is opened knows no
  // later time than that of its last commit.
  bool keeps_time = false;
  // After so many steps each time the next of these is done besides; 0: never.
  size_t interval = 0;
  std::vector<Step::Kind> besides = {};
};

// Plays a tape to a new store and to the reference, and compares them after
// each step: the answer, and all that can be read by Get, BulkGet, Query and
// ListKeys.
//
//   Player player({});
//   const absl::Status agreed = player.Play(tape);
class Player {
 public:
  explicit Player(Setting setting);

  // Where the two differ first: after which step, and in what. Once only.
  absl::Status Play(const Tape& tape);

  // For each step what was answered and what the store then held; of ETags
  // which one it was of those issued, so that two stores can be compared.
  const std::vector<std::string>& transcript() const { return transcript_; }

  int growths() const { return store_.growths(); }

 private:
  absl::Status PlayStep(const Step& step);
  absl::Status PlayBesides();
  absl::Status Do(const Step& step);

  absl::Status Note(const absl::StatusOr<std::string>& answer);
  absl::Status Get(const std::string& key);
  absl::Status WriteOne(const TapeWrite& write);
  absl::Status Transact(const std::vector<TapeWrite>& writes);
  absl::Status BulkWrite(const std::vector<TapeWrite>& writes);
  absl::Status DeleteWithPrefix(const std::string& prefix);
  absl::Status JumpAndBack(absl::Duration span);
  absl::Status Sweep();

  std::vector<WriteOp> Resolve(const std::vector<TapeWrite>& writes) const;
  WriteOp Resolve(const TapeWrite& write) const;
  absl::StatusOr<ETag> Call(const WriteOp& op);
  std::vector<Store::WriteResult> CallBulk(const std::vector<WriteOp>& ops);
  absl::Status Take(const std::vector<WriteOp>& ops,
                    const std::vector<ETag>& etags);
  absl::Status TakeOne(const WriteOp& op, const absl::StatusOr<ETag>& etag);

  absl::Status Compare();
  Items LiveItems() const;
  std::string Describe(const Item& item) const;

  const Setting setting_;
  PlayedStore store_;
  std::vector<std::string> issued_;
  std::map<std::string, size_t> numbers_;  // of ETags in issued_
  std::string answer_;
  std::vector<std::string> transcript_;
  size_t besides_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_PLAYER_H_
