// SPDX-License-Identifier: Apache-2.0
#include "engine/content_sum.h"

#include <string>

#include "crypto/keyed_hash.h"
#include "engine/coding.h"

namespace statecpp {

// Lengths stand before what they are of, so no two contents look alike.
void ContentSum::Add(const RecordContent& content) {
  std::string fixed;
  AppendFixed(fixed, content.version);
  AppendFixed(fixed, content.expires_ms);
  AppendFixed(fixed, static_cast<uint64_t>(content.key.size()));
  AppendFixed(fixed, static_cast<uint64_t>(content.content_type.size()));
  MultisetHash::Term term;
  KeyedHash hash(*key_, term.size());
  hash.Update(fixed);
  hash.Update(content.key);
  hash.Update(content.content_type);
  hash.Update(content.value);
  hash.Finish(term.data());
  sum_.Add(term);
  ++records_;
  if (content.expires_ms != 0) ++expiring_;
}

}  // namespace statecpp
