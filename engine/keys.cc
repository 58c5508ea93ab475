// SPDX-License-Identifier: Apache-2.0
#include "engine/keys.h"

#include <algorithm>
#include <limits>

#include "engine/coding.h"

namespace statecpp {
namespace {

constexpr int kMaxAncestors = 6;
constexpr absl::string_view kSeparator = "||";
constexpr char kAncestorMark = 0x01;
constexpr char kLeafMark = 0x00;

constexpr int64_t kDueUnitSeconds = 64;
// Of times to live that fill 32 bits and a sign.
constexpr int64_t kLargestStepSeconds = int64_t{1} << 27;
constexpr size_t kDueSize = sizeof(uint32_t);

template <typename Bytes>
void Append(std::string& key, const Bytes& hash) {
  key.append(reinterpret_cast<const char*>(hash.data()), hash.size());
}

// The entry of a record that expires then, if it is due at whole steps.
std::string ExpiryKeyInSteps(int64_t step, absl::Time expires,
                             absl::string_view record_key) {
  // The ceiling, at least one millisecond past the moment of expiry.
  const int64_t due = (absl::ToUnixSeconds(expires) / step + 1) * step;
  const int64_t units = std::clamp<int64_t>(
      due / kDueUnitSeconds, 0, std::numeric_limits<uint32_t>::max());
  std::string key;
  AppendBigEndian32(key, static_cast<uint32_t>(units));
  key.append(record_key.data(), record_key.size());
  return key;
}

// How much of `text` the first prefixes that end in a separator cover.
struct Split {
  int ancestors = 0;
  size_t end = 0;
};

// Puts the ancestors of all that begins with `text` behind `key`. They are the
// same whatever follows: a separator is found from the left, so nothing behind
// it moves it.
Split AppendAncestors(const PathHash& paths, absl::string_view text,
                      std::string& key) {
  Split split;
  while (split.ancestors < kMaxAncestors) {
    const size_t separator = text.find(kSeparator, split.end);
    if (separator == absl::string_view::npos) break;
    split.end = separator + kSeparator.size();
    ++split.ancestors;
    key.push_back(kAncestorMark);
    Append(key, paths.OfAncestor(text.substr(0, split.end)));
  }
  return split;
}

}  // namespace

std::string RecordKey(const PathHash& paths, absl::string_view user_key) {
  std::string key;
  key.reserve(kMaxAncestors * (1 + PathHash::kAncestorSize) + 1 +
              PathHash::kLeafSize);
  AppendAncestors(paths, user_key, key);
  key.push_back(kLeafMark);
  Append(key, paths.OfLeaf(user_key));
  return key;
}

std::string RangeBelow(const PathHash& paths, absl::string_view head) {
  std::string range;
  AppendAncestors(paths, head, range);
  return range;
}

std::string RangeOfChildren(const PathHash& paths, absl::string_view prefix) {
  std::string range;
  const Split split = AppendAncestors(paths, prefix, range);
  // A prefix that ends in an odd number of bars is split before the last one:
  // "a|||" has the children "a|||b" below "a||" and "a||||b" below "a||||".
  const bool is_a_node = split.end == prefix.size();
  if (is_a_node || split.ancestors == kMaxAncestors) range.push_back(kLeafMark);
  return range;
}

std::string ExpiryKey(absl::Time now, absl::Time expires,
                      absl::string_view record_key) {
  const int64_t ttl = absl::ToInt64Seconds(expires - now);
  int64_t step = kDueUnitSeconds;
  while (step * 16 < ttl) step *= 2;
  return ExpiryKeyInSteps(step, expires, record_key);
}

bool AnyExpiryKey(absl::Time expires, absl::string_view record_key,
                  absl::FunctionRef<bool(absl::string_view entry)> visit) {
  for (int64_t step = kDueUnitSeconds; step <= kLargestStepSeconds; step *= 2) {
    if (visit(ExpiryKeyInSteps(step, expires, record_key))) return true;
  }
  return false;
}

std::optional<ExpiryEntry> ParseExpiryKey(absl::string_view key) {
  if (key.size() <= kDueSize) return std::nullopt;
  const int64_t units = LoadBigEndian32(key.data());
  return ExpiryEntry{absl::FromUnixSeconds(units * kDueUnitSeconds),
                     key.substr(kDueSize)};
}

}  // namespace statecpp
