// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/stage.h"

#include <cstdio>
#include <utility>

#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

Answer AnswerOf(const absl::Status& status) {
  if (status.ok()) return Answer::kYes;
  return absl::IsUnknown(status) ? Answer::kMaybe : Answer::kNo;
}

Answer Spoilt(Answer answer, Stage::Sabotage sabotage) {
  if (sabotage == Stage::Sabotage::kSayYes && answer == Answer::kNo) {
    return Answer::kYes;
  }
  if (sabotage == Stage::Sabotage::kSayNo && answer == Answer::kYes) {
    return Answer::kNo;
  }
  return answer;
}

}  // namespace

absl::Status Stage::Open(bool create) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path(),
                   .create = create,
                   .keys = TestKeys(),
                   .max_size = uint64_t{1} << 20,
                   .cleanup_interval = absl::ZeroDuration(),
                   .on_failed =
                       [this](const absl::Status&) {
                         if (sabotage_ != Sabotage::kHideStop)
                           ++record_.stopped;
                       },
                   .clock = &clock_});
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  return absl::OkStatus();
}

void Stage::Say(const absl::Status& status, bool maybe_on_error) {
  std::snprintf(record_.status, sizeof(record_.status), "%s",
                status.ToString().c_str());
  Answer answer = AnswerOf(status);
  if (answer == Answer::kNo && maybe_on_error) answer = Answer::kMaybe;
  record_.answer = Spoilt(answer, sabotage_);
}

void Stage::SayOf(const std::string& key, const absl::StatusOr<ETag>& etag) {
  const int at = record_.write_count;
  if (at == RunRecord::kWrites) return;
  RunRecord::Write& write = record_.writes[at];
  std::snprintf(write.key, sizeof(write.key), "%s", key.c_str());
  write.answer = Spoilt(AnswerOf(etag.status()), sabotage_);
  if (etag.ok()) {
    const bool is_set = !(*etag == ETag(0));
    write.etag =
        is_set && sabotage_ == Sabotage::kRepeatETags ? 1 : etag->version();
  }
  ++record_.write_count;
}

void Stage::SayOf(const std::vector<WriteOp>& ops,
                  const absl::StatusOr<std::vector<ETag>>& etags) {
  for (size_t i = 0; i < ops.size(); ++i) {
    SayOf(ops[i].key, etags.ok() ? absl::StatusOr<ETag>((*etags)[i])
                                 : absl::StatusOr<ETag>(etags.status()));
  }
  Say(etags.status());
}

}  // namespace statecpp
