// SPDX-License-Identifier: Apache-2.0
#include "cli/store_flags.h"

#include <memory>
#include <utility>

#include "crypto/key_source.h"

namespace statecpp {

void AddStoreFlags(CLI::App* verb, StoreFlags& flags) {
  AddStoreTargetFlags(verb, flags.target);
  AddKeyFlags(verb, flags.keys);
}

absl::StatusOr<StoreSession> BeginSession(const StoreFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return target.status();
  std::shared_ptr<const KeySource> source;
  if (!target->served) {
    absl::StatusOr<std::shared_ptr<const KeySource>> chosen =
        ChooseKeySource(flags.keys);
    if (!chosen.ok()) return chosen.status();
    source = *std::move(chosen);
  }
  return StoreSession::Begin(*target, std::move(source));
}

}  // namespace statecpp
