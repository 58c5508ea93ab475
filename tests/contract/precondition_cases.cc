// SPDX-License-Identifier: Apache-2.0
//
// Every precondition against every state, by every way of writing: all of them,
// since they are few. The expected answer is written down once, in Holds.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/subject.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;
using Kind = Operation::Kind;
using Concurrency = Operation::Concurrency;

// What stands at the key when the operation comes.
enum class State { kLive, kExpired, kDeleted, kNeverWritten };
// The ETag that comes with it: none, the key's last one, the one before, that
// of another key, one that no store gives, or a message without a text.
enum class Tag { kNone, kRight, kStale, kForeign, kMalformed, kEmpty };
enum class Way { kAlone, kTransaction, kBulk };

constexpr State kStates[] = {State::kLive, State::kExpired, State::kDeleted,
                             State::kNeverWritten};
constexpr Tag kTags[] = {Tag::kNone,    Tag::kRight,     Tag::kStale,
                         Tag::kForeign, Tag::kMalformed, Tag::kEmpty};
constexpr Concurrency kConcurrencies[] = {Concurrency::kUnspecified,
                                          Concurrency::kFirstWrite,
                                          Concurrency::kLastWrite};
constexpr Kind kKinds[] = {Kind::kSet, Kind::kDelete};
constexpr Way kWays[] = {Way::kAlone, Way::kTransaction, Way::kBulk};

struct Cell {
  State state;
  Tag tag;
  Concurrency concurrency;
  Kind kind;
  Way way;
  // Filled in on the way.
  std::string key = "";
  std::string beside = "";
  std::string last_etag = "0000000000000002";
  std::string stale_etag = "0000000000000001";
};

// The contract: an ETag that says something decides alone. Without one a first
// write wants nothing to be there; a delete has none to be the first of.
bool Holds(const Cell& cell) {
  const bool live = cell.state == State::kLive;
  if (cell.tag != Tag::kNone && cell.tag != Tag::kEmpty) {
    return live && cell.tag == Tag::kRight;
  }
  return cell.concurrency != Concurrency::kFirstWrite ||
         cell.kind == Kind::kDelete || !live;
}

std::string NameOf(const Cell& cell) {
  static constexpr const char* kStateNames[] = {"live", "expired", "deleted",
                                                "never written"};
  static constexpr const char* kTagNames[] = {
      "no", "the right", "a stale", "a foreign", "a malformed", "an empty"};
  static constexpr const char* kConcurrencyNames[] = {"", ", first-write",
                                                      ", last-write"};
  static constexpr const char* kWayNames[] = {"", " in a transaction",
                                              " in a bulk"};
  return absl::StrCat(cell.kind == Kind::kSet ? "set" : "delete",
                      kWayNames[static_cast<int>(cell.way)], " of a key that ",
                      cell.state == State::kNeverWritten ? "was " : "is ",
                      kStateNames[static_cast<int>(cell.state)], ", with ",
                      kTagNames[static_cast<int>(cell.tag)], " ETag",
                      kConcurrencyNames[static_cast<int>(cell.concurrency)]);
}

std::vector<Cell> AllCells() {
  std::vector<Cell> cells;
  for (const State state : kStates) {
    for (const Tag tag : kTags) {
      for (const Concurrency concurrency : kConcurrencies) {
        for (const Kind kind : kKinds) {
          for (const Way way : kWays) {
            cells.push_back({state, tag, concurrency, kind, way});
            cells.back().key = absl::StrCat("key", cells.size());
            cells.back().beside = absl::StrCat("beside", cells.size());
          }
        }
      }
    }
  }
  return cells;
}

class PreconditionCases : public ::testing::Test {
 protected:
  // Writes, and returns the ETag that was given.
  std::string Set(Operation operation) {
    EXPECT_EQ(subject_->Write(operation), Verdict::kDone);
    return subject_->Get(operation.key).value().etag;
  }

  // Brings the cell's key into its state, except that time does not pass.
  void Prepare(Cell& cell) {
    if (cell.kind == Kind::kDelete) Set({.key = cell.beside, .value = "old"});
    if (cell.state == State::kNeverWritten) return;
    cell.stale_etag = Set({.key = cell.key, .value = "older"});
    cell.last_etag = Set({.key = cell.key,
                          .value = "old",
                          .ttl = cell.state == State::kExpired ? 2 : 3600});
    if (cell.state == State::kDeleted) {
      EXPECT_EQ(subject_->Write({.kind = Kind::kDelete, .key = cell.key}),
                Verdict::kDone);
    }
  }

  Operation OperationOf(const Cell& cell) const {
    Operation operation = {.kind = cell.kind,
                           .key = cell.key,
                           .value = "new",
                           .concurrency = cell.concurrency};
    switch (cell.tag) {
      case Tag::kNone:
        break;
      case Tag::kRight:
        operation.etag = cell.last_etag;
        break;
      case Tag::kStale:
        operation.etag = cell.stale_etag;
        break;
      case Tag::kForeign:
        operation.etag = foreign_;
        break;
      case Tag::kMalformed:
        operation.etag = "bad-etag";
        break;
      case Tag::kEmpty:
        operation.etag = "";
        break;
    }
    return operation;
  }

  Verdict Ask(const Cell& cell) {
    const Operation operation = OperationOf(cell);
    const Operation beside = {
        .kind = cell.kind, .key = cell.beside, .value = "new"};
    switch (cell.way) {
      case Way::kAlone:
        return subject_->Write(operation);
      case Way::kTransaction:
        return subject_->Transact({beside, operation});
      case Way::kBulk:
        return subject_->Bulk({beside, operation});
    }
    return Verdict::kFailed;
  }

  void ExpectAnswered(const Cell& cell) {
    const std::optional<Reading> before = subject_->Get(cell.key);
    ASSERT_EQ(before.has_value(), cell.state == State::kLive);
    const bool holds = Holds(cell);
    EXPECT_EQ(Ask(cell), holds ? Verdict::kDone : Verdict::kMismatch);
    if (!holds) ExpectNamed(cell, before);

    const std::optional<Reading> after = subject_->Get(cell.key);
    if (!holds) {
      EXPECT_EQ(after, before);
    } else if (cell.kind == Kind::kDelete) {
      EXPECT_EQ(after, std::nullopt);
    } else {
      ASSERT_TRUE(after.has_value());
      EXPECT_EQ(after->value, "new");
      EXPECT_NE(after->etag, cell.last_etag);
      EXPECT_FALSE(after->expires);
    }
    ExpectBeside(cell, holds);
  }

  // The app is told which key it was, and what stands there.
  void ExpectNamed(const Cell& cell, const std::optional<Reading>& found) {
    const std::optional<std::string> refusal = subject_->LastRefusal();
    if (!refusal.has_value()) return;  // the reference model's
    EXPECT_THAT(*refusal, HasSubstr(absl::StrCat("\"", cell.key, "\"")));
    EXPECT_THAT(*refusal,
                HasSubstr(absl::StrCat(
                    "found ", found.has_value() ? found->etag : "no item")));
    if (cell.way == Way::kTransaction) {
      EXPECT_THAT(*refusal, HasSubstr("in operation 2 of 2"));
    }
  }

  // A transaction holds whole; a bulk goes on; alone there is no neighbour.
  void ExpectBeside(const Cell& cell, bool holds) {
    const bool done =
        cell.way == Way::kBulk || (cell.way == Way::kTransaction && holds);
    const std::optional<Reading> beside = subject_->Get(cell.beside);
    if (cell.kind == Kind::kSet) {
      EXPECT_EQ(beside.has_value(), done);
    } else {
      EXPECT_EQ(beside.has_value(), !done);
    }
  }

  const std::unique_ptr<Subject> subject_ = NewSubject();
  std::string foreign_;
};

TEST_F(PreconditionCases, EachOfThemIsAnsweredByTheContract) {
  foreign_ = Set({.key = "other", .value = "other"});
  std::vector<Cell> cells = AllCells();
  ASSERT_EQ(cells.size(), 4u * 6u * 3u * 2u * 3u);
  // Time passes once for all of them.
  for (Cell& cell : cells) {
    if (cell.state == State::kExpired) Prepare(cell);
  }
  subject_->AwaitExpiry();
  for (Cell& cell : cells) {
    if (cell.state != State::kExpired) Prepare(cell);
  }
  for (const Cell& cell : cells) {
    SCOPED_TRACE(NameOf(cell));
    ExpectAnswered(cell);
  }
  EXPECT_EQ(subject_->Get("other").value().etag, foreign_);
}

}  // namespace
}  // namespace statecpp
