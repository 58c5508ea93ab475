// SPDX-License-Identifier: Apache-2.0
//
// Every precondition against every state, by every way of writing: all of them,
// since they are few. The expected answers are written down once, in Holds, and
// the reference that random tapes are compared with must give them too.
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/reference_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::Combine;
using ::testing::HasSubstr;
using ::testing::Values;

// What stands at the key when the op comes.
enum class State { kLive, kExpired, kDeleted, kNeverWritten };
// The ETag that comes with the op: the key's last one, the one before, another
// key's, two that no store issues, or none.
enum class Tag { kNone, kRight, kStale, kForeign, kMalformed, kEmptyText };
// Dapr's concurrency: with an ETag it says nothing more, without one
// first-write asks that there be no item.
enum class Concurrency { kLastWrite, kFirstWrite };
enum class Way { kAlone, kTransaction, kBulk };

// The contract.
bool Holds(State state, Tag tag, Concurrency concurrency) {
  const bool live = state == State::kLive;
  if (tag != Tag::kNone) return live && tag == Tag::kRight;
  return concurrency == Concurrency::kLastWrite || !live;
}

using Cell = std::tuple<State, Tag, Concurrency, WriteOp::Kind, Way>;

class PreconditionMatrixTest : public ::testing::TestWithParam<Cell> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = dir_.Path("store"),
                     .keys = TestKeys(),
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  // Writes to both stores.
  ETag Write(const WriteOp& op) {
    const absl::StatusOr<std::vector<ETag>> etags = store_->Transact({op});
    EXPECT_THAT(etags, IsOk());
    reference_.Apply({op}, *etags);
    return etags->front();
  }

  // Brings `key` into a state; returns its last ETag and the one before.
  std::pair<ETag, ETag> Prepare(State state) {
    ETag stale(1);
    ETag last(2);
    if (state != State::kNeverWritten) {
      stale = Write({.key = "key", .value = "older"});
      last = Write({.key = "key", .value = "old", .ttl = absl::Seconds(10)});
    }
    if (state == State::kDeleted) {
      Write({.kind = WriteOp::Kind::kDelete, .key = "key"});
    }
    clock_.Advance(absl::Seconds(state == State::kExpired ? 10 : 9));
    reference_.Look();
    return {last, stale};
  }

  Precondition PreconditionFor(Tag tag, Concurrency concurrency, ETag last,
                               ETag stale, ETag foreign) {
    switch (tag) {
      case Tag::kNone:
        return concurrency == Concurrency::kFirstWrite ? Precondition::Absent()
                                                       : Precondition::None();
      case Tag::kRight:
        return Precondition::Match(last);
      case Tag::kStale:
        return Precondition::Match(stale);
      case Tag::kForeign:
        return Precondition::Match(foreign);
      case Tag::kMalformed:
        return Precondition::MatchText("bad-etag");
      case Tag::kEmptyText:
        return Precondition::MatchText("");
    }
    return {};
  }

  absl::Status Call(Way way, const WriteOp& op, const WriteOp& beside) {
    switch (way) {
      case Way::kAlone:
        return op.kind == WriteOp::Kind::kSet ? store_->Set(op).status()
                                              : store_->Delete(op);
      case Way::kTransaction:
        return store_->Transact({beside, op}).status();
      case Way::kBulk: {
        const std::vector<Store::WriteResult> results =
            store_->BulkWrite({beside, op});
        EXPECT_THAT(results[0], IsOk());
        return results[1].status();
      }
    }
    return absl::OkStatus();
  }

  MemoryDir dir_;
  FakeClock clock_;
  ReferenceStore reference_{clock_};
  std::unique_ptr<Store> store_;
};

TEST_P(PreconditionMatrixTest, IsAnsweredByTheContract) {
  const auto [state, tag, concurrency, kind, way] = GetParam();
  const ETag foreign = Write({.key = "other", .value = "other"});
  const auto [last, stale] = Prepare(state);
  const bool holds = Holds(state, tag, concurrency);
  WriteOp op = {.kind = kind, .key = "key", .value = "new"};
  op.precondition = PreconditionFor(tag, concurrency, last, stale, foreign);
  const WriteOp beside = {.key = "beside", .value = "new"};
  const std::optional<Item> before = *store_->Get("key");
  ASSERT_EQ(before.has_value(), state == State::kLive);

  const ReferenceStore::Answer reference = reference_.Judge({op});
  EXPECT_EQ(reference.code == absl::StatusCode::kOk, holds);
  const absl::Status status = Call(way, op, beside);
  EXPECT_EQ(status.code(), reference.code) << status;

  const std::optional<Item> after = *store_->Get("key");
  if (!holds) {
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("nothing was written"));
    ASSERT_EQ(after.has_value(), before.has_value());
    if (before.has_value()) {
      EXPECT_EQ(after->etag, before->etag);
      EXPECT_EQ(after->value, "old");
      EXPECT_EQ(after->expires, before->expires);
    }
  } else if (kind == WriteOp::Kind::kSet) {
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->value, "new");
    EXPECT_NE(after->etag, last);
    EXPECT_EQ(after->expires, std::nullopt);
  } else {
    EXPECT_EQ(after, std::nullopt);
  }
  // A transaction holds whole; a bulk goes on; alone there is no neighbour.
  const bool beside_is_there =
      way == Way::kBulk || (way == Way::kTransaction && holds);
  EXPECT_EQ(store_->Get("beside")->has_value(), beside_is_there);
  EXPECT_THAT(store_->Get("other"), IsOkAndHolds(HasValue("other")));
  EXPECT_THAT(store_->CheckIntegrity(), IsOk());
}

std::string NameOf(const ::testing::TestParamInfo<Cell>& info) {
  const auto [state, tag, concurrency, kind, way] = info.param;
  static constexpr const char* kStates[] = {"Live", "Expired", "Deleted",
                                            "NeverWritten"};
  static constexpr const char* kTags[] = {"NoTag",      "RightTag", "StaleTag",
                                          "ForeignTag", "BadTag",   "EmptyTag"};
  static constexpr const char* kWays[] = {"Alone", "InTransaction", "InBulk"};
  return absl::StrCat(
      kStates[static_cast<int>(state)], kTags[static_cast<int>(tag)],
      concurrency == Concurrency::kFirstWrite ? "FirstWrite" : "LastWrite",
      kind == WriteOp::Kind::kSet ? "Set" : "Delete",
      kWays[static_cast<int>(way)]);
}

INSTANTIATE_TEST_SUITE_P(
    All, PreconditionMatrixTest,
    Combine(Values(State::kLive, State::kExpired, State::kDeleted,
                   State::kNeverWritten),
            Values(Tag::kNone, Tag::kRight, Tag::kStale, Tag::kForeign,
                   Tag::kMalformed, Tag::kEmptyText),
            Values(Concurrency::kLastWrite, Concurrency::kFirstWrite),
            Values(WriteOp::Kind::kSet, WriteOp::Kind::kDelete),
            Values(Way::kAlone, Way::kTransaction, Way::kBulk)),
    NameOf);

}  // namespace
}  // namespace statecpp
