// SPDX-License-Identifier: Apache-2.0
#include "server/instances.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "api/component_metadata.h"
#include "api/errors.h"
#include "api/instance_name.h"
#include "crypto/secret.h"
#include "engine/error_payload.h"
#include "engine/store_keys.h"
#include "server/errors.h"
#include "server/log.h"

namespace statecpp {
namespace {

// Looking may take a command's time, or a passphrase's.
constexpr absl::Duration kLookForKeyEvery = absl::Seconds(1);
constexpr absl::Duration kTellOfUnknownEvery = absl::Seconds(1);

void LogChanges(absl::string_view name, const ComponentConfig& before,
                const ComponentConfig& after) {
  const std::vector<std::string> changes = DescribeChanges(before, after);
  if (changes.empty()) return;
  LogWarning("the component was configured anew; the last Init wins",
             {{"component", name}, {"changed", absl::StrJoin(changes, ", ")}});
}

// What tells one key from another, while this process lives, and says nothing
// of it.
std::string FingerprintOf(const SecretBytes& key) {
  static const Secret& process_key = *new Secret(Secret::Random());
  const Secret hash = process_key.Derive(key.RevealText());
  const absl::Span<const uint8_t> bytes = hash.RevealKeyBytes();
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), 8));
}

void LogWarnings(absl::string_view name, const ParsedComponent& parsed) {
  for (const std::string& warning : parsed.warnings) {
    LogWarning(warning, {{"component", name}});
  }
}

}  // namespace

Instances::Instances(const DataRoot& root, const ServerKeys& keys,
                     Options options)
    : root_(root), keys_(keys), options_(std::move(options)) {}

std::shared_ptr<const Instance> Instances::Find(absl::string_view id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = instances_.find(InstanceName(id));
  return found == instances_.end() ? nullptr : found->second;
}

absl::Status Instances::Init(absl::string_view id, InitProperties init) {
  const absl::string_view name = InstanceName(id);
  absl::MutexLock lock(&init_mutex_);
  const std::shared_ptr<const Instance> former = Find(name);
  const Properties properties = init.properties;
  absl::Status status = CheckRoom(name);
  const absl::StatusOr<std::shared_ptr<const Instance>> instance =
      status.ok() ? Prepare(name, std::move(init)) : status;
  status = instance.status();
  // First: what is served must be what comes back after a restart.
  if (status.ok()) status = Remember(name, properties);
  if (!status.ok()) {
    LogError("Init failed", {{"component", name}, {"error", status.message()}});
    return status;
  }
  Install(name, *instance);
  if (former != nullptr) {
    LogChanges(name, former->config, (*instance)->config);
  }
  LogInfo("instance configured",
          {{"component", name}, {"dataDir", (*instance)->config.data_dir}});
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Instance>> Instances::Recall(
    absl::string_view id) {
  const absl::string_view name = InstanceName(id);
  absl::MutexLock lock(&init_mutex_);
  if (std::shared_ptr<const Instance> found = Find(name); found != nullptr) {
    return found;  // someone else was faster
  }
  {
    absl::ReaderMutexLock down_lock(&mutex_);
    const auto down = down_.find(name);
    if (down != down_.end() && error::IsAboutKey(down->second.why) &&
        absl::Now() < down->second.look_again) {
      return down->second.why;
    }
  }
  return RecallLocked(name);
}

absl::StatusOr<std::shared_ptr<const Instance>> Instances::RecallLocked(
    absl::string_view name) {
  const absl::StatusOr<InstanceRecord> record = Remembered(name);
  if (!record.ok()) {
    // Unless there is a file of it, which cannot be read.
    if (absl::IsUnavailable(record.status()) || !FileNameOf(name).ok()) {
      NoteUnknown(name, record.status());
    } else {
      NoteDown(name, {}, record.status());
    }
    return record.status();
  }
  absl::Status status = CheckRoom(name);
  absl::StatusOr<std::shared_ptr<const Instance>> instance =
      status.ok() ? Reopen(name, *record) : status;
  if (!instance.ok()) {
    NoteDown(name, record->properties, instance.status());
    return instance;
  }
  Install(name, *instance);
  LogInfo("instance recalled",
          {{"component", name}, {"dataDir", (*instance)->config.data_dir}});
  return instance;
}

absl::StatusOr<InstanceRecord> Instances::Remembered(
    absl::string_view name) const {
  const absl::StatusOr<std::string> file_name = FileNameOf(name);
  if (!file_name.ok()) return file_name.status();
  const absl::StatusOr<std::optional<std::string>> text =
      root_.ReadInstance(*file_name);
  if (!text.ok()) return text.status();
  if (!text->has_value()) return error::InstanceUnknown(name);
  return InstanceRecordFromJson(name, **text);
}

absl::StatusOr<std::shared_ptr<const Instance>> Instances::Prepare(
    absl::string_view name, InitProperties init) {
  // What cannot be remembered is not begun.
  if (absl::Status fits = FileNameOf(name).status(); !fits.ok()) return fits;
  absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(name, init.properties);
  if (!parsed.ok()) return parsed.status();
  LogWarnings(name, *parsed);
  ComponentConfig& config = parsed->config;
  if (init.key.has_value()) config.own_key.text = FingerprintOf(*init.key);

  Opening opening = {.keys = nullptr, .wait = true, .create = true};
  if (config.encryption == Encryption::kRequired) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys =
        keys_.Load(name, config.own_key, std::move(init.key));
    if (!keys.ok()) return keys.status();
    opening.keys = *std::move(keys);
  }
  absl::StatusOr<std::shared_ptr<Store>> store = OpenStore(config, opening);
  if (!store.ok()) return store.status();
  return std::make_shared<const Instance>(
      Instance{std::move(config), *std::move(store), FiguresOf(name)});
}

absl::StatusOr<std::shared_ptr<const Instance>> Instances::Reopen(
    absl::string_view name, const InstanceRecord& record) {
  absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(name, record.properties);
  if (!parsed.ok()) return parsed.status();
  ComponentConfig& config = parsed->config;

  Opening opening = {.keys = nullptr, .wait = false, .create = true};
  const bool sealed = config.encryption == Encryption::kRequired;
  const bool forgotten = sealed && record.ForgotKey();
  if (sealed) {
    // Where the component's own key is forgotten, the server's may open the
    // store as well. It must not seal a new one: that key is not this store's.
    if (forgotten && !keys_.has_own()) return error::KeyForgotten(name);
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys =
        keys_.Load(name, config.own_key, std::nullopt);
    if (!keys.ok()) {
      return forgotten ? error::KeyForgotten(name) : keys.status();
    }
    opening.keys = *std::move(keys);
    opening.create = !forgotten;
  }
  absl::StatusOr<std::shared_ptr<Store>> store = OpenStore(config, opening);
  if (!store.ok()) {
    const bool other_key =
        error::IsAboutKey(store.status()) || absl::IsNotFound(store.status());
    return forgotten && other_key ? error::KeyForgotten(name) : store.status();
  }
  LogWarnings(name, *parsed);
  return std::make_shared<const Instance>(
      Instance{std::move(config), *std::move(store), FiguresOf(name)});
}

void Instances::LookForMissingKeys() {
  absl::MutexLock lock(&init_mutex_);
  const absl::StatusOr<std::vector<std::string>> files = root_.ListInstances();
  if (!files.ok()) return;  // whoever is called for an instance hears of it
  for (const std::string& file : *files) {
    const absl::StatusOr<std::optional<std::string>> text =
        root_.ReadInstance(file);
    if (!text.ok() || !text->has_value()) continue;
    const std::string name = InstanceOfRecord(**text);
    if (FileNameOf(name).value_or("") != file) continue;
    const absl::StatusOr<InstanceRecord> record =
        InstanceRecordFromJson(name, **text);
    if (!record.ok()) continue;
    const absl::StatusOr<ParsedComponent> parsed =
        ComponentConfigFromProperties(name, record->properties);
    if (!parsed.ok() || parsed->config.encryption == Encryption::kOff) continue;
    if (record->ForgotKey()) {
      (void)RecallLocked(name);  // which notes what is missing
      continue;
    }
    const OwnKey& own_key = parsed->config.own_key;
    if (own_key.place == OwnKey::Place::kNone && keys_.has_own()) continue;
    const absl::Status key = keys_.Load(name, own_key, std::nullopt).status();
    if (!key.ok()) NoteDown(name, record->properties, key);
  }
}

void Instances::NoteDown(absl::string_view name, const Properties& properties,
                         const absl::Status& why) {
  const absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(name, properties);
  const std::string data_dir = parsed.ok() ? parsed->config.data_dir : "";
  bool is_news = false;
  {
    absl::MutexLock lock(&mutex_);
    Missing& down = down_[std::string(name)];
    is_news = down.why != why;
    down = {.data_dir = data_dir,
            .why = why,
            .look_again = absl::Now() + kLookForKeyEvery};
  }
  if (!is_news) return;
  LogError(error::IsAboutKey(why) ? "an instance waits for its key"
                                  : "an instance is down",
           {{"component", name}, {"error", why.message()}});
}

void Instances::NoteUnknown(absl::string_view name, const absl::Status& why) {
  const absl::Time now = absl::Now();
  if (now < tell_of_unknown_) return;
  tell_of_unknown_ = now + kTellOfUnknownEvery;
  LogError("a call names an instance that is not here",
           {{"component", name}, {"error", why.message()}});
}

std::string Instances::WhyDown(absl::string_view data_dir) const {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, down] : down_) {
    if (down.data_dir == data_dir) return std::string(down.why.message());
  }
  return "";
}

std::vector<std::string> Instances::Down() const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<std::string> names;
  for (const auto& [name, down] : down_) {
    if (!instances_.contains(name)) names.push_back(name);
  }
  return names;
}

std::map<std::string, std::shared_ptr<const Instance>> Instances::All() const {
  absl::ReaderMutexLock lock(&mutex_);
  return {instances_.begin(), instances_.end()};
}

std::shared_ptr<InstanceFigures> Instances::FiguresOf(
    absl::string_view name) const {
  const std::shared_ptr<const Instance> former = Find(name);
  return former != nullptr ? former->figures
                           : std::make_shared<InstanceFigures>();
}

bool Instances::MissesKey() const {
  absl::ReaderMutexLock lock(&mutex_);
  return std::any_of(down_.begin(), down_.end(), [](const auto& down) {
    return error::IsAboutKey(down.second.why);
  });
}

absl::Status Instances::CheckRoom(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mutex_);
  if (instances_.contains(name) ||
      static_cast<int>(instances_.size()) < options_.max_instances) {
    return absl::OkStatus();
  }
  return error::TooManyInstances(name, options_.max_instances);
}

void Instances::Install(absl::string_view name,
                        std::shared_ptr<const Instance> instance) {
  absl::MutexLock lock(&mutex_);
  instance.swap(instances_[std::string(name)]);
  down_.erase(name);
}

absl::StatusOr<std::shared_ptr<Store>> Instances::OpenStore(
    const ComponentConfig& config, const Opening& opening) {
  const auto shared = shared_.find(config.data_dir);
  if (std::shared_ptr<Store> store =
          shared == shared_.end() ? nullptr : shared->second.store.lock();
      store != nullptr) {
    if (shared->second.encryption != config.encryption) {
      return error::EncryptionDiffers(config.data_dir);
    }
    if (absl::Status opens = store->keys().CheckKeys(opening.keys.get());
        !opens.ok()) {
      return opens;
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
      .create = opening.create,
      .keys = opening.keys,
      .max_size = config.max_size,
      .lock_timeout = opening.wait ? config.lock_timeout : absl::ZeroDuration(),
      .cleanup_interval = config.cleanup_interval,
      .allow_network_file_system = options_.allow_network_file_system,
      .on_warning =
          [data_dir](absl::string_view warning) {
            LogWarning(warning, {{"dataDir", data_dir}});
          },
      .on_failed = options_.on_failed,
      .on_assertion = options_.on_assertion,
  });
  if (!store.ok()) {
    const bool off = config.encryption == Encryption::kOff;
    return off && error::IsAboutKey(store.status())
               ? error::SealedButOff(config.data_dir)
               : store.status();
  }
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
  decltype(for_admin_) for_admin;
  {
    absl::MutexLock lock(&mutex_);
    instances.swap(instances_);
    for_admin.swap(for_admin_);
  }
}

}  // namespace statecpp
