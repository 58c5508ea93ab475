// SPDX-License-Identifier: Apache-2.0
//
// Sequences of calls, which the fuzzer makes up, to a store of its own and to
// the reference: both say the same after each of them.
//
// The input is a tape: a byte that says whether the store is sealed, then calls
// until it ends.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/model/reference_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reference_like.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

constexpr char kSentinel[] = "sentinel";
constexpr int kMaxCalls = 64;

// A folder for this process; in memory if the fuzzer was started so.
const std::string& Folder() {
  static const std::string* const path = [] {
    const char* const base = std::getenv("TEST_TMPDIR");
    auto* const made = new std::string(
        absl::StrCat(base == nullptr ? "/tmp" : base, "/store-XXXXXX"));
    Expect(mkdtemp(made->data()) != nullptr, "a folder can be made");
    return made;
  }();
  return *path;
}

const std::vector<std::string>& Keys() {
  static const auto* const keys =
      new std::vector<std::string>{"a",         "b",
                                   "a||b",      "a|||b",
                                   "a||b||c",   std::string("\0\1", 2),
                                   "tail||1",   std::string(600, 'k'),
                                   "1||2||3||4"};
  return *keys;
}

bool AreSame(const std::optional<Item>& a, const std::optional<Item>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->etag == b->etag && a->value == b->value &&
         a->content_type == b->content_type && a->expires == b->expires;
}

// A store and the reference beside it. Both outlast a tape, since making a
// store and opening it take longer than playing one; between two tapes they are
// emptied.
class Pair {
 public:
  explicit Pair(bool is_sealed)
      : path_(Folder() + (is_sealed ? "/sealed" : "/plain")),
        keys_(is_sealed ? NewTestKeys() : nullptr),
        reference_(clock_) {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    Open();
    SetSentinel();
  }

  Store& store() { return *store_; }
  ReferenceStore& reference() { return reference_; }

  void Empty() {
    // No moment that passed is ahead, and none is in doubt.
    Jump(-jumped_);
    Advance(std::max(latest_ - clock_.Now(), absl::ZeroDuration()) +
            absl::Hours(2));
    std::vector<WriteOp> ops;
    for (const std::string& key : Keys()) {
      ops.push_back({.kind = WriteOp::Kind::kDelete, .key = key});
    }
    Expect(store_->Transact(ops).ok(), "deletes succeed");
    reference_.Apply(ops, std::vector<ETag>(ops.size(), ETag(0)));
    SetSentinel();
  }

  void Advance(absl::Duration span) {
    clock_.Advance(span);
    Look();
  }
  void Jump(absl::Duration span) {
    clock_.Jump(span);
    jumped_ += span;
    Look();
  }

  // Whether another pair should take its place: what earlier tapes left in the
  // files might matter to what a later one finds.
  bool IsWorn() { return ++tapes_ > 256; }

  void Reopen(absl::Duration after) {
    store_.reset();
    clock_.Advance(after);
    reference_.Reopen();
    Open();
    Look();
  }

  // Which commits, and keeps the time, whatever the call before did.
  void SetSentinel() {
    const std::vector<WriteOp> ops = {{.key = kSentinel, .value = "s"}};
    const absl::StatusOr<ETag> etag = store_->Set(ops.front());
    Expect(etag.ok(), "a set without a condition succeeds");
    reference_.Apply(ops, {*etag});
  }

 private:
  void Open() {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = path_,
                     .keys = keys_,
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock_});
    Expect(store.ok(), "the store opens");
    store_ = *std::move(store);
  }

  // The store looks at its clocks when it reads.
  void Look() {
    Expect(store_->Get(kSentinel).ok(), "what never expires is there");
    reference_.Look();
    latest_ = std::max(latest_, clock_.Now());
  }

  const std::string path_;
  const std::shared_ptr<const MasterKeys> keys_;
  FakeClock clock_;
  ReferenceStore reference_;
  std::unique_ptr<Store> store_;
  absl::Duration jumped_;
  absl::Time latest_ = absl::InfinitePast();
  int tapes_ = 0;
};

class Play {
 public:
  Play(FuzzInput tape, Pair& pair)
      : tape_(tape),
        pair_(pair),
        store_(&pair.store()),
        reference_(pair.reference()) {}

  void Run() {
    for (int i = 0; i < kMaxCalls && !tape_.empty(); ++i) {
      Call();
      Compare();
    }
    Expect(store_->CheckIntegrity().ok(), "what was written is what is there");
  }

 private:
  void Call() {
    switch (tape_.Below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return WriteOne();
      case 5:
      case 6:
      case 7:
        return Transact();
      case 8:
      case 9:
        return BulkWrite();
      case 10:
        return MoveClock();
      case 11:
        return Sweep();
      case 12:
        return Reopen();
      case 13:
        return DeleteChildren();
      default:
        return ListKeys();
    }
  }

  std::string Key() {
    const int which = tape_.Below(10);
    return which < 9 ? Keys()[which] : "";
  }

  WriteOp Op() {
    WriteOp op;
    op.key = Key();
    const uint8_t how = tape_.Byte();
    if ((how & 1) != 0) op.kind = WriteOp::Kind::kDelete;
    if (op.kind == WriteOp::Kind::kSet) {
      static constexpr size_t kSizes[] = {0, 1, 90, 1024, 1025, 5000};
      const uint8_t value = tape_.Byte();
      op.value = std::string(kSizes[value % 6], static_cast<char>(value));
      if ((how & 2) != 0) op.content_type = "application/json";
      if ((how & 4) != 0) op.ttl = Span();
    }
    op.precondition = Condition(op.key, how >> 3);
    return op;
  }

  absl::Duration Span() {
    static constexpr int64_t kSeconds[] = {0,    1,    5,       100,
                                           1200, 3600, 2592000, 2147483647};
    return absl::Seconds(kSeconds[tape_.Below(8)]) +
           absl::Milliseconds(tape_.Byte());
  }

  Precondition Condition(const std::string& key, int how) {
    switch (how % 8) {
      case 0:
        return Precondition::Absent();
      case 1:
      case 2: {
        const std::optional<Item> item = reference_.Get(key);
        if (item.has_value()) return Precondition::Match(item->etag);
        return Precondition::MatchText("0123456789abcdef");
      }
      case 3:
        if (!issued_.empty()) {
          return Precondition::MatchText(
              issued_[tape_.Byte() % issued_.size()]);
        }
        return Precondition::MatchText("no ETag");
      default:
        return Precondition::None();
    }
  }

  std::vector<WriteOp> Ops() {
    std::vector<WriteOp> ops(tape_.Below(6));
    for (WriteOp& op : ops) op = Op();
    return ops;
  }

  void WriteOne() {
    WriteOp op = Op();
    const std::vector<WriteOp> ops = {op};
    const ReferenceStore::Answer expected = reference_.Judge(ops);
    if (op.kind == WriteOp::Kind::kDelete) {
      const absl::Status status = store_->Delete(std::move(op));
      Expect(status.code() == expected.code, "a delete is answered alike");
      if (status.ok()) reference_.Apply(ops, {ETag(0)});
      return;
    }
    const absl::StatusOr<ETag> etag = store_->Set(std::move(op));
    Expect(etag.status().code() == expected.code, "a set is answered alike");
    if (!etag.ok()) return;
    Note(ops.front(), *etag);
    reference_.Apply(ops, {*etag});
  }

  void Transact() {
    const std::vector<WriteOp> ops = Ops();
    const ReferenceStore::Answer expected = reference_.Judge(ops);
    const absl::StatusOr<std::vector<ETag>> etags = store_->Transact(ops);
    Expect(etags.status().code() == expected.code,
           "a transaction is answered alike");
    if (!etags.ok()) {
      Expect(ops.size() == 1 ||
                 absl::StrContains(etags.status().message(),
                                   absl::StrCat("operation ", expected.op + 1,
                                                " of ", ops.size())),
             "the operation to blame is named");
      return;
    }
    Expect(etags->size() == ops.size(), "each operation has its ETag");
    for (size_t i = 0; i < ops.size(); ++i) Note(ops[i], (*etags)[i]);
    reference_.Apply(ops, *etags);
  }

  void BulkWrite() {
    const std::vector<WriteOp> ops = Ops();
    const std::vector<Store::WriteResult> results = store_->BulkWrite(ops);
    Expect(results.size() == ops.size(), "each write has its result");
    for (size_t i = 0; i < ops.size(); ++i) {
      const absl::Span<const WriteOp> one(&ops[i], 1);
      Expect(results[i].status().code() == reference_.Judge(one).code,
             "a write of many is answered alike");
      if (!results[i].ok()) continue;
      Note(ops[i], *results[i]);
      reference_.Apply(one, {*results[i]});
    }
  }

  void Note(const WriteOp& op, const ETag& etag) {
    if (op.kind == WriteOp::Kind::kDelete) {
      Expect(etag == ETag(0), "a delete has no ETag");
      return;
    }
    Expect(seen_.insert(etag.ToString()).second, "no ETag comes back");
    issued_.push_back(etag.ToString());
  }

  void MoveClock() {
    const int how = tape_.Below(4);
    const absl::Duration span = std::min(Span(), absl::Hours(24 * 40));
    if (how < 2) return pair_.Advance(span);
    pair_.Jump(how == 2 ? span : -span);
  }

  void Sweep() {
    const ReferenceStore::SweepBounds bounds = reference_.Sweep();
    const absl::StatusOr<int64_t> removed = store_->Sweep();
    Expect(removed.ok() && *removed >= bounds.at_least &&
               *removed <= bounds.at_most,
           "a sweep removes what expired");
    pair_.SetSentinel();
  }

  void Reopen() {
    pair_.Reopen(absl::Minutes(tape_.Below(60)));
    store_ = &pair_.store();
  }

  void DeleteChildren() {
    static constexpr const char* kPrefixes[] = {"a", "a||b", "tail||", "none"};
    const std::string prefix = kPrefixes[tape_.Below(4)];
    std::string start = prefix;
    if (!absl::EndsWith(start, "||")) start += "||";
    std::vector<WriteOp> ops;
    int64_t live = 0;
    for (const std::string& key : Keys()) {
      if (!absl::StartsWith(key, start) ||
          absl::StrContains(absl::string_view(key).substr(start.size()),
                            "||")) {
        continue;
      }
      live += reference_.Get(key).has_value();
      ops.push_back({.kind = WriteOp::Kind::kDelete, .key = key});
    }
    const absl::StatusOr<int64_t> removed = store_->DeleteWithPrefix(prefix);
    Expect(removed.ok() && *removed == live, "the children are removed");
    reference_.Apply(ops, std::vector<ETag>(ops.size(), ETag(0)));
    pair_.SetSentinel();
  }

  // A page at a time.
  void ListKeys() {
    static constexpr const char* kPatterns[] = {"%", "a||%", "a%b",
                                                "_", "%||",  "tail||_"};
    const std::string pattern = kPatterns[tape_.Below(6)];
    std::set<std::string> expected;
    for (const std::string& key : Keys()) {
      if (reference_.Get(key).has_value() && ReferenceLike(pattern, key)) {
        expected.insert(key);
      }
    }
    if (ReferenceLike(pattern, kSentinel)) expected.insert(kSentinel);
    KeyQuery query = {.pattern = pattern,
                      .page_size = static_cast<size_t>(tape_.Below(4))};
    std::set<std::string> listed;
    do {
      const absl::StatusOr<KeyPage> page = store_->ListKeys(query);
      Expect(page.ok() && page->damaged == 0, "keys are listed");
      for (const std::string& key : page->keys) {
        Expect(listed.insert(key).second, "each key once");
      }
      query.token = page->next_token;
    } while (!query.token.empty());
    Expect(listed == expected, "all that match are listed");
  }

  void Compare() {
    const std::vector<absl::string_view> keys(Keys().begin(), Keys().end());
    const auto items = store_->BulkGet(keys);
    Expect(items.ok() && items->size() == keys.size(), "all keys are read");
    for (size_t i = 0; i < keys.size(); ++i) {
      const absl::StatusOr<std::optional<Item>>& item = (*items)[i];
      Expect(item.ok() && AreSame(*item, reference_.Get(keys[i])),
             "each key has what was written");
    }
    const absl::StatusOr<Store::Stats> stats = store_->GetStats();
    const auto [least, most] = reference_.RecordBounds();
    Expect(stats.ok() && stats->records >= least && stats->records <= most,
           "as many records are there as should be");
  }

  FuzzInput tape_;
  Pair& pair_;
  Store* store_;
  ReferenceStore& reference_;
  std::vector<std::string> issued_;
  std::set<std::string> seen_;
};

}  // namespace

// LSan does not always see what a store's threads keep for themselves, and
// takes it for lost.
extern "C" int __lsan_is_turned_off() { return 1; }

void FuzzOne(FuzzInput input) {
  static std::unique_ptr<Pair> pairs[2];
  const bool is_sealed = input.Below(2) == 1;
  std::unique_ptr<Pair>& pair = pairs[is_sealed ? 1 : 0];
  if (pair == nullptr) {
    pair = std::make_unique<Pair>(is_sealed);
  } else {
    pair->Empty();
  }
  Play(input, *pair).Run();
  if (pair->IsWorn()) pair.reset();
}

}  // namespace statecpp
