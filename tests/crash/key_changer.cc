// SPDX-License-Identifier: Apache-2.0
//
//   key_changer STORE LEDGER
//
// Opens a sealed store and changes its keys, one change after the other, while
// a thread of its own writes, until it is killed. What it does is in the
// ledger, before and after each change (key_ledger.h).
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/store.h"
#include "engine/store_keys.h"
#include "tests/crash/key_ledger.h"

namespace statecpp {
namespace {

using Kind = KeyChange::Kind;

class Changer {
 public:
  Changer(Store& store, KeyLedger& ledger)
      : store_(store), ledger_(ledger), random_(ledger.seed) {}

  void ChangeForEver() {
    for (;;) {
      const KeyChange change = Choose();
      if (change.kind == Kind::kNone) continue;
      // Now and then the records are left to be re-sealed meanwhile.
      absl::SleepFor(absl::Microseconds(Draw(3) == 0 ? Draw(4000) : 0));
      ledger_.in_hand = change.word();
      const absl::Status status = Make(change);
      if (status.ok()) {
        Note(change);
        ++ledger_.done[static_cast<int>(change.kind)];
      } else if (!MayBeRefused(change, status)) {
        Complain(status);
      }
      ledger_.in_hand = 0;
    }
  }

  // Nobody else writes this item, so its ETag changes by these writes alone.
  void CountForEver() {
    for (;;) {
      const auto item = store_.Get(KeyLedger::CounterKey());
      uint64_t count = 0;
      if (!item.ok() || !item->has_value() ||
          !absl::SimpleAtoi((*item)->value, &count)) {
        return Complain(item.status());
      }
      ++ledger_.increments_begun;
      const absl::StatusOr<ETag> etag =
          store_.Set({.key = KeyLedger::CounterKey(),
                      .value = absl::StrCat(count + 1),
                      .precondition = Precondition::Match((*item)->etag)});
      if (!etag.ok()) return Complain(etag.status());
      ++ledger_.increments_acknowledged;
    }
  }

  void Complain(const absl::Status& status) {
    if (ledger_.complained.exchange(true)) return;
    std::snprintf(ledger_.complaint, sizeof(ledger_.complaint), "%s",
                  status.ToString().c_str());
  }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }

  std::vector<uint64_t> Slots(bool there) const {
    std::vector<uint64_t> numbers;
    for (uint64_t n = 0; n < KeyLedger::kMasterKeys; ++n) {
      if (ledger_.has_slot[n] == there) numbers.push_back(n);
    }
    return numbers;
  }

  KeyChange Choose() {
    switch (Draw(4)) {
      case 0: {
        const std::vector<uint64_t> absent = Slots(false);
        if (Slots(true).size() == 8) return {};
        return {Kind::kAdd, absent[Draw(absent.size())]};
      }
      case 1: {
        const std::vector<uint64_t> present = Slots(true);
        if (present.size() == 1) return {};
        return {Kind::kRemove, present[Draw(present.size())]};
      }
      case 2:
        if (ledger_.active_id + 1 == KeyLedger::kMaxDataKeys) return {};
        return {Kind::kRotate, ledger_.active_id + 1};
      default: {
        std::vector<uint64_t> former;
        for (uint64_t id = 1; id < ledger_.active_id; ++id) {
          if (ledger_.has_data_key[id]) former.push_back(id);
        }
        if (former.empty()) return {};
        return {Kind::kRetire, former[Draw(former.size())]};
      }
    }
  }

  absl::Status Make(const KeyChange& change) {
    StoreKeys& keys = store_.keys();
    switch (change.kind) {
      case Kind::kNone:
        break;
      case Kind::kAdd:
        return keys.AddSlot(KeyLedger::Key(change.number));
      case Kind::kRemove: {
        MasterKeys all;
        for (const uint64_t n : Slots(true)) all.push_back(KeyLedger::Key(n));
        return keys.RemoveSlot(absl::StrCat("key-", change.number), all);
      }
      case Kind::kRotate: {
        const absl::StatusOr<uint32_t> id = keys.Rotate();
        if (id.ok() && *id != change.number) {
          return absl::InternalError(absl::StrCat("rotated to ", *id));
        }
        return id.status();
      }
      case Kind::kRetire:
        return keys.Retire(static_cast<uint32_t>(change.number));
    }
    return absl::OkStatus();
  }

  // Records are left under a data key until they are re-sealed.
  static bool MayBeRefused(const KeyChange& change,
                           const absl::Status& status) {
    return change.kind == Kind::kRetire &&
           (absl::IsInvalidArgument(status) || absl::IsUnavailable(status));
  }

  void Note(const KeyChange& change) {
    switch (change.kind) {
      case Kind::kNone:
        break;
      case Kind::kAdd:
      case Kind::kRemove:
        ledger_.has_slot[change.number] = change.kind == Kind::kAdd;
        break;
      case Kind::kRotate:
        ledger_.has_data_key[change.number] = true;
        ledger_.active_id = change.number;
        break;
      case Kind::kRetire:
        ledger_.has_data_key[change.number] = false;
        break;
    }
  }

  Store& store_;
  KeyLedger& ledger_;
  std::mt19937_64 random_;
};

int Main(const std::string& path, KeyLedger& ledger) {
  uint64_t number = 0;
  while (!ledger.has_slot[number]) ++number;
  const absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(
      {.path = path, .create = false, .keys = KeyLedger::Keys(number)});
  if (!store.ok()) {
    std::snprintf(ledger.complaint, sizeof(ledger.complaint), "%s",
                  store.status().ToString().c_str());
    ledger.complained = true;
    return 1;
  }
  Changer changer(**store, ledger);
  std::thread counting([&] { changer.CountForEver(); });
  ledger.ready = true;
  changer.ChangeForEver();
  counting.join();
  return 0;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return statecpp::Main(argv[1], *statecpp::KeyLedger::Map(argv[2]));
}
