// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_KEYS_H_
#define STATECPP_ENGINE_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/path_hash.h"

namespace statecpp {

// Where records and expiry entries stand in LMDB. Final: this is on disk.
//
//   record_key := { 0x01 ancestor[8] }* 0x00 leaf[16]
//       one ancestor for each of the first six prefixes of the user's key that
//       end in "||" (split leftmost first, without overlap), shortest first;
//       both hashes are those of PathHash
//   expiry_key := due(u32, big endian) record_key
//       due: when the sweeper may look, in units of 64 s since 1970
//
// Keys of any length thus become 17 to 71 bytes. 0x00 sorts before 0x01, so the
// direct children of a prefix are one range, and so is all below it. No
// record_key is a prefix of another, so one says where it ends.

// The record key of a user's key.
std::string RecordKey(const PathHash& paths, absl::string_view user_key);

// Ranges of record keys, each named by the bytes that its record keys begin
// with. A range has every record that was asked for and may have others:
// prefixes deeper than six, and some that do not end where a key is split,
// share one with their neighbours, and ancestors may collide. The key inside
// the record decides.

// Of all keys that begin with `head`, whatever it ends in.
std::string RangeBelow(const PathHash& paths, absl::string_view head);

// Of the direct children of `prefix`, which ends in "||": keys that begin with
// it and have no "||" behind it.
std::string RangeOfChildren(const PathHash& paths, absl::string_view prefix);

// The expiry entry of a record that was written at `now` and expires at
// `expires`. It is due at the first multiple, behind that moment, of the
// smallest power of two seconds that is at least 64 s and a sixteenth of the
// time to live; so a key refreshed for ever leaves some 17 entries behind and
// not one per write.
std::string ExpiryKey(absl::Time now, absl::Time expires,
                      absl::string_view record_key);

// Calls `visit` with each entry that a record which expires then may have,
// whenever it was written, until that returns true; returns whether it did.
bool AnyExpiryKey(absl::Time expires, absl::string_view record_key,
                  absl::FunctionRef<bool(absl::string_view entry)> visit);

struct ExpiryEntry {
  absl::Time due;
  absl::string_view record_key;  // points into the key that was parsed
};

// nullopt when `key` is no expiry_key.
std::optional<ExpiryEntry> ParseExpiryKey(absl::string_view key);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_KEYS_H_
