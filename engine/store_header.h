// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_STORE_HEADER_H_
#define STATECPP_ENGINE_STORE_HEADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/keyring.h"
#include "crypto/random.h"

namespace statecpp {

// The first value of a store: who it is and what it is sealed with. Little
// endian:
//
//   header := magic[8] = "statecpp" format(u16) = 1 min_reader(u16) = 1
//             mode(u8) 0[3] store_id[16] root_key[32] nonce[24] tag[16]
//   mode   := 0: plain. The root key stands here in clear; it makes the
//             same hashes and tags as a sealed store's and protects nothing.
//   tag    := keyed tag, under the root key's `header` subkey, of all before
//             the nonce; associated data "lse/1/header\0"
//
// A program that is older than `min_reader` refuses the store; another mode, or
// another size, comes with a larger one.

// The header of a new plain store, with a fresh identity and root key.
std::string NewPlainHeader(Random& random);

// The keys of the store whose header this is. `path` is for the error.
//
// DATA_LOSS: not a header, or a damaged one.
// UNIMPLEMENTED: of a format newer than this program.
absl::StatusOr<std::shared_ptr<const Keyring>> OpenHeader(
    absl::string_view header, absl::string_view path);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_STORE_HEADER_H_
