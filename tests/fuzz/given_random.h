// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FUZZ_GIVEN_RANDOM_H_
#define STATECPP_TESTS_FUZZ_GIVEN_RANDOM_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/random.h"

namespace statecpp {

// Hands out given bytes, and then zeros: with the nonce that stands in what was
// sealed, sealing the same again gives the same bytes.
class GivenRandom final : public Random {
 public:
  explicit GivenRandom(absl::string_view bytes) : bytes_(bytes) {}

  void Fill(absl::Span<uint8_t> out) override {
    for (uint8_t& byte : out) {
      byte = next_ < bytes_.size() ? static_cast<uint8_t>(bytes_[next_]) : 0;
      ++next_;
    }
  }

 private:
  const std::string bytes_;
  size_t next_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_FUZZ_GIVEN_RANDOM_H_
