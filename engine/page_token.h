// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_PAGE_TOKEN_H_
#define STATECPP_ENGINE_PAGE_TOKEN_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "crypto/keyring.h"
#include "crypto/random.h"

namespace statecpp {

// What leads from one page to the next: where the page ended, sealed, so that
// it tells nothing to whoever carries it and cannot be made up.
//
//   token := base64url(nonce[24] tag[16] sealed{ place })
//   ad    := domain store_id[16] asked
//
// `domain` says of what the page is and ends in a NUL; `asked` is what was
// asked for, for a token leads on in nothing else.
std::string SealPageToken(const Keyring& keyring, Random& random,
                          absl::string_view domain, absl::string_view asked,
                          absl::string_view place);

// The place; nullopt: no token that this store sealed for what is asked.
std::optional<std::string> OpenPageToken(const Keyring& keyring,
                                         absl::string_view domain,
                                         absl::string_view asked,
                                         absl::string_view token);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_PAGE_TOKEN_H_
