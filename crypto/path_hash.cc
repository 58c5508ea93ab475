// SPDX-License-Identifier: Apache-2.0
#include "crypto/path_hash.h"

#include <algorithm>

#include "crypto/keyed_hash.h"

namespace statecpp {

PathHash::Ancestor PathHash::OfAncestor(absl::string_view prefix) const {
  static constexpr absl::string_view kDomain("anc\0", 4);
  // BLAKE2b has no 8-byte variant in every library; its 16-byte output is cut.
  std::array<uint8_t, 16> full;
  KeyedHash hash(key_, full.size());
  hash.Update(kDomain);
  hash.Update(prefix);
  hash.Finish(full.data());
  Ancestor ancestor;
  std::copy_n(full.begin(), ancestor.size(), ancestor.begin());
  return ancestor;
}

PathHash::Leaf PathHash::OfLeaf(absl::string_view key) const {
  static constexpr absl::string_view kDomain("leaf\0", 5);
  Leaf leaf;
  KeyedHash hash(key_, leaf.size());
  hash.Update(kDomain);
  hash.Update(key);
  hash.Finish(leaf.data());
  return leaf;
}

}  // namespace statecpp
