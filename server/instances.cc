// SPDX-License-Identifier: Apache-2.0
#include "server/instances.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "api/component_metadata.h"
#include "api/errors.h"
#include "api/instance_name.h"
#include "api/instance_record.h"
#include "server/log.h"

namespace statecpp {
namespace {

void LogChanges(absl::string_view name, const ComponentConfig& before,
                const ComponentConfig& after) {
  const std::vector<std::string> changes = DescribeChanges(before, after);
  if (changes.empty()) return;
  LogWarning("the component was configured anew; the last Init wins",
             {{"instance", name}, {"changed", absl::StrJoin(changes, ", ")}});
}

}  // namespace

Instances::Instances(const DataRoot& root, Options options)
    : root_(root), options_(std::move(options)) {}

std::shared_ptr<const Instance> Instances::Find(absl::string_view id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = instances_.find(InstanceName(id));
  return found == instances_.end() ? nullptr : found->second;
}

absl::Status Instances::Init(absl::string_view id,
                             const Properties& properties) {
  const absl::string_view name = InstanceName(id);
  absl::MutexLock lock(&init_mutex_);
  const std::shared_ptr<const Instance> former = Find(name);
  const absl::StatusOr<std::shared_ptr<const Instance>> instance =
      Prepare(name, properties, /*wait=*/true);
  absl::Status status = instance.status();
  // First: what is served must be what comes back after a restart.
  if (status.ok()) status = Remember(name, properties);
  if (!status.ok()) {
    LogError("Init failed", {{"instance", name}, {"error", status.message()}});
    return status;
  }
  Install(name, *instance);
  if (former != nullptr) {
    LogChanges(name, former->config, (*instance)->config);
  }
  LogInfo("instance configured",
          {{"instance", name}, {"dataDir", (*instance)->config.data_dir}});
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Instance>> Instances::Recall(
    absl::string_view id) {
  const absl::string_view name = InstanceName(id);
  absl::MutexLock lock(&init_mutex_);
  if (std::shared_ptr<const Instance> found = Find(name); found != nullptr) {
    return found;  // someone else was faster
  }
  const absl::StatusOr<std::string> file_name = FileNameOf(name);
  if (!file_name.ok()) return file_name.status();
  const absl::StatusOr<std::optional<std::string>> text =
      root_.ReadInstance(*file_name);
  if (!text.ok()) return text.status();
  if (!text->has_value()) return error::InstanceUnknown(name);
  const absl::StatusOr<InstanceRecord> record =
      InstanceRecordFromJson(name, **text);
  if (!record.ok()) return record.status();
  absl::StatusOr<std::shared_ptr<const Instance>> instance =
      Prepare(name, record->properties, /*wait=*/false);
  if (!instance.ok()) return instance;
  Install(name, *instance);
  LogInfo("instance recalled",
          {{"instance", name}, {"dataDir", (*instance)->config.data_dir}});
  return instance;
}

absl::StatusOr<std::shared_ptr<const Instance>> Instances::Prepare(
    absl::string_view name, const Properties& properties, bool wait) {
  // What cannot be remembered is not begun.
  if (absl::Status fits = FileNameOf(name).status(); !fits.ok()) return fits;
  absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(name, properties);
  if (!parsed.ok()) return parsed.status();
  for (const std::string& warning : parsed->warnings) {
    LogWarning(warning, {{"instance", name}});
  }
  absl::StatusOr<std::shared_ptr<Store>> store =
      OpenStore(parsed->config, wait);
  if (!store.ok()) return store.status();
  return std::make_shared<const Instance>(
      Instance{std::move(parsed->config), *std::move(store)});
}

void Instances::Install(absl::string_view name,
                        std::shared_ptr<const Instance> instance) {
  absl::MutexLock lock(&mutex_);
  instance.swap(instances_[std::string(name)]);
}

absl::StatusOr<std::shared_ptr<Store>> Instances::OpenStore(
    const ComponentConfig& config, bool wait) {
  const auto shared = shared_.find(config.data_dir);
  if (std::shared_ptr<Store> store =
          shared == shared_.end() ? nullptr : shared->second.store.lock();
      store != nullptr) {
    if (shared->second.encryption != config.encryption) {
      return error::EncryptionDiffers(config.data_dir);
    }
    if (absl::Status grown = store->GrowTo(config.max_size); !grown.ok()) {
      return grown;
    }
    store->SetCleanupInterval(config.cleanup_interval);
    return store;
  }
  const absl::StatusOr<std::string> folder = FileNameOf(config.data_dir);
  if (!folder.ok()) return folder.status();
  const std::string data_dir = config.data_dir;
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open({
      .path = root_.StorePath(*folder),
      .max_size = config.max_size,
      .lock_timeout = wait ? config.lock_timeout : absl::ZeroDuration(),
      .cleanup_interval = config.cleanup_interval,
      .allow_network_file_system = options_.allow_network_file_system,
      .on_warning =
          [data_dir](absl::string_view warning) {
            LogWarning(warning, {{"dataDir", data_dir}});
          },
      .on_failed = options_.on_failed,
      .on_assertion = options_.on_assertion,
  });
  if (!store.ok()) return store.status();
  std::shared_ptr<Store> opened(store->release(),
                                [closer = closer_](Store* last) {
                                  closer->Run([last] { delete last; });
                                });
  shared_[config.data_dir] = {opened, config.encryption};
  return opened;
}

absl::Status Instances::Remember(absl::string_view name,
                                 const Properties& properties) {
  const absl::StatusOr<std::string> file_name = FileNameOf(name);
  if (!file_name.ok()) return file_name.status();
  return root_.WriteInstance(
      *file_name,
      InstanceRecordToJson(InstanceRecordFromProperties(name, properties)));
}

void Instances::Close() {
  absl::MutexLock init_lock(&init_mutex_);
  absl::flat_hash_map<std::string, std::shared_ptr<const Instance>> instances;
  {
    absl::MutexLock lock(&mutex_);
    instances.swap(instances_);
  }
}

}  // namespace statecpp
