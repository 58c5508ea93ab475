// SPDX-License-Identifier: Apache-2.0
#include "cli/store_flags.h"

#include <memory>
#include <utility>

#include "cli/store_key.h"
#include "crypto/key_source.h"

namespace statecpp {

void AddStoreFlags(CLI::App* verb, StoreFlags& flags) {
  AddStoreTargetFlags(verb, flags.target);
  AddKeyFlags(verb, flags.keys);
}

absl::StatusOr<StoreSession> BeginSession(const StoreFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.target);
  if (!target.ok()) return target.status();
  return BeginSession(*target, flags.keys);
}

absl::StatusOr<StoreSession> BeginSession(const StoreTarget& target,
                                          const KeyFlags& keys) {
  if (target.served) return StoreSession::Begin(target, nullptr);
  absl::StatusOr<std::shared_ptr<const KeySource>> source =
      ChooseStoreKey(target, keys);
  if (!source.ok()) return source.status();
  return StoreSession::Begin(target, *std::move(source));
}

}  // namespace statecpp
