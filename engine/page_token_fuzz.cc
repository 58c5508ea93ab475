// SPDX-License-Identifier: Apache-2.0
//
// A token opens only if it was sealed, and only for what it was sealed for.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/page_token.h"
#include "engine/query_place.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/given_random.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

constexpr absl::string_view kDomain("fuzz\0", 5);

void OpenForeign(const Keyring& keyring, absl::string_view token) {
  const std::optional<std::string> place =
      OpenPageToken(keyring, kDomain, "asked", token);
  if (!place.has_value()) return;
  std::string bytes;
  Expect(absl::WebSafeBase64Unescape(token, &bytes), "a token is base64");
  GivenRandom nonce(bytes);
  Expect(SealPageToken(keyring, nonce, kDomain, "asked", *place) == token,
         "a token that opens was sealed");
}

void SealAndChange(const Keyring& keyring, FuzzInput input) {
  const size_t at = input.Byte();
  const uint8_t change = input.Byte();
  const std::string asked(input.Sized());
  const absl::string_view place = input.Rest();
  GivenRandom nonce("of some token");
  std::string token = SealPageToken(keyring, nonce, kDomain, asked, place);
  Expect(OpenPageToken(keyring, kDomain, asked, token) == place,
         "a token leads to its place");
  Expect(!OpenPageToken(keyring, kDomain, absl::StrCat(asked, "x"), token),
         "a token leads on in nothing else");
  token[at % token.size()] ^= static_cast<char>(change == 0 ? 1 : change);
  Expect(!OpenPageToken(keyring, kDomain, asked, token),
         "a changed token does not open");
}

// What stands in the token of a query. Only this program writes it; an older
// one may have.
void ParsePlace(FuzzInput input) {
  const size_t sort_keys = input.Below(Query::kMaxSortKeys + 1);
  QueryPlace place;
  if (!place.Parse(input.Rest(), sort_keys)) return;
  Expect(place.values.size() == sort_keys, "a place has a value for each key");
  std::string bytes;
  place.AppendTo(bytes);
  QueryPlace again;
  Expect(again.Parse(bytes, sort_keys), "a place reads back");
  const std::vector<SortKey> sort(sort_keys);
  Expect(!IsBefore(sort, place, again) && !IsBefore(sort, again, place),
         "a place that reads back is the same place");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  static const auto* const keyring =
      new std::shared_ptr<const Keyring>(VectorKeyring());
  switch (input.Below(3)) {
    case 0:
      OpenForeign(**keyring, input.Rest());
      break;
    case 1:
      SealAndChange(**keyring, input);
      break;
    case 2:
      ParsePlace(input);
      break;
  }
}

}  // namespace statecpp
