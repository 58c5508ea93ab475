// SPDX-License-Identifier: Apache-2.0
//
// What Instances does for the admin socket.
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "engine/errors.h"
#include "engine/keys_status.h"
#include "server/errors.h"
#include "server/instances.h"

namespace statecpp {

std::shared_ptr<Store> Instances::OpenStoreOf(
    absl::string_view data_dir) const {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, instance] : instances_) {
    if (instance->config.data_dir == data_dir) return instance->store;
  }
  const auto found = for_admin_.find(data_dir);
  return found == for_admin_.end() ? nullptr : found->second;
}

std::set<std::string> Instances::OpenDataDirs() const {
  std::set<std::string> names;
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, instance] : instances_) {
    names.insert(instance->config.data_dir);
  }
  for (const auto& [name, store] : for_admin_) names.insert(name);
  return names;
}

std::map<std::string, OwnKey> Instances::UsersOf(
    absl::string_view data_dir) const {
  std::map<std::string, OwnKey> users;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (const auto& [name, instance] : instances_) {
      if (instance->config.data_dir == data_dir) {
        users.emplace(name, instance->config.own_key);
      }
    }
  }
  const absl::StatusOr<std::vector<std::string>> files = root_.ListInstances();
  if (!files.ok()) return users;  // whoever is called for one hears of it
  for (const std::string& file : *files) {
    const std::string name = NameOfFile(file);
    const absl::StatusOr<InstanceRecord> record = Remembered(name);
    if (!record.ok()) continue;
    const absl::StatusOr<ParsedComponent> parsed =
        ComponentConfigFromProperties(name, record->properties);
    if (parsed.ok() && parsed->config.data_dir == data_dir) {
      users.emplace(name, parsed->config.own_key);
    }
  }
  return users;
}

absl::StatusOr<Instances::ForAdmin> Instances::StoreForAdmin(
    absl::string_view data_dir) {
  const absl::StatusOr<std::string> folder = FileNameOf(data_dir);
  if (!folder.ok() || !IsDataDir(data_dir)) {
    return error::NoStoreOfName(data_dir);
  }
  ForAdmin found = {.store = nullptr,
                    .load_keys = [this, name = std::string(data_dir)] {
                      return LoadKeysOf(name);
                    }};
  absl::MutexLock lock(&init_mutex_);
  const auto shared = shared_.find(std::string(data_dir));
  if (shared != shared_.end()) found.store = shared->second.store.lock();
  if (found.store != nullptr) return found;

  // A recalled instance would make the store anew. One that is open is there,
  // whatever became of its folder.
  const std::string path = root_.StorePath(*folder);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return error::NoStoreOfName(data_dir);

  absl::Status failed = absl::OkStatus();
  for (const auto& [name, own_key] : UsersOf(data_dir)) {
    const absl::StatusOr<std::shared_ptr<const Instance>> instance =
        RecallLocked(name);
    if (instance.ok()) {
      found.store = (*instance)->store;
      return found;
    }
    if (failed.ok()) failed = instance.status();
  }
  absl::StatusOr<std::shared_ptr<Store>> store =
      OpenWithOwnKey(std::string(data_dir), path);
  if (!store.ok()) return failed.ok() ? store.status() : failed;
  found.store = *std::move(store);
  absl::MutexLock open_lock(&mutex_);
  for_admin_[std::string(data_dir)] = found.store;
  return found;
}

absl::StatusOr<KeysStatus> Instances::PeekKeysOf(absl::string_view data_dir) {
  const absl::StatusOr<std::string> folder = FileNameOf(data_dir);
  if (!folder.ok()) return folder.status();
  // Nobody else of this process may find the store held meanwhile.
  absl::MutexLock lock(&init_mutex_);
  return PeekKeys({.path = root_.StorePath(*folder)});
}

absl::StatusOr<std::shared_ptr<Store>> Instances::OpenWithOwnKey(
    const std::string& data_dir, const std::string& path) {
  const absl::StatusOr<KeysStatus> peeked = PeekKeys({.path = path});
  if (!peeked.ok()) return peeked.status();
  Opening opening = {.keys = nullptr, .wait = false, .create = false};
  ComponentConfig config = {.data_dir = data_dir,
                            .encryption = Encryption::kOff};
  // No component says how large it may be: as large as it is.
  struct stat info;
  if (stat((path + "/data.mdb").c_str(), &info) == 0) {
    config.max_size =
        std::max(config.max_size, static_cast<uint64_t>(info.st_size));
  }
  if (peeked->sealed) {
    config.encryption = Encryption::kRequired;
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys =
        keys_.Load(data_dir, OwnKey(), std::nullopt);
    if (!keys.ok()) return keys.status();
    opening.keys = *std::move(keys);
  }
  return OpenStore(config, opening);
}

absl::StatusOr<MasterKeys> Instances::LoadKeysOf(
    absl::string_view data_dir) const {
  MasterKeys all;
  absl::Status failed = absl::OkStatus();
  const auto add = [&](absl::string_view instance, const OwnKey& own_key) {
    const absl::StatusOr<std::shared_ptr<const MasterKeys>> keys =
        keys_.Load(instance, own_key, std::nullopt);
    if (!keys.ok()) {
      if (failed.ok()) failed = keys.status();
      return;
    }
    for (const MasterKey& key : **keys) {
      all.push_back(Renamed(key, key.name()));
    }
  };
  for (const auto& [name, own_key] : UsersOf(data_dir)) {
    if (own_key.place != OwnKey::Place::kNone) add(name, own_key);
  }
  if (keys_.has_own() || failed.ok()) add(data_dir, OwnKey());
  if (all.empty()) return failed;
  return all;
}

}  // namespace statecpp
