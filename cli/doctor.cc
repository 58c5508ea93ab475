// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/component_checks.h"
#include "cli/component_document.h"
#include "cli/component_file.h"
#include "cli/data_root_checks.h"
#include "cli/failure.h"
#include "cli/finding.h"
#include "cli/finding_text.h"
#include "cli/folder_access.h"
#include "cli/key_flags.h"
#include "cli/lock_holder.h"
#include "cli/socket_checks.h"
#include "cli/socket_folder_checks.h"
#include "cli/socket_surroundings.h"
#include "cli/store_checks.h"
#include "cli/store_target.h"
#include "crypto/key_source.h"
#include "server/component_socket.h"

namespace statecpp {
namespace {

struct DoctorFlags {
  std::string component = "";
  std::string resources = "";
  std::string data_root = "";
  std::string socket_folder = "";
  std::optional<uid_t> daprd_uid = std::nullopt;
  std::vector<gid_t> daprd_gids = {};
  std::string key_folder = "";
  KeyFlags keys;
  bool allow_network_file_system = false;
  bool json = false;
};

absl::Status FileAndFolder() {
  return absl::InvalidArgumentError(
      "--component names one file and --resources-path a folder of them; give "
      "one of the two; nothing was looked at");
}

absl::Status NoResources(const std::string& folder) {
  return absl::NotFoundError(
      absl::StrCat("there is no folder ", folder,
                   ", which --resources-path names; nothing was looked at"));
}

Finding NoComponentNamed() {
  return Warning("component-absent", "components",
                 "no YAML was named, so none was looked at",
                 "statecpp doctor --resources-path DIR, as daprd has it, or "
                 "--component FILE");
}

Finding NoDataRootNamed() {
  return Warning("data-root", "data root",
                 "none was named, so no store was looked at",
                 "statecpp doctor --data-root DIR, as serve has it");
}

// Where daprd looks for components that nothing names; empty if there is no
// home.
std::string HomeComponents() {
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? ""
                                          : absl::StrCat(home,  //
                                                         "/.dapr/components");
}

bool IsSameFolder(const std::string& one, const std::string& other) {
  struct stat first;
  struct stat second;
  return stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

Findings LookAtSockets(const DoctorFlags& flags, const DataRootSeen& root) {
  SocketSurroundings around = {
      .folder = ChooseSocketFolder(flags.socket_folder),
      .daprd_given = flags.daprd_uid.has_value(),
      .data_root = flags.data_root,
      .data_root_lock = root.lock};
  if (flags.daprd_uid.has_value()) {
    around.daprd = flags.daprd_gids.empty()
                       ? UserByLists(*flags.daprd_uid)
                       : FileUser{*flags.daprd_uid, flags.daprd_gids};
  }
  Findings findings = CheckSocketFolder(around);
  Append(CheckSocketAccess(around), findings);
  Append(CheckOwnSocket(around), findings);
  Append(CheckOtherSockets(around), findings);
  return findings;
}

ComponentsChecked LookAtComponents(const DoctorFlags& flags) {
  if (flags.component.empty() && flags.resources.empty()) {
    return {{NoComponentNamed()}, {}};
  }
  const bool one = !flags.component.empty();
  ComponentsChecked checked =
      one ? CheckComponents({flags.component}, flags.component)
          : CheckComponents(YamlFilesIn(flags.resources), flags.resources);
  std::string resources = flags.resources;
  if (one) {
    const size_t slash = flags.component.rfind('/');
    resources =
        slash == std::string::npos ? "." : flags.component.substr(0, slash);
  }
  const std::string home = HomeComponents();
  if (!home.empty() && !IsSameFolder(home, resources)) {
    Append(CheckHomeComponents(checked.ours, home, resources),
           checked.findings);
  }
  return checked;
}

Findings LookAtRoot(const DataRootSeen& root) {
  if (root.path.empty()) return {NoDataRootNamed()};
  Findings findings = CheckDataRootFolder(root);
  if (!IsUsable(root)) return findings;
  Append(CheckServer(root), findings);
  Append(CheckLockedMemory(), findings);
  return findings;
}

Findings LookAtStores(const DoctorFlags& flags, const DataRootSeen& root,
                      std::vector<ComponentFile> components,
                      absl::StatusOr<std::shared_ptr<const KeySource>> key) {
  // What a server may have open is not opened beside it.
  const bool held = root.lock.state == LockHolder::State::kHeld;
  if (root.path.empty() || !IsUsable(root) || !root.unreachable.ok() ||
      (held && !root.served)) {
    return {};
  }
  StoresChecked stores = CheckStores({.data_root = flags.data_root,
                                      .served = root.served,
                                      .components = std::move(components),
                                      .keys = flags.keys,
                                      .key_folder = flags.key_folder,
                                      .key = std::move(key)});
  Append(CheckDisk(root, stores.still_wanted), stores.findings);
  return std::move(stores.findings);
}

ExitCode Doctor(DoctorFlags flags) {
  if (!flags.component.empty() && !flags.resources.empty()) {
    return Fail(FileAndFolder());
  }
  struct stat info;
  if (!flags.resources.empty() &&
      (stat(flags.resources.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))) {
    return Fail(NoResources(flags.resources));
  }
  if (flags.data_root.empty()) flags.data_root = DataRootOfEnvironment();
  // Before gRPC has threads: it may wipe a variable.
  absl::StatusOr<std::shared_ptr<const KeySource>> key =
      ChooseKeySource(flags.keys);
  const DataRootSeen root =
      flags.data_root.empty()
          ? DataRootSeen()
          : LookAtDataRoot(flags.data_root, flags.allow_network_file_system);
  std::vector<FindingGroup> groups;
  const auto add = [&](std::string title, Findings findings) {
    if (findings.empty()) return;
    groups.push_back({std::move(title), std::move(findings)});
    // At once: a damaged store that is looked at next can end the process.
    if (!flags.json) std::cout << GroupText(groups.back()) << std::flush;
  };
  add("daprd's side: sockets", LookAtSockets(flags, root));
  ComponentsChecked components = LookAtComponents(flags);
  add("daprd's side: components", std::move(components.findings));
  add("our side: data root", LookAtRoot(root));
  add("our side: stores",
      LookAtStores(flags, root, std::move(components.ours), std::move(key)));
  std::cout << (flags.json ? FindingsJson(groups) : TotalText(groups));
  return CountOf(groups, Finding::Level::kFault) == 0 ? kExitOk : kExitFailed;
}

}  // namespace

void AddDoctor(VerbTable& verbs) {
  auto flags = std::make_shared<DoctorFlags>();
  CLI::App* const doctor =
      verbs.Add("doctor", "Say what is wrong, for daprd and for a server",
                [flags] { return Doctor(*flags); });
  doctor
      ->add_option("--component", flags->component,
                   "Dapr's YAML of the component, as daprd reads it")
      ->type_name("FILE");
  doctor
      ->add_option("--resources-path", flags->resources,
                   "The folder of components that daprd is started with")
      ->type_name("DIR");
  doctor
      ->add_option("--data-root", flags->data_root,
                   "A server's folder; else $STATECPP_DATA_ROOT")
      ->type_name("DIR");
  doctor
      ->add_option("--socket-folder", flags->socket_folder,
                   "Where the server's socket is; chosen as by serve")
      ->type_name("DIR");
  CLI::Option* const uid =
      doctor
          ->add_option("--daprd-uid", flags->daprd_uid,
                       "The user that daprd runs as; else 65532, as in Dapr's "
                       "images, or this one")
          ->type_name("UID");
  doctor
      ->add_option("--daprd-gid", flags->daprd_gids,
                   "With --daprd-uid: a group of daprd's; may be repeated. "
                   "Else by this machine's lists, or of the same number")
      ->needs(uid)
      ->type_name("GID");
  doctor
      ->add_option("--key-dir", flags->key_folder,
                   "The server's folder of the key files that components name")
      ->type_name("DIR");
  doctor->add_flag("--allow-network-fs", flags->allow_network_file_system,
                   "A data root on a network file system is a warning, for a "
                   "server with this flag");
  AddKeyFlags(doctor, flags->keys);
  doctor->add_flag("--json", flags->json, "Print one object");
  AddToHelp(doctor,
            "Writes nothing, and opens no store that a server has. With faults "
            "the exit code\nis 1, and each is printed with its fix; with "
            "warnings alone it is 0.\n\nExample:\n"
            "  statecpp doctor --resources-path components --data-root data");
}

}  // namespace statecpp
