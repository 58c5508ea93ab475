// SPDX-License-Identifier: Apache-2.0
#include "tests/power/notes.h"

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

using Change = Notes::Write::Change;
using Found = std::map<std::string, std::optional<Item>>;

// The writes that a key may show: the last one that was acknowledged, if any,
// and those begun after it.
struct Candidates {
  const Change* settled = nullptr;
  std::vector<const Change*> open;
};

std::string Shown(const std::optional<std::string>& value) {
  return value.has_value() ? absl::StrCat("\"", value->substr(0, 40), "\"")
                           : "nothing";
}

class Comparison {
 public:
  Comparison(const Notes& notes, size_t events)
      : notes_(notes), events_(events), now_(notes.Now(events)) {
    for (const Notes::Write& write : notes.writes) {
      if (write.begun >= events) continue;
      for (const Change& item : write.items) {
        Candidates& of_key = candidates_[item.key];
        if (write.acknowledged < events) {
          of_key = {.settled = &item, .open = {}};
        } else {
          of_key.open.push_back(&item);
        }
      }
    }
  }

  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, unused] : candidates_) keys.push_back(key);
    return keys;
  }

  std::vector<Violation> Run(const Found& found) {
    for (const auto& [key, of_key] : candidates_) {
      CheckKey(key, of_key, found.at(key));
    }
    for (const Notes::Write& write : notes_.writes) {
      if (write.begun < events_ && write.acknowledged >= events_ &&
          write.items.size() > 1) {
        CheckWhole(write, found);
      }
    }
    return std::move(violations_);
  }

 private:
  std::optional<std::string> ValueOf(const Change* item) const {
    if (item == nullptr || item->expires <= now_) return std::nullopt;
    return item->value;
  }

  bool Shows(const Change* item, const std::optional<Item>& found) {
    const std::optional<std::string> value = ValueOf(item);
    if (value.has_value() != found.has_value()) return false;
    return !value.has_value() || *value == found->value;
  }

  void CheckKey(const std::string& key, const Candidates& of_key,
                const std::optional<Item>& found) {
    if (Shows(of_key.settled, found)) {
      return CheckETag(key, of_key.settled, found);
    }
    for (const Change* item : of_key.open) {
      if (Shows(item, found)) return CheckETag(key, item, found);
    }
    const std::optional<std::string> value =
        found.has_value() ? std::optional<std::string>(found->value)
                          : std::nullopt;
    violations_.push_back(
        {WasWritten(key, value) ? Wrong::kLost : Wrong::kFalse,
         absl::StrCat(key, " holds ", Shown(value), ", and acknowledged was ",
                      Shown(ValueOf(of_key.settled)))});
  }

  // Ever, or is nothing at all.
  bool WasWritten(const std::string& key,
                  const std::optional<std::string>& value) const {
    if (!value.has_value()) return true;
    for (const Notes::Write& write : notes_.writes) {
      for (const Change& item : write.items) {
        if (item.key == key && item.value == value) return true;
      }
    }
    return false;
  }

  // An ETag that was answered after the cut is known as well.
  void CheckETag(const std::string& key, const Change* item,
                 const std::optional<Item>& found) {
    if (!found.has_value() || item == nullptr || !item->etag.has_value() ||
        *item->etag == found->etag.version()) {
      return;
    }
    violations_.push_back(
        {Wrong::kFalse,
         absl::StrCat(key, " has the ETag ", found->etag.ToString(),
                      ", answered was ", ETag(*item->etag).ToString())});
  }

  void CheckWhole(const Notes::Write& write, const Found& found) {
    bool some_new = false;
    bool some_old = false;
    for (const Change& item : write.items) {
      const Candidates& of_key = candidates_.at(item.key);
      const bool shows_new = Shows(&item, found.at(item.key));
      const bool shows_old = Shows(of_key.settled, found.at(item.key));
      some_new |= shows_new && !shows_old;
      some_old |= shows_old && !shows_new;
    }
    if (some_new && some_old) {
      violations_.push_back(
          {Wrong::kTorn, absl::StrCat("a transaction of ", write.items.size(),
                                      " keys is there in part, that of ",
                                      write.items.front().key)});
    }
  }

  const Notes& notes_;
  const size_t events_;
  const absl::Time now_;
  std::map<std::string, Candidates> candidates_;
  std::vector<Violation> violations_;
};

}  // namespace

absl::Time Notes::Now(size_t events) const {
  absl::Time now = absl::UnixEpoch();
  for (const auto& [at, time] : times) {
    if (at < events) now = time;
  }
  return now;
}

int Notes::Keys(size_t events) const {
  int last = 0;
  for (const auto& [at, which] : keys) {
    if (at < events) last = which;
  }
  return last;
}

uint64_t Notes::Acknowledged(size_t events) const {
  uint64_t count = 0;
  for (const Write& write : writes) count += write.acknowledged < events;
  return count;
}

std::vector<Violation> FindViolations(const Notes& notes, size_t events,
                                      const Store& store) {
  Comparison comparison(notes, events);
  const std::vector<std::string> keys = comparison.Keys();
  const std::vector<absl::string_view> views(keys.begin(), keys.end());
  const absl::StatusOr<std::vector<Store::ReadResult>> results =
      store.BulkGet(views);
  if (!results.ok()) {
    return {{Wrong::kLost, absl::StrCat("no read is possible: ",
                                        results.status().ToString())}};
  }
  Found found;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!(*results)[i].ok()) {
      return {{Wrong::kLost, absl::StrCat(keys[i], " cannot be read: ",
                                          (*results)[i].status().ToString())}};
    }
    found[keys[i]] = *(*results)[i];
  }
  std::vector<Violation> violations = comparison.Run(found);
  if (const absl::Status whole = store.CheckIntegrity(); !whole.ok()) {
    violations.push_back(
        {Wrong::kFalse,
         absl::StrCat("the records are not whole: ", whole.ToString())});
  }
  return violations;
}

}  // namespace statecpp
