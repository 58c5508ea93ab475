// SPDX-License-Identifier: Apache-2.0
#include "bench/key_chooser.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

// The sum of the weights of the first `keys` ranks.
double Zeta(int64_t keys) {
  double sum = 0;
  for (int64_t rank = 1; rank <= keys; ++rank) {
    sum += std::pow(static_cast<double>(rank), -ZipfianChooser::kTheta);
  }
  return sum;
}

}  // namespace

std::string BenchKey(int64_t number) {
  return absl::StrCat("bench||key-", absl::Dec(number, absl::kZeroPad12));
}

ZipfianChooser::ZipfianChooser(int64_t keys)
    : keys_(static_cast<double>(keys)),
      zeta_(Zeta(keys)),
      zeta_of_two_(Zeta(2)),
      alpha_(1 / (1 - kTheta)),
      eta_((1 - std::pow(2 / keys_, 1 - kTheta)) / (1 - zeta_of_two_ / zeta_)) {
}

int64_t ZipfianChooser::Next(BenchRandom& random) {
  const double share = share_(random);
  const double weight = share * zeta_;
  // The first two are exact; the rest is the paper's approximation.
  if (weight < 1) return 0;
  if (weight < zeta_of_two_) return 1;
  const double rank = keys_ * std::pow(eta_ * share - eta_ + 1, alpha_);
  return static_cast<int64_t>(std::min(rank, keys_ - 1));
}

}  // namespace statecpp
