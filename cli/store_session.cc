// SPDX-License-Identifier: Apache-2.0
#include "cli/store_session.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iostream>

#include "cli/exit_code.h"
#include "cli/store_faults.h"
#include "server/admin_client.h"
#include "server/store_admin.h"

namespace statecpp {
namespace {

// What the component says, if it is known, but as large as the store is, at
// least.
uint64_t MaxSizeOf(const StoreTarget& target) {
  struct stat info;
  const uint64_t wanted = target.component.has_value()
                              ? target.component->config.max_size
                              : Options().max_size;
  if (stat((target.folder + "/data.mdb").c_str(), &info) != 0) return wanted;
  return std::max(wanted, static_cast<uint64_t>(info.st_size));
}

absl::StatusOr<std::unique_ptr<Store>> OpenHere(const StoreTarget& target,
                                                const KeySource* source) {
  Options options = {.path = target.folder,
                     .create = false,
                     .max_size = MaxSizeOf(target),
                     .cleanup_interval = absl::ZeroDuration(),
                     .on_assertion = EndVerbOnAssertion};
  if (source != nullptr) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = source->Load();
    if (!keys.ok()) return keys.status();
    options.keys = *std::move(keys);
  }
  EndOnMemoryFaults();
  return Store::Open(std::move(options));
}

}  // namespace

absl::StatusOr<StoreSession> StoreSession::Begin(
    const StoreTarget& target, std::shared_ptr<const KeySource> source) {
  if (target.served) return StoreSession(target, std::move(source), nullptr);
  absl::StatusOr<std::unique_ptr<Store>> store = OpenHere(target, source.get());
  if (!store.ok()) return store.status();
  return StoreSession(target, std::move(source), *std::move(store));
}

absl::Status StoreSession::Ask(const AdminRequest::Verb& verb,
                               AdminListener& listener) {
  if (store_ == nullptr) {
    return AskServer(target_.data_root,
                     {.data_dir = target_.data_dir, .verb = verb}, listener);
  }
  return AnswerAboutStore(
      verb, *store_, [this] { return LoadKeys(); }, listener);
}

absl::StatusOr<MasterKeys> StoreSession::LoadKeys() const {
  MasterKeys keys;
  if (source_ == nullptr) return keys;
  const absl::StatusOr<std::shared_ptr<const MasterKeys>> loaded =
      source_->Load();
  if (!loaded.ok()) return loaded.status();
  for (const MasterKey& key : **loaded)
    keys.push_back(Renamed(key, key.name()));
  return keys;
}

}  // namespace statecpp
