// SPDX-License-Identifier: Apache-2.0
#include "cli/store_target.h"

#include <sys/stat.h>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/instance_name.h"
#include "cli/open_in_server.h"
#include "cli/store_names.h"
#include "server/admin_connection.h"

namespace statecpp {
namespace {

constexpr const char* kDataRootVariable = "STATECPP_DATA_ROOT";

absl::Status NothingNamed() {
  return absl::InvalidArgumentError(
      "no store is named; give --data-root DIR of a server (or set "
      "STATECPP_DATA_ROOT), or --store-path DIR of an embedded store; nothing "
      "was done");
}

absl::Status NamedTwice() {
  return absl::InvalidArgumentError(
      "--store-path names a store by itself; leave out --data-root and "
      "--store, or name one of that data root's stores by these two; nothing "
      "was done");
}

absl::Status ComponentWithStorePath() {
  return absl::InvalidArgumentError(
      "--component names a store of a server; give that server's --data-root, "
      "and leave --store-path and --store out; nothing was done");
}

absl::Status StoreNotNamed(absl::string_view data_root) {
  return absl::InvalidArgumentError(
      absl::StrCat("--store is missing: which store of ", data_root,
                   " is it to be? Nothing was done"));
}

absl::Status SeveralStores(absl::string_view data_root,
                           const std::vector<std::string>& names) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--store is missing, and ", data_root, " has ", names.size(),
      " stores: ", absl::StrJoin(names, ", "), "; nothing was done"));
}

absl::Status NoStoreName(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--store \"", name,
      "\" is not a dataDir: it is a name below the data root, such as orders "
      "or shop/orders; a folder elsewhere is named by --store-path; nothing "
      "was done"));
}

absl::Status NoSuchStore(absl::string_view data_root, absl::string_view name,
                         const std::vector<std::string>& names) {
  return absl::NotFoundError(absl::StrCat(
      data_root, " has no store", name.empty() ? "" : " ", name,
      names.empty() ? std::string()
                    : absl::StrCat("; it has: ", absl::StrJoin(names, ", ")),
      "; nothing was done"));
}

absl::Status NoSuchFolder(absl::string_view flag, absl::string_view path) {
  return absl::NotFoundError(absl::StrCat("there is no folder ", path,
                                          ", which ", flag,
                                          " names; nothing was done"));
}

bool IsFolder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// The data root that is named; empty where --store-path names the store.
absl::StatusOr<std::string> DataRootOf(const StoreTargetFlags& flags) {
  if (!flags.component.empty() &&
      (!flags.store_path.empty() || !flags.store.empty())) {
    return ComponentWithStorePath();
  }
  if (!flags.store_path.empty()) {
    if (!flags.data_root.empty() || !flags.store.empty()) return NamedTwice();
    return "";
  }
  std::string data_root = flags.data_root;
  if (data_root.empty()) data_root = DataRootOfEnvironment();
  if (data_root.empty()) return NothingNamed();
  if (!IsFolder(data_root)) return NoSuchFolder("--data-root", data_root);
  return data_root;
}

// nullopt: the flags name none.
absl::StatusOr<std::optional<ComponentFile>> ComponentOf(
    const StoreTargetFlags& flags) {
  if (flags.component.empty()) return std::nullopt;
  absl::StatusOr<ComponentFile> file = ReadComponentFile(flags.component);
  if (!file.ok()) return file.status();
  return *std::move(file);
}

absl::StatusOr<StoreTarget> TargetIn(const std::string& data_root,
                                     const std::string& name) {
  if (!IsDataDir(name)) return NoStoreName(name);
  const absl::StatusOr<std::string> file_name = FileNameOf(name);
  if (!file_name.ok()) return file_name.status();
  const absl::StatusOr<std::optional<AdminConnection>> server =
      AdminConnection::To(data_root);
  if (!server.ok()) return server.status();
  return StoreTarget{.folder = absl::StrCat(data_root, "/stores/", *file_name),
                     .data_root = data_root,
                     .data_dir = name,
                     .served = server->has_value()};
}

}  // namespace

std::string DataRootOfEnvironment() {
  const char* const variable = getenv(kDataRootVariable);
  return variable == nullptr ? "" : variable;
}

void AddStoreTargetFlags(CLI::App* verb, StoreTargetFlags& flags) {
  verb->add_option("--data-root", flags.data_root,
                   "A server's folder; else $STATECPP_DATA_ROOT")
      ->type_name("DIR");
  verb->add_option("--store", flags.store,
                   "The dataDir of the component, which is its name unless "
                   "set; may be left out where there is one store")
      ->type_name("NAME");
  verb->add_option("--store-path", flags.store_path,
                   "The folder of an embedded store, instead of the other two")
      ->type_name("DIR");
  verb->add_option("--component", flags.component,
                   "Dapr's YAML of the component, instead of --store: it says "
                   "the dataDir, and where the key is")
      ->type_name("FILE");
  verb->add_option("--key-dir", flags.key_folder,
                   "With --component: the server's folder of the key files "
                   "that components name")
      ->type_name("DIR");
}

absl::StatusOr<StoreTarget> FindStore(const StoreTargetFlags& flags) {
  const absl::StatusOr<std::string> data_root = DataRootOf(flags);
  if (!data_root.ok()) return data_root.status();
  if (data_root->empty()) {
    if (!IsFolder(flags.store_path)) {
      return NoSuchFolder("--store-path", flags.store_path);
    }
    return StoreTarget{.folder = flags.store_path};
  }
  absl::StatusOr<std::optional<ComponentFile>> component = ComponentOf(flags);
  if (!component.ok()) return component.status();
  const absl::StatusOr<std::vector<std::string>> names = StoreNames(*data_root);
  if (!names.ok()) return names.status();
  std::string name = flags.store;
  if (component->has_value()) name = (*component)->config.data_dir;
  if (name.empty()) {
    if (names->empty()) return NoSuchStore(*data_root, name, *names);
    if (names->size() > 1) return SeveralStores(*data_root, *names);
    name = names->front();
  }
  absl::StatusOr<StoreTarget> target = TargetIn(*data_root, name);
  if (target.ok() && !IsFolder(target->folder)) {
    // One that was removed under its server can still be saved by that.
    if (!target->served) return NoSuchStore(*data_root, name, *names);
    const absl::StatusOr<bool> is_open = IsOpenInServer(*data_root, name);
    if (!is_open.ok()) return is_open.status();
    if (!*is_open) return NoSuchStore(*data_root, name, *names);
  }
  if (target.ok()) {
    target->component = *std::move(component);
    target->key_folder = flags.key_folder;
  }
  return target;
}

absl::StatusOr<std::vector<StoreTarget>> FindStores(
    const StoreTargetFlags& flags) {
  const absl::StatusOr<std::string> data_root = DataRootOf(flags);
  if (!data_root.ok()) return data_root.status();
  const absl::StatusOr<std::vector<std::string>> names = StoreNames(*data_root);
  if (!names.ok()) return names.status();
  std::vector<StoreTarget> targets;
  for (const std::string& name : *names) {
    absl::StatusOr<StoreTarget> target = TargetIn(*data_root, name);
    if (!target.ok()) return target.status();
    targets.push_back(*std::move(target));
  }
  return targets;
}

absl::StatusOr<StoreTarget> FindPlaceForStore(const StoreTargetFlags& flags) {
  const absl::StatusOr<std::string> data_root = DataRootOf(flags);
  if (!data_root.ok()) return data_root.status();
  if (data_root->empty()) return StoreTarget{.folder = flags.store_path};
  absl::StatusOr<std::optional<ComponentFile>> component = ComponentOf(flags);
  if (!component.ok()) return component.status();
  const std::string name =
      component->has_value() ? (*component)->config.data_dir : flags.store;
  if (name.empty()) return StoreNotNamed(*data_root);
  absl::StatusOr<StoreTarget> target = TargetIn(*data_root, name);
  if (target.ok()) {
    target->component = *std::move(component);
    target->key_folder = flags.key_folder;
  }
  return target;
}

}  // namespace statecpp
