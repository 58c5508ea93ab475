// SPDX-License-Identifier: Apache-2.0
#include "engine/prefix_delete.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/errors.h"
#include "engine/keys.h"

namespace statecpp {
namespace {

constexpr absl::string_view kSeparator = "||";

// Removed together; as many as a sweep does, so that other writers share the
// commit and do not wait for it.
constexpr size_t kTogether = 256;

// A child as it was read.
struct Child {
  std::string record_key;
  std::string token;
  uint64_t version;
  bool is_live;
};

class PrefixDelete {
 public:
  PrefixDelete(const RecordScan::Look& look, CommitQueue& queue, absl::Time now,
               std::string prefix)
      : look_(look), queue_(queue), now_(now), prefix_(std::move(prefix)) {}

  absl::Status Run(const CurrentKeyring& keyring) {
    RecordScan scan(look_, RangeOfChildren(keyring.Get()->paths(), prefix_));
    while (!scan.done()) {
      std::vector<Child> children;
      absl::Status status = scan.NextSlice([&](const auto& entry) {
        Take(entry, children);
        return children.size() < kTogether;
      });
      if (status.ok()) status = Remove(std::move(children));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  int64_t deleted() const { return deleted_; }
  int64_t damaged() const { return damaged_; }

 private:
  bool IsChild(absl::string_view key) const {
    return absl::StartsWith(key, prefix_) &&
           !absl::StrContains(key.substr(prefix_.size()), kSeparator);
  }

  void Take(const RecordScan::Entry& entry, std::vector<Child>& children) {
    if (!entry.reader.ok()) {
      ++damaged_;
      return;
    }
    if (!IsChild(entry.reader->key())) return;
    children.push_back({.record_key = std::string(entry.record_key),
                        .token = std::string(RecordToken(entry.record)),
                        .version = entry.reader->version(),
                        .is_live = !entry.reader->IsExpired(now_)});
  }

  // Comes to an end: a record that is sealed anew between a look and a commit
  // is not sealed anew again for long.
  absl::Status Remove(std::vector<Child> children) {
    while (!children.empty()) {
      std::vector<Batch> batches;
      batches.reserve(children.size());
      for (const Child& child : children) {
        batches.push_back({{.space = Space::kRecords,
                            .key = child.record_key,
                            .expect = Expectation::Unchanged(child.token),
                            .verb = Change::Verb::kDelete}});
      }
      const std::vector<Verdict> verdicts = queue_.CommitAll(batches);
      std::vector<Child> changed;
      absl::Status failed = absl::OkStatus();
      for (size_t i = 0; i < verdicts.size(); ++i) {
        switch (verdicts[i].outcome) {
          case Verdict::Outcome::kCommitted:
            if (children[i].is_live) ++deleted_;
            break;
          case Verdict::Outcome::kConflict:
            changed.push_back(std::move(children[i]));
            break;
          case Verdict::Outcome::kRefused:
          case Verdict::Outcome::kUnknown:
            failed.Update(verdicts[i].status);
            break;
        }
      }
      if (!failed.ok()) return failed;
      absl::StatusOr<std::vector<Child>> resealed =
          ReadAgain(std::move(changed));
      if (!resealed.ok()) return resealed.status();
      children = *std::move(resealed);
    }
    return absl::OkStatus();
  }

  // Those that are what they were, with their new tokens.
  absl::StatusOr<std::vector<Child>> ReadAgain(std::vector<Child> children) {
    std::vector<Child> same;
    if (children.empty()) return same;
    const absl::StatusOr<KeyedSnapshot> view = look_();
    if (!view.ok()) return view.status();
    for (Child& child : children) {
      const absl::StatusOr<std::optional<absl::string_view>> record =
          view->snapshot->Get(Space::kRecords, child.record_key);
      if (!record.ok()) return record.status();
      if (!record->has_value()) continue;
      const absl::StatusOr<RecordReader> reader =
          RecordReader::Open(*view->keyring, child.record_key, **record);
      if (!reader.ok()) {
        ++damaged_;
        continue;
      }
      if (reader->version() != child.version) continue;
      child.token = std::string(RecordToken(**record));
      same.push_back(std::move(child));
    }
    return same;
  }

  const RecordScan::Look& look_;
  CommitQueue& queue_;
  const absl::Time now_;
  const std::string prefix_;
  int64_t deleted_ = 0;
  int64_t damaged_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> DeleteChildren(const RecordScan::Look& look,
                                       const CurrentKeyring& keyring,
                                       CommitQueue& queue, absl::Time now,
                                       absl::string_view prefix) {
  if (prefix.empty() || prefix == kSeparator) return error::PrefixRequired();
  const std::string whole = absl::EndsWith(prefix, kSeparator)
                                ? std::string(prefix)
                                : absl::StrCat(prefix, kSeparator);
  PrefixDelete run(look, queue, now, whole);
  const absl::Status status = run.Run(keyring);
  if (!status.ok()) {
    return error::PrefixPartlyDeleted(status, whole, run.deleted());
  }
  if (run.damaged() > 0) {
    return error::DamagedBelowPrefix(whole, run.damaged(), run.deleted());
  }
  return run.deleted();
}

}  // namespace statecpp
