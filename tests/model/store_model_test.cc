// SPDX-License-Identifier: Apache-2.0
//
// Random tapes of calls, played to a real store and to the reference, which
// must agree after each of them: on every answer, and on all that can be read.
//
// A tape that failed names its seed. To have it again, alone:
//   STATECPP_TEST_SEED=<seed> STATECPP_TEST_TAPES=1
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/reference_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

constexpr int kTapes = 100;
constexpr int kSteps = 500;

// Always there, and never expires: reading it makes the store look at the
// clock.
constexpr char kSentinel[] = "sentinel";

std::string Describe(const WriteOp& op) {
  static constexpr const char* kKinds[] = {"", " if ", " if absent"};
  return absl::StrCat(
      op.kind == WriteOp::Kind::kSet ? "set " : "delete ", op.key.substr(0, 20),
      "[", op.key.size(), "] value[", op.value.size(), "]",
      op.ttl ? absl::StrCat(" ttl ", absl::FormatDuration(*op.ttl)) : "",
      kKinds[static_cast<int>(op.precondition.kind)], op.precondition.etag);
}

std::string Describe(const std::optional<Item>& item) {
  if (!item.has_value()) return "nothing";
  return absl::StrCat(item->etag.ToString(), " value[", item->value.size(),
                      "] ", item->content_type, " expires ",
                      item->expires ? absl::FormatTime(*item->expires) : "no");
}

class Tape {
 public:
  explicit Tape(uint64_t seed) : random_(seed), reference_(clock_) {
    keys_ = {"a",
             "b",
             "a||b",
             "a|||b",
             "a||b||c",
             "1||2||3||4||5||6||7||8",
             std::string("\0\1", 2),
             std::string(600, 'k')};
    for (int i = 0; i < 24; ++i) keys_.push_back(absl::StrCat("tail||", i));
    Open();
    SetSentinel();
  }

  // False when the two differ; gtest then knows how.
  bool Play(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      Step();
      if (::testing::Test::HasFailure()) break;
      CompareAll();
    }
    if (!::testing::Test::HasFailure()) {
      EXPECT_THAT(store_->CheckIntegrity(), IsOk());
    }
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "the last steps:\n" << absl::StrJoin(log_, "\n");
    }
    return !::testing::Test::HasFailure();
  }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }
  bool OneIn(uint64_t n) { return Draw(n) == 0; }
  template <typename Container>
  const auto& Pick(const Container& container) {
    return container[Draw(container.size())];
  }

  void Log(std::string step) {
    log_.push_back(std::move(step));
    if (log_.size() > 12) log_.pop_front();
  }

  void Step() {
    const uint64_t choice = Draw(100);
    if (choice < 25) {
      Get();
    } else if (choice < 65) {
      Transact({RandomOp()});
    } else if (choice < 78) {
      Transact(RandomOps());
    } else if (choice < 88) {
      BulkWrite(RandomOps());
    } else if (choice < 95) {
      MoveClock();
    } else if (choice < 98) {
      Sweep();
    } else {
      Reopen();
    }
  }

  std::string RandomValue() {
    const uint64_t kind = Draw(100);
    const size_t size = kind < 60   ? Draw(100)
                        : kind < 90 ? 1000 + Draw(50)
                        : kind < 98 ? 3000 + Draw(3000)
                                    : 100'000;
    return std::string(size, static_cast<char>('a' + Draw(26)));
  }

  WriteOp RandomOp() {
    WriteOp op;
    op.key = OneIn(200) ? "" : OneIn(2) ? keys_[Draw(8)] : Pick(keys_);
    if (OneIn(3)) op.kind = WriteOp::Kind::kDelete;
    if (op.kind == WriteOp::Kind::kSet) {
      op.value = RandomValue();
      if (OneIn(3)) op.content_type = "application/json";
      if (OneIn(3)) op.ttl = RandomTtl();
    }
    op.precondition = RandomPrecondition(op.key);
    return op;
  }

  absl::Duration RandomTtl() {
    if (OneIn(50)) return absl::Seconds(-static_cast<int>(Draw(2)));
    const std::vector<absl::Duration> spans = {
        absl::Milliseconds(1), absl::Milliseconds(50), absl::Seconds(5),
        absl::Seconds(100),    absl::Hours(1),         absl::Hours(24 * 30)};
    return Pick(spans) * (1 + static_cast<int>(Draw(3)));
  }

  Precondition RandomPrecondition(const std::string& key) {
    const uint64_t kind = Draw(10);
    if (kind < 4) return Precondition::None();
    if (kind < 5) return Precondition::Absent();
    if (kind < 8) {
      const std::optional<Item> item = reference_.Get(key);
      if (item.has_value()) return Precondition::Match(item->etag);
    }
    if (kind < 9 && !issued_.empty()) {
      return Precondition::MatchText(Pick(issued_));
    }
    static const std::vector<std::string> malformed = {
        "", "1", "bad-etag", "0123456789abcdeF", "0123456789abcdef0"};
    return Precondition::MatchText(Pick(malformed));
  }

  // Keys repeat often.
  std::vector<WriteOp> RandomOps() {
    std::vector<WriteOp> ops(1 + Draw(OneIn(20) ? 100 : 6));
    const std::string favourite = keys_[Draw(8)];
    for (WriteOp& op : ops) {
      op = RandomOp();
      if (OneIn(3)) op.key = favourite;
      // A long list of random preconditions never holds.
      if (!OneIn(ops.size())) op.precondition = Precondition::None();
    }
    return ops;
  }

  void Get() {
    const std::string key = OneIn(100) ? "" : Pick(keys_);
    Log(absl::StrCat("get ", key.substr(0, 20)));
    const absl::StatusOr<std::optional<Item>> item = store_->Get(key);
    if (key.empty()) {
      EXPECT_THAT(item, HasCode(absl::StatusCode::kInvalidArgument));
    } else {
      ASSERT_THAT(item, IsOk());
      EXPECT_EQ(Describe(*item), Describe(reference_.Get(key)));
    }
  }

  void Transact(std::vector<WriteOp> ops) {
    Log(absl::StrCat("transact: ",
                     absl::StrJoin(ops, ", ", [](std::string* out, auto& op) {
                       out->append(Describe(op));
                     })));
    const ReferenceStore::Answer expected = reference_.Judge(ops);
    const absl::StatusOr<std::vector<ETag>> etags = Call(ops);
    EXPECT_EQ(etags.status().code(), expected.code) << etags.status();
    if (!etags.ok()) {
      if (ops.size() > 1) {
        EXPECT_THAT(std::string(etags.status().message()),
                    HasSubstr(absl::StrCat("operation ", expected.op + 1,
                                           " of ", ops.size())));
      }
      return;
    }
    ASSERT_EQ(etags->size(), ops.size());
    for (size_t i = 0; i < ops.size(); ++i) NoteETag(ops[i], (*etags)[i]);
    reference_.Apply(ops, *etags);
  }

  // One op alone goes by any of three ways, which must not differ.
  absl::StatusOr<std::vector<ETag>> Call(const std::vector<WriteOp>& ops) {
    if (ops.size() > 1 || OneIn(3)) return store_->Transact(ops);
    if (ops.front().kind == WriteOp::Kind::kSet) {
      const absl::StatusOr<ETag> etag = store_->Set(ops.front());
      if (!etag.ok()) return etag.status();
      return std::vector<ETag>{*etag};
    }
    const absl::Status deleted = store_->Delete(ops.front());
    if (!deleted.ok()) return deleted;
    return std::vector<ETag>{ETag(0)};
  }

  void BulkWrite(std::vector<WriteOp> ops) {
    Log(absl::StrCat("bulk: ",
                     absl::StrJoin(ops, ", ", [](std::string* out, auto& op) {
                       out->append(Describe(op));
                     })));
    const std::vector<Store::WriteResult> results = store_->BulkWrite(ops);
    ASSERT_EQ(results.size(), ops.size());
    for (size_t i = 0; i < ops.size(); ++i) {
      const absl::Span<const WriteOp> one(&ops[i], 1);
      EXPECT_EQ(results[i].status().code(), reference_.Judge(one).code)
          << "op " << i << ": " << results[i].status();
      if (!results[i].ok()) continue;
      NoteETag(ops[i], *results[i]);
      reference_.Apply(one, {*results[i]});
    }
  }

  void NoteETag(const WriteOp& op, const ETag& etag) {
    if (op.kind == WriteOp::Kind::kDelete) {
      EXPECT_EQ(etag, ETag(0));
      return;
    }
    EXPECT_TRUE(seen_.insert(etag.ToString()).second)
        << "ETag " << etag << " was issued twice";
    issued_.push_back(etag.ToString());
  }

  void MoveClock() {
    const std::vector<absl::Duration> spans = {
        absl::Milliseconds(1), absl::Milliseconds(60), absl::Seconds(3),
        absl::Minutes(2),      absl::Minutes(20),      absl::Hours(3),
        absl::Hours(24 * 40)};
    const absl::Duration span = Pick(spans);
    const uint64_t kind = Draw(10);
    if (kind < 7) {
      Log(absl::StrCat("advance ", absl::FormatDuration(span)));
      clock_.Advance(span);
    } else {
      const int sign = kind < 9 ? 1 : -1;
      Log(absl::StrCat("jump ", absl::FormatDuration(sign * span)));
      clock_.Jump(sign * span);
      // Most jumps are mended soon.
      if (!OneIn(4)) {
        Look();
        CompareAll();
        clock_.Advance(absl::Seconds(1));
        clock_.Jump(-sign * span);
        Log("and back");
      }
    }
    Look();
  }

  void Look() {
    EXPECT_THAT(store_->Get(kSentinel), IsOk());
    reference_.Look();
  }

  void SetSentinel() {
    const std::vector<WriteOp> ops = {{.key = kSentinel, .value = "s"}};
    const absl::StatusOr<ETag> etag = store_->Set(ops.front());
    ASSERT_THAT(etag, IsOk());
    reference_.Apply(ops, {*etag});
  }

  void Sweep() {
    Log("sweep");
    const ReferenceStore::SweepBounds bounds = reference_.Sweep();
    const absl::StatusOr<int64_t> removed = store_->Sweep();
    ASSERT_THAT(removed, IsOk());
    EXPECT_GE(*removed, bounds.at_least);
    EXPECT_LE(*removed, bounds.at_most);
    // Whether the sweep committed anything, and the mark with it, is its own
    // affair.
    SetSentinel();
  }

  void Reopen() {
    Log("reopen");
    EXPECT_THAT(store_->CheckIntegrity(), IsOk());
    store_.reset();
    if (OneIn(2)) {
      Log("after a while");
      clock_.Advance(absl::Minutes(static_cast<int>(Draw(60))));
    }
    reference_.Reopen();
    Open();
    if (store_ != nullptr) Look();
  }

  void Open() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = dir_.Path("store"),
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  void CompareAll() {
    std::vector<absl::string_view> keys(keys_.begin(), keys_.end());
    const absl::StatusOr<std::vector<Store::ReadResult>> items =
        store_->BulkGet(keys);
    ASSERT_THAT(items, IsOk());
    ASSERT_EQ(items->size(), keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      ASSERT_THAT((*items)[i], IsOk());
      const std::optional<Item> expected = reference_.Get(keys_[i]);
      ASSERT_EQ(Describe(*(*items)[i]), Describe(expected)) << keys_[i];
      ASSERT_TRUE(!expected || expected->value == (*(*items)[i])->value);
    }
    const auto [least, most] = reference_.RecordBounds();
    const uint64_t records = store_->GetStats()->records;
    EXPECT_GE(records, least);
    EXPECT_LE(records, most);
  }

  std::mt19937_64 random_;
  MemoryDir dir_;
  FakeClock clock_;
  ReferenceStore reference_;
  std::unique_ptr<Store> store_;
  std::vector<std::string> keys_;  // the first eight are hot
  std::vector<std::string> issued_;
  std::set<std::string> seen_;
  std::deque<std::string> log_;
};

TEST(StoreModelTest, AnswersAsTheReferenceDoesStepByStep) {
  const uint64_t seed = TestSeed();
  const char* const tapes = std::getenv("STATECPP_TEST_TAPES");
  const int count = tapes != nullptr ? std::atoi(tapes) : kTapes;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(Tape(seed + i).Play(kSteps))
        << "STATECPP_TEST_SEED=" << seed + i << " STATECPP_TEST_TAPES=1";
  }
}

}  // namespace
}  // namespace statecpp
