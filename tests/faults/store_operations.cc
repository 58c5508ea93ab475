// SPDX-License-Identifier: Apache-2.0
//
// What is done to items.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/faults/stage.h"
#include "tests/faults/stored_facts.h"

namespace statecpp {
namespace {

using Kind = WriteOp::Kind;

constexpr int kItems = 24;
constexpr int kChildren = 10;
constexpr int kExpiring = 30;

std::string ItemKey(int i) { return absl::StrCat("item", i); }
std::string ChildKey(int i) { return absl::StrCat("p||", i); }

absl::Status SetAll(Stage& stage, std::vector<WriteOp> ops) {
  return stage.store().Transact(std::move(ops)).status();
}

}  // namespace

absl::Status FillStore(Stage& stage) {
  if (absl::Status opened = stage.Open(/*create=*/true); !opened.ok()) {
    return opened;
  }
  std::vector<WriteOp> ops;
  for (int i = 0; i < kItems; ++i) {
    // Some in pages of their own.
    ops.push_back({.key = ItemKey(i),
                   .value = std::string(i % 4 == 0 ? 5000 : 20 + i, 'a'),
                   .content_type = i % 2 == 0 ? "text/plain" : ""});
    if (i % 5 == 0) ops.back().ttl = absl::Hours(9);
  }
  return SetAll(stage, std::move(ops));
}

namespace {

absl::Status FillWithChildren(Stage& stage) {
  if (absl::Status filled = FillStore(stage); !filled.ok()) return filled;
  std::vector<WriteOp> ops;
  for (int i = 0; i < kChildren; ++i) {
    ops.push_back({.key = ChildKey(i), .value = std::string(100 * i, 'c')});
  }
  return SetAll(stage, std::move(ops));
}

absl::Status FillWithExpiring(Stage& stage) {
  if (absl::Status filled = FillStore(stage); !filled.ok()) return filled;
  std::vector<WriteOp> ops;
  for (int i = 0; i < kExpiring; ++i) {
    ops.push_back({.key = absl::StrCat("e", i),
                   .value = std::string(i * 200, 'e'),
                   .ttl = absl::Seconds(1)});
  }
  return SetAll(stage, std::move(ops));
}

void Set(Stage& stage, WriteOp op) {
  const absl::StatusOr<ETag> etag = stage.store().Set(op);
  stage.SayOf(op.key, etag);
  stage.Say(etag.status());
}

void Transact(Stage& stage) {
  const std::vector<WriteOp> ops = {
      {.key = ItemKey(0), .value = "short now"},
      {.key = ItemKey(1), .value = std::string(60'000, 'b')},
      {.kind = Kind::kDelete, .key = ItemKey(4)},
      {.key = "new1", .value = std::string(9000, 'n'), .ttl = absl::Hours(2)},
      {.key = "new2", .value = "", .precondition = Precondition::Absent()},
      {.kind = Kind::kDelete, .key = ItemKey(7)},
  };
  stage.SayOf(ops, stage.store().Transact(ops));
}

void WriteBulk(Stage& stage) {
  std::vector<WriteOp> ops;
  for (int i = 0; i < 8; ++i) {
    ops.push_back({.kind = i % 4 == 3 ? Kind::kDelete : Kind::kSet,
                   .key = ItemKey(2 * i),
                   .value = std::string(1500 * i, 'w')});
  }
  const std::vector<Store::WriteResult> results = stage.store().BulkWrite(ops);
  absl::Status first = absl::OkStatus();
  for (size_t i = 0; i < ops.size(); ++i) {
    stage.SayOf(ops[i].key, results[i]);
    // Not to be taken for an answer to them all.
    first.Update(results[i].status());
  }
  stage.Say(first, /*maybe_on_error=*/true);
}

void Grow(Stage& stage) {
  const absl::Status grown = stage.store().GrowTo(uint64_t{8} << 20);
  if (!grown.ok()) return stage.Say(grown);
  Set(stage, {.key = "new1", .value = std::string(3 << 20, 'g')});
}

}  // namespace

const std::vector<std::string>& WrittenKeys() {
  static const auto& keys = *new std::vector<std::string>([] {
    std::vector<std::string> all = {"new1", "new2"};
    for (int i = 0; i < kItems; ++i) all.push_back(ItemKey(i));
    for (int i = 0; i < kChildren; ++i) all.push_back(ChildKey(i));
    return all;
  }());
  return keys;
}

std::vector<Operation> StoreOperations() {
  return {
      {.name = "set",
       .least_calls = 5,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             Set(stage, {.key = ItemKey(3), .value = "another"});
           }},
      {.name = "set-large",
       .least_calls = 5,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             Set(stage, {.key = "new1", .value = std::string(200'000, 'l')});
           }},
      {.name = "delete",
       .least_calls = 4,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             stage.Say(stage.store().Delete({.key = ItemKey(8)}));
           }},
      {.name = "transact",
       .least_calls = 5,
       .prepare = FillStore,
       .run = Transact},
      {.name = "bulk",
       .leaves = Operation::Leaves::kEach,
       .least_calls = 4,
       .prepare = FillStore,
       .run = WriteBulk},
      {.name = "prefix-delete",
       .leaves = Operation::Leaves::kEach,
       .least_calls = 4,
       .prepare = FillWithChildren,
       .run =
           [](Stage& stage) {
             stage.Say(stage.store().DeleteWithPrefix("p").status(),
                       /*maybe_on_error=*/true);
           }},
      {.name = "sweep",
       .leaves = Operation::Leaves::kEach,
       .least_calls = 4,
       .prepare = FillWithExpiring,
       .run =
           [](Stage& stage) {
             stage.Say(stage.store().Sweep().status(),
                       /*maybe_on_error=*/true);
           }},
      {.name = "grow", .least_calls = 6, .prepare = FillStore, .run = Grow},
  };
}

}  // namespace statecpp
