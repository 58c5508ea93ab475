// SPDX-License-Identifier: Apache-2.0
#include "cli/store_key.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "api/component_config.h"
#include "server/server_keys.h"

namespace statecpp {
namespace {

absl::Status KeyIsValue(absl::string_view component) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the key of component ", component,
      " comes with daprd's Init (encryptionKey), and daprd is not asked here; "
      "give it by --key-file, or by --key-env or --key-command; nothing was "
      "opened"));
}

absl::Status NoKeyFolderHere(absl::string_view component,
                             absl::string_view file) {
  return absl::InvalidArgumentError(absl::StrCat(
      "component ", component, " names the key file \"", file,
      "\", which is in the server's --key-dir; give that --key-dir here, too, "
      "or the key itself by --key-file; nothing was opened"));
}

// The key of a component, found as the server finds it.
class ComponentKeySource final : public KeySource {
 public:
  ComponentKeySource(ServerKeys keys, std::string component, OwnKey own)
      : keys_(std::move(keys)),
        component_(std::move(component)),
        own_(std::move(own)) {}

  absl::StatusOr<std::shared_ptr<const MasterKeys>> Load() const override {
    return keys_.Load(component_, own_, std::nullopt);
  }
  std::string description() const override {
    return absl::StrCat("key file ", own_.text);
  }

 private:
  const ServerKeys keys_;
  const std::string component_;
  const OwnKey own_;
};

absl::StatusOr<std::shared_ptr<const KeySource>> OwnKeyOf(
    const StoreTarget& target, const KeyFlags& flags) {
  const std::string& name = target.component->name;
  const OwnKey& own = target.component->config.own_key;
  if (own.place == OwnKey::Place::kValue) return KeyIsValue(name);
  if (target.key_folder.empty()) return NoKeyFolderHere(name, own.text);
  absl::StatusOr<ServerKeys> keys =
      ServerKeys::Open({.data_root = target.data_root,
                        .key_folder = target.key_folder,
                        .allow_loose = flags.allow_loose_key_file,
                        .on_warning = PrintKeyWarning});
  if (!keys.ok()) return keys.status();
  return std::make_shared<ComponentKeySource>(*std::move(keys), name, own);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeySource>> ChooseStoreKey(
    const StoreTarget& target, const KeyFlags& flags) {
  if (!target.component.has_value() || NamesKey(flags)) {
    return ChooseKeySource(flags);
  }
  const ComponentConfig& config = target.component->config;
  // Whatever key the environment names is that of other stores.
  if (config.encryption == Encryption::kOff) return nullptr;
  if (config.own_key.place == OwnKey::Place::kNone) {
    return ChooseKeySource(flags);
  }
  return OwnKeyOf(target, flags);
}

}  // namespace statecpp
