// SPDX-License-Identifier: Apache-2.0
#include "crypto/multiset_hash.h"

#include <sodium.h>

namespace statecpp {

void MultisetHash::Add(const Term& term) {
  sodium_add(sum_.data(), term.data(), sum_.size());
}

void MultisetHash::Subtract(const Term& term) {
  sodium_sub(sum_.data(), term.data(), sum_.size());
}

}  // namespace statecpp
