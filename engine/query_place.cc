// SPDX-License-Identifier: Apache-2.0
#include "engine/query_place.h"

#include <algorithm>
#include <cstdint>

#include "engine/coding.h"

namespace statecpp {

void QueryPlace::Set(absl::Span<const JsonScalar> new_values,
                     absl::string_view key, absl::string_view new_record_key) {
  values.resize(new_values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const JsonScalar& value = new_values[i];
    values[i].kind = value.kind;
    values[i].number = value.number;
    values[i].text.clear();
    if (value.kind == JsonScalar::Kind::kText) {
      values[i].text.assign(value.text, 0, kTextSize);
    }
  }
  key_head.assign(key.data(), std::min(key.size(), kKeySize));
  record_key.assign(new_record_key.data(), new_record_key.size());
}

void QueryPlace::AppendTo(std::string& bytes) const {
  for (const JsonScalar& value : values) AppendScalar(bytes, value);
  AppendFixed(bytes, static_cast<uint16_t>(key_head.size()));
  bytes.append(key_head);
  bytes.append(record_key);
}

bool QueryPlace::Parse(absl::string_view bytes, size_t sort_keys) {
  values.resize(sort_keys);
  for (JsonScalar& value : values) {
    if (!ConsumeScalar(bytes, value)) return false;
  }
  if (bytes.size() < sizeof(uint16_t)) return false;
  const size_t key_size = LoadFixed<uint16_t>(bytes.data());
  bytes.remove_prefix(sizeof(uint16_t));
  if (bytes.size() < key_size) return false;
  key_head = std::string(bytes.substr(0, key_size));
  record_key = std::string(bytes.substr(key_size));
  return true;
}

bool IsBefore(const std::vector<SortKey>& sort, const QueryPlace& a,
              const QueryPlace& b) {
  for (size_t i = 0; i < sort.size(); ++i) {
    const int order = Compare(a.values[i], b.values[i]);
    if (order != 0) return sort[i].descending ? order > 0 : order < 0;
  }
  if (const int order = a.key_head.compare(b.key_head)) return order < 0;
  return a.record_key < b.record_key;
}

}  // namespace statecpp
