// SPDX-License-Identifier: Apache-2.0
//
// The contract's cases against the reference model: what random tapes are
// compared with must itself be right.
#include <memory>
#include <string>
#include <vector>

#include "tests/contract/subject.h"
#include "tests/contract/write_op.h"
#include "tests/model/reference_store.h"
#include "tests/support/fake_clock.h"

namespace statecpp {
namespace {

class ModelSubject final : public Subject {
 public:
  std::optional<Reading> Get(const std::string& key) override {
    return ReadingOf(store_.Get(key));
  }
  Readings BulkGet(const std::vector<std::string>& keys) override {
    Readings readings;
    for (const std::string& key : keys) readings.push_back(Get(key));
    return readings;
  }
  Verdict Write(const Operation& operation) override {
    return Transact({operation});
  }
  Verdict Bulk(const std::vector<Operation>& operations) override {
    Verdict verdict = Verdict::kDone;
    for (const Operation& operation : operations) {
      const Verdict its = Write(operation);
      if (verdict == Verdict::kDone) verdict = its;
    }
    return verdict;
  }
  Verdict Transact(const std::vector<Operation>& operations) override {
    const std::vector<WriteOp> ops = WriteOpsOf(operations);
    const Verdict verdict = VerdictOf(store_.Judge(ops).code);
    if (verdict != Verdict::kDone) return verdict;
    std::vector<ETag> etags;
    for (size_t i = 0; i < ops.size(); ++i) etags.emplace_back(++last_etag_);
    store_.Apply(ops, etags);
    return verdict;
  }
  void AwaitExpiry() override {
    clock_.Advance(absl::Seconds(2));
    store_.Look();
  }

 private:
  FakeClock clock_;
  ReferenceStore store_{clock_};
  uint64_t last_etag_ = 0;
};

}  // namespace

std::unique_ptr<Subject> NewSubject() {
  return std::make_unique<ModelSubject>();
}

}  // namespace statecpp
