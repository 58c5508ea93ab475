// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_ETAG_H_
#define STATECPP_ENGINE_ETAG_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// A version of one item, opaque to everyone but the store that issued it.
//
//   t=0  Set(a, "1") returns e1
//   t=1  Set(a, "1") returns e2: another version, though the bytes are equal
//   t=2  Delete(a)
//   t=3  Set(a, "1") returns e3
//   t=4  Set(a, "2") if e1: a mismatch, now and for ever
//
// Each write draws 64 random bits, so no ETag comes back (but with probability
// 2^-64), whatever was deleted, created again, restored from a backup or copied
// to another machine. ETags have no order.
class ETag {
 public:
  explicit ETag(uint64_t version) : version_(version) {}

  // Sixteen lower-case hex digits; nullopt for any other text.
  static std::optional<ETag> Parse(absl::string_view text);

  // The text that Parse takes back.
  std::string ToString() const;

  uint64_t version() const { return version_; }

  bool operator==(const ETag&) const = default;

 private:
  uint64_t version_;
};

inline std::ostream& operator<<(std::ostream& out, const ETag& etag) {
  return out << etag.ToString();
}

}  // namespace statecpp

#endif  // STATECPP_ENGINE_ETAG_H_
