// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/stored_facts.h"

#include <functional>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/keys_status.h"
#include "engine/store_keys.h"

namespace statecpp {
namespace {

constexpr char kRecords[] = "records";

// "" where there is no such fact.
std::string At(const Facts& facts, const std::string& name) {
  const auto found = facts.find(name);
  return found == facts.end() ? "" : found->second;
}

std::string ETagAt(const Facts& facts, absl::string_view item) {
  return At(facts, absl::StrCat("etag ", absl::StripPrefix(item, "item ")));
}

uint64_t RecordsIn(const Facts& facts) {
  uint64_t records = 0;
  return absl::SimpleAtoi(At(facts, kRecords), &records) ? records : 0;
}

std::string Differs(const std::string& name, const Facts& found,
                    absl::string_view expected) {
  return absl::StrCat(name, " is '", At(found, name), "' and not '", expected,
                      "'");
}

}  // namespace

void PutFacts(const Facts& facts, char (&text)[16384]) {
  std::string all;
  for (const auto& [name, value] : facts) {
    absl::StrAppend(&all, name, "\t", value, "\n");
  }
  if (all.size() >= sizeof(text)) std::abort();
  all.copy(text, all.size());
  text[all.size()] = '\0';
}

Facts TakeFacts(const char (&text)[16384]) {
  Facts facts;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> fact =
        absl::StrSplit(line, absl::MaxSplits('\t', 1));
    facts.insert(fact);
  }
  return facts;
}

Facts FactsOf(const Store& store) {
  Facts facts;
  for (const std::string& key : WrittenKeys()) {
    const absl::StatusOr<std::optional<Item>> item = store.Get(key);
    if (!item.ok()) {
      facts["item " + key] = item.status().ToString();
    } else if (item->has_value()) {
      facts["item " + key] = absl::StrCat(
          (*item)->value.size(), " bytes ",
          absl::Hex(std::hash<std::string>()((*item)->value)), " ",
          (*item)->content_type, " ",
          absl::FormatTime((*item)->expires.value_or(absl::InfiniteFuture())));
      facts["etag " + key] = (*item)->etag.ToString();
    }
  }
  const absl::StatusOr<Store::Stats> stats = store.GetStats();
  facts[kRecords] =
      stats.ok() ? absl::StrCat(stats->records) : stats.status().ToString();
  const absl::StatusOr<KeysStatus> keys = store.keys().GetStatus();
  if (!keys.ok()) {
    facts["store"] = keys.status().ToString();
    return facts;
  }
  facts["store"] = keys->sealed ? "sealed" : "plain";
  for (const KeysStatus::Slot& slot : keys->slots) {
    facts["slot " + slot.name] = "there";
  }
  for (const KeysStatus::DataKey& key : keys->data_keys) {
    facts[absl::StrCat("data key ", key.id)] = key.active ? "active" : "former";
  }
  return facts;
}

std::vector<std::string> Judgement::Touched() const {
  std::set<std::string> names;
  for (const Facts* facts : {&before, &after}) {
    for (const auto& [name, value] : *facts) {
      if (name != kRecords && !absl::StartsWith(name, "etag ") &&
          At(before, name) != At(after, name)) {
        names.insert(name);
      }
    }
  }
  return {names.begin(), names.end()};
}

bool Judgement::IsDone(const Facts& found) const {
  for (const std::string& name : Touched()) {
    if (At(found, name) != At(after, name)) return false;
  }
  return At(found, kRecords) == At(after, kRecords);
}

std::string Judgement::WrongWith(const RunRecord& record,
                                 const Facts& found) const {
  for (const std::string& wrong :
       {WrongUntouched(found), WrongTouched(record, found),
        WrongCount(record, found), WrongETags(record, found)}) {
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string Judgement::WrongUntouched(const Facts& found) const {
  std::set<std::string> names;
  for (const Facts* facts : {&before, &after, &found}) {
    for (const auto& [name, value] : *facts) names.insert(name);
  }
  for (const std::string& name : Touched()) {
    names.erase(name);
    names.erase("etag " + std::string(absl::StripPrefix(name, "item ")));
  }
  names.erase(kRecords);
  for (const std::string& name : names) {
    if (At(found, name) != At(before, name)) {
      return Differs(name, found, At(before, name));
    }
  }
  return "";
}

std::string Judgement::WrongTouched(const RunRecord& record,
                                    const Facts& found) const {
  std::map<std::string, Answer> answers;
  if (each) {
    for (int i = 0; i < record.write_count; ++i) {
      answers[absl::StrCat("item ", record.writes[i].key)] =
          record.writes[i].answer;
    }
  }
  // Of a whole: what the first one that tells says of all.
  std::string like_before;
  std::string like_after;
  for (const std::string& name : Touched()) {
    const std::string is = At(found, name);
    const bool is_before = is == At(before, name);
    if (!is_before && is != At(after, name)) {
      return absl::StrCat(Differs(name, found, At(before, name)), ", nor '",
                          At(after, name), "'");
    }
    (is_before ? like_before : like_after) = name;
    const auto own = answers.find(name);
    Answer answer = own == answers.end() ? record.answer.load() : own->second;
    // An error of many writes says nothing of one.
    if (each && own == answers.end() && answer == Answer::kNo) {
      answer = Answer::kMaybe;
    }
    if (answer == Answer::kYes && is_before) {
      return absl::StrCat("lost: ", Differs(name, found, At(after, name)));
    }
    if (answer == Answer::kNo && !is_before) {
      return absl::StrCat("false: ", Differs(name, found, At(before, name)));
    }
  }
  if (!each && !like_before.empty() && !like_after.empty()) {
    return absl::StrCat("torn: ", like_before, " is as before, and ",
                        like_after, " is not");
  }
  return "";
}

std::string Judgement::WrongCount(const RunRecord& record,
                                  const Facts& found) const {
  const uint64_t is = RecordsIn(found);
  const uint64_t was = RecordsIn(before);
  const uint64_t will = RecordsIn(after);
  bool fits = is == was || is == will;
  if (each) fits = std::min(was, will) <= is && is <= std::max(was, will);
  if (record.answer == Answer::kYes) fits = is == will;
  if (!each && record.answer == Answer::kNo) fits = is == was;
  if (fits) return "";
  return absl::StrCat("there are ", is, " records, of ", was, " before and ",
                      will, " after");
}

std::string Judgement::WrongETags(const RunRecord& record,
                                  const Facts& found) const {
  std::set<std::string> former;
  std::set<std::string> all;
  for (const auto& [name, etag] : before) {
    if (absl::StartsWith(name, "etag ")) former.insert(etag);
  }
  for (const std::string& name : Touched()) {
    const std::string etag = ETagAt(found, name);
    if (etag.empty()) continue;
    if (At(found, name) == At(before, name)) {
      if (etag != ETagAt(before, name)) {
        return absl::StrCat(name, " has another ETag for the same value");
      }
      continue;
    }
    if (former.count(etag) > 0) {
      return absl::StrCat("false: ", name, " has an ETag that was used");
    }
  }
  for (const auto& [name, etag] : found) {
    if (absl::StartsWith(name, "etag ") && !all.insert(etag).second) {
      return absl::StrCat("false: ", name, " has the ETag of another item");
    }
  }
  for (int i = 0; i < record.write_count; ++i) {
    const RunRecord::Write& write = record.writes[i];
    const ETag etag(write.etag);
    if (write.answer != Answer::kYes || etag == ETag(0)) continue;
    if (At(found, absl::StrCat("etag ", write.key)) != etag.ToString()) {
      return absl::StrCat("lost: ", write.key, " has not the ETag ",
                          etag.ToString(), " that was answered");
    }
  }
  return "";
}

}  // namespace statecpp
