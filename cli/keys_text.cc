// SPDX-License-Identifier: Apache-2.0
#include "cli/keys_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

constexpr const char* kRetire = "no records: statecpp keys retire";

absl::string_view KindOf(const KeysStatus::Slot& slot) {
  return slot.passphrase ? "passphrase" : "key";
}

std::string SlotLines(const KeysStatus& status) {
  size_t width = 0;
  for (const KeysStatus::Slot& slot : status.slots) {
    width = std::max(width, slot.name.size());
  }
  std::string lines = "key slots, each of which opens the store:\n";
  for (const KeysStatus::Slot& slot : status.slots) {
    absl::StrAppendFormat(&lines, "  %-*s  %s  %s\n", static_cast<int>(width),
                          slot.name, slot.fingerprint, KindOf(slot));
  }
  return lines;
}

std::string DataKeyLines(const KeysStatus& status) {
  std::string lines = "data keys, which seal the records:\n";
  for (const KeysStatus::DataKey& key : status.data_keys) {
    const std::string records = !status.counted   ? ""
                                : key.records > 0 ? Records(key.records)
                                : key.active      ? "no records"
                                                  : kRetire;
    absl::StrAppendFormat(&lines, "  %-4d  %s%s\n", key.id,
                          key.active ? "active  " : "        ", records);
  }
  return lines;
}

std::string RotationLine(const KeysStatus& status, bool served) {
  const Resealer::State& state = status.resealer;
  if (!status.counted) {
    return served ? "rotation: not known; no key that the server has opens the "
                    "store\n"
                  : "rotation: not known; name the store's key to have its "
                    "records counted\n";
  }
  if (state.left == 0) return "rotation: none under way\n";
  std::string line =
      absl::StrCat("rotation: ", Records(state.left), " of ", status.records,
                   " not yet under the active data key");
  if (state.running) {
    absl::StrAppend(&line, "; being re-sealed, ", state.done, " so far");
  } else if (!served) {
    absl::StrAppend(&line, "; re-sealed when the store is next open");
  }
  line += "\n";
  if (state.damaged > 0) {
    absl::StrAppend(&line, "damaged: ", Records(state.damaged),
                    " could not be re-sealed and keep their data key in use "
                    "until they are overwritten or deleted; find them with: "
                    "statecpp verify\n");
  }
  if (!state.error.ok()) {
    absl::StrAppend(&line, "re-sealing stopped: ", state.error.message(),
                    "; it is tried again by itself\n");
  }
  return line;
}

std::string RotationJson(const KeysStatus& status) {
  const Resealer::State& state = status.resealer;
  return absl::StrCat(
      R"({"left":)", state.left, R"(,"running":)",
      state.running ? "true" : "false", R"(,"done":)", state.done,
      R"(,"damaged":)", state.damaged, R"(,"error":)",
      state.error.ok() ? "null" : JsonText(state.error.message()), "}");
}

}  // namespace

std::string Records(uint64_t count) {
  return absl::StrCat(count, count == 1 ? " record" : " records");
}

std::string KeysText(absl::string_view store, const KeysStatus& status,
                     bool served) {
  std::string text = absl::StrCat(
      "store ", store, " (", status.store_id,
      "): ", status.sealed ? "sealed" : "plain, its records in clear");
  if (status.counted) absl::StrAppend(&text, ", ", Records(status.records));
  absl::StrAppend(&text, served ? ", served" : "", "\n");
  if (!status.sealed) {
    return text + "it has no keys; seal it with: statecpp encrypt\n";
  }
  absl::StrAppend(&text, SlotLines(status), DataKeyLines(status),
                  RotationLine(status, served));
  // Whoever removed a key has to know.
  absl::StrAppend(&text,
                  "Keys that were removed or retired may still stand, wrapped "
                  "as they were, in free pages of the file, until: statecpp "
                  "compact\n");
  return text;
}

std::string KeysJson(absl::string_view store, const KeysStatus& status) {
  const auto count = [&status](uint64_t records) {
    return status.counted ? absl::StrCat(records) : std::string("null");
  };
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  const std::string slots = absl::StrJoin(
      status.slots, ",", [](std::string* out, const KeysStatus::Slot& slot) {
        absl::StrAppend(out, R"({"name":)", JsonText(slot.name), R"(,"kind":")",
                        KindOf(slot), R"(","fingerprint":")", slot.fingerprint,
                        R"("})");
      });
  const std::string data_keys =
      absl::StrJoin(status.data_keys, ",",
                    [&](std::string* out, const KeysStatus::DataKey& key) {
                      absl::StrAppend(out, R"({"id":)", key.id, R"(,"active":)",
                                      flag(key.active), R"(,"records":)",
                                      count(key.records), "}");
                    });
  return absl::StrCat(R"({"store":)", JsonText(store), R"(,"storeId":")",
                      status.store_id, R"(","sealed":)", flag(status.sealed),
                      R"(,"records":)", count(status.records), R"(,"slots":[)",
                      slots, R"(],"dataKeys":[)", data_keys, R"(],"rotation":)",
                      status.counted ? RotationJson(status) : "null", "}\n");
}

}  // namespace statecpp
