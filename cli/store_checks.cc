// SPDX-License-Identifier: Apache-2.0
#include "cli/store_checks.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/admin_message.h"
#include "api/component_config.h"
#include "api/instance_name.h"
#include "api/metadata_value.h"
#include "cli/expected_stores.h"
#include "cli/finding_text.h"
#include "cli/kept_replies.h"
#include "cli/lock_holder.h"
#include "cli/stat_text.h"
#include "cli/store_faults.h"
#include "cli/store_key.h"
#include "cli/store_key_checks.h"
#include "cli/store_names.h"
#include "cli/store_target.h"
#include "crypto/key_source.h"
#include "engine/error_payload.h"
#include "engine/keys_status.h"
#include "engine/options.h"
#include "server/admin_client.h"

namespace statecpp {
namespace {

// As the alerts have it (deploy/prometheus/alerts.yaml).
constexpr double kFull = 0.80;
// Pages of that many commits cannot be used again; a query, which renews its
// snapshot, never stays so far behind.
constexpr uint64_t kLongBehind = 10000;
// A server that is well answers in milliseconds, and one that is stuck is one
// of the things to find.
constexpr absl::Duration kPatience = absl::Seconds(5);

std::string FlagsOf(const std::string& data_root, const std::string& store) {
  return absl::StrCat(" --data-root ", ShellWord(data_root), " --store ",
                      ShellWord(store));
}

std::string Percent(uint64_t part, uint64_t whole) {
  return absl::StrFormat("%.0f %%", 100.0 * static_cast<double>(part) /
                                        static_cast<double>(whole));
}

std::string EncryptionLine(absl::string_view value) {
  return absl::StrCat("- {name: encryption, value: \"", value, "\"}");
}

// --- The texts, one function each.

Finding NotListed(const std::string& folder, const absl::Status& status) {
  return Fault("store-unreadable", folder, std::string(status.message()),
               "run this as the server's user, or as root");
}

Finding NotAnswered(const std::string& subject, const absl::Status& status) {
  return Fault(
      "server", subject,
      absl::IsCancelled(status)
          ? absl::StrCat("the server did not answer within ",
                         absl::FormatDuration(kPatience))
          : absl::StrCat("the server did not answer: ", status.message()),
      "look at its log, or start it again");
}

Finding NotMadeYet(const std::string& store) {
  return Fine("store", store, "not made yet; daprd's Init makes it");
}

Finding NotOpenNow(const std::string& store) {
  return Fine("store", store,
              "the server does not have it open now, and opens it when it is "
              "asked for");
}

Finding NotOpened(const std::string& store, const std::string& why) {
  return Fault("store-down", store,
               absl::StrCat("the server could not open it when it was asked "
                            "for: ",
                            why),
               "what that says; the next call for it tries again");
}

std::string NameOf(const LockHolder& holder) {
  if (holder.pid_runs) {
    return absl::StrCat("pid ", holder.pid, holder.command.empty() ? "" : ", ",
                        holder.command);
  }
  return holder.text.empty() ? "which one is not known" : holder.text;
}

Finding Held(const std::string& store, const LockHolder& holder) {
  return Fault("store-held", store,
               absl::StrCat("it is open in a process that is no server of this "
                            "data root: ",
                            NameOf(holder)),
               CommandToEnd(holder, "stop the process that has it open"));
}

Finding Damaged(const StoresAsked& asked, const std::string& store,
                absl::string_view text) {
  return Fault("store-damaged", store, std::string(text),
               absl::StrCat("with the store's folder moved out of the data "
                            "root, and its key by --key-file or its kin: "
                            "statecpp restore BACKUP",
                            FlagsOf(asked.data_root, store)));
}

Finding NotRead(const std::string& store, const absl::Status& status) {
  return Fault("store-unreadable", store, std::string(status.message()),
               "run this as the server's user, or as root");
}

Finding NotAlone(const std::string& store, const std::string& folder,
                 const absl::Status& status) {
  const LockHolder lock = LookAtLock(folder + "/LOCK");
  const bool no_file =
      lock.state == LockHolder::State::kUnknown && lock.error_number == 0;
  return Fault("store-unreadable", store, std::string(status.message()),
               no_file ? absl::StrCat("rm ", ShellWord(folder + "/LOCK"))
                       : absl::StrCat("find / -xdev -samefile ",
                                      ShellWord(folder + "/data.mdb")));
}

Finding PlainAgainstYaml(const StoresAsked& asked, const std::string& store) {
  return Fault("store-sealing", store,
               "the store is not sealed, and its component wants it to be, so "
               "Init fails",
               absl::StrCat("statecpp encrypt",
                            FlagsOf(asked.data_root,  //
                                    store),
                            " --key-file FILE\nor: ", EncryptionLine("off")));
}

Finding SealedAgainstYaml(const std::string& store) {
  return Fault("store-sealing", store,
               "the store is sealed, and its component says that it is not, so "
               "Init fails",
               EncryptionLine("required"));
}

Finding Filling(const std::string& store, uint64_t used, uint64_t max_size) {
  return Warning("store-filling", store,
                 absl::StrCat(SizeText(used), " in use, which is ",
                              Percent(used, max_size), " of maxSize ",
                              FormatByteSize(max_size)),
                 absl::StrCat("- {name: maxSize, value: \"",
                              FormatByteSize(2 * max_size), "\"}"));
}

Finding ReaderBehind(const std::string& store, const StoreStats& stats) {
  return Warning("store-reader", store,
                 absl::StrCat(stats.readers, " snapshots are held, the oldest ",
                              stats.oldest_reader_lag,
                              " commits behind, whose pages cannot be used "
                              "again, so that the file grows"),
                 "end what reads it (a backup, a query); if nothing does, "
                 "start the server again");
}

Finding Well(const std::string& store, bool sealed, bool opens,
             const std::string& figures) {
  return Fine("store", store,
              absl::StrCat(sealed ? "sealed" : "not sealed",
                           opens ? ", the key opens it" : "", figures));
}

// --- What is there.

void CheckSealing(const StoresAsked& asked, const std::string& store,
                  const ComponentFile* component, bool sealed,
                  Findings& findings) {
  if (component == nullptr) return;
  const bool wanted = component->config.encryption == Encryption::kRequired;
  if (wanted && !sealed) findings.push_back(PlainAgainstYaml(asked, store));
  if (!wanted && sealed) findings.push_back(SealedAgainstYaml(store));
}

// Stores that no server has.
class ClosedStores {
 public:
  ClosedStores(const StoresAsked& asked, const ExpectedStores& components)
      : asked_(asked), components_(components) {}

  Findings Check(const std::string& store) {
    const absl::StatusOr<std::string> file = FileNameOf(store);
    if (!file.ok()) return {NotRead(store, file.status())};
    const std::string folder =
        absl::StrCat(asked_.data_root, "/stores/", *file);
    const absl::StatusOr<StorePeek> peek =
        PeekStore({.path = folder, .on_assertion = EndVerbOnAssertion});
    if (!peek.ok()) return {Unread(store, folder, peek.status())};

    Findings findings;
    const bool sealed = peek->keys.sealed;
    const ComponentFile* const component = components_.GivenFor(store);
    CheckSealing(asked_, store, component, sealed, findings);
    if (sealed) CheckKey(store, folder, component, peek->keys, findings);
    const bool well = findings.empty();
    const uint64_t max_size = components_.MaxSizeOf(store);
    if (static_cast<double>(peek->used_bytes) > kFull * max_size) {
      findings.push_back(Filling(store, peek->used_bytes, max_size));
    }
    if (well) {
      findings.push_back(
          Well(store, sealed, sealed,
               absl::StrCat(", ", SizeText(peek->used_bytes), " in use")));
    }
    return findings;
  }

 private:
  Finding Unread(const std::string& store, const std::string& folder,
                 const absl::Status& status) const {
    switch (status.code()) {
      case absl::StatusCode::kDataLoss:
        return Damaged(asked_, store, status.message());
      case absl::StatusCode::kNotFound:  // a folder with nothing in it
        return NotMadeYet(store);
      case absl::StatusCode::kUnavailable:
        return Held(store, LookAtLock(folder + "/LOCK"));
      case absl::StatusCode::kInvalidArgument:
        return NotAlone(store, folder, status);
      default:
        return NotRead(store, status);
    }
  }

  // What opens a store; null: nothing is named that would. A key that serves
  // all stores is got once: a command is not run for each, nor a person asked.
  absl::StatusOr<std::shared_ptr<const MasterKeys>> KeysFor(
      const std::string& folder, const std::string& store,
      const ComponentFile* component) {
    const bool own = component != nullptr && !NamesKey(asked_.keys) &&
                     component->config.encryption == Encryption::kRequired &&
                     component->config.own_key.place != OwnKey::Place::kNone;
    if (own) {
      return LoadFrom(ChooseStoreKey({.folder = folder,
                                      .data_root = asked_.data_root,
                                      .data_dir = store,
                                      .component = *component,
                                      .key_folder = asked_.key_folder},
                                     asked_.keys));
    }
    if (!common_keys_.has_value()) common_keys_ = LoadFrom(asked_.key);
    return *common_keys_;
  }

  static absl::StatusOr<std::shared_ptr<const MasterKeys>> LoadFrom(
      const absl::StatusOr<std::shared_ptr<const KeySource>>& source) {
    if (!source.ok()) return source.status();
    if (*source == nullptr) return nullptr;
    return (*source)->Load();
  }

  void CheckKey(const std::string& store, const std::string& folder,
                const ComponentFile* component, const KeysStatus& status,
                Findings& findings) {
    const absl::StatusOr<std::shared_ptr<const MasterKeys>> keys =
        KeysFor(folder, store, component);
    if (!keys.ok()) {
      findings.push_back(KeyRefused(store, asked_.data_root, keys.status()));
      return;
    }
    if (*keys == nullptr) {
      findings.push_back(KeyNotGiven(store, status));
      return;
    }
    const absl::StatusOr<StorePeek> opened = PeekStore(
        {.path = folder, .keys = *keys, .on_assertion = EndVerbOnAssertion});
    if (opened.ok()) return;
    findings.push_back(
        error::IsAboutKey(opened.status())
            ? KeyRefused(store, asked_.data_root, opened.status())
            : Unread(store, folder, opened.status()));
  }

  const StoresAsked& asked_;
  const ExpectedStores& components_;
  std::optional<absl::StatusOr<std::shared_ptr<const MasterKeys>>> common_keys_;
};

// Stores of a server, of which those that it has open are asked for.
Findings CheckServed(const StoresAsked& asked, const ExpectedStores& components,
                     std::vector<std::string>& names) {
  RepliesInTime<AdminStore> stores(kPatience);
  const absl::Status listed =
      AskServer(asked.data_root, {.verb = AdminRequest::ListStores{}}, stores);
  if (!listed.ok()) return {NotAnswered(asked.data_root, listed)};
  Findings findings;
  for (const AdminStore& store : stores.replies()) {
    names.push_back(store.data_dir);
    if (!store.open) {
      findings.push_back(store.failure.empty()
                             ? NotOpenNow(store.data_dir)
                             : NotOpened(store.data_dir, store.failure));
      continue;
    }
    CheckSealing(asked, store.data_dir, components.GivenFor(store.data_dir),
                 store.sealed, findings);
    RepliesInTime<StoreStats> stats(kPatience);
    const absl::Status told = AskServer(
        asked.data_root,
        {.data_dir = store.data_dir, .verb = AdminRequest::Stats{}}, stats);
    if (!told.ok() || stats.replies().empty()) {
      findings.push_back(NotAnswered(store.data_dir, told));
      continue;
    }
    const StoreStats& figures = stats.replies().front();
    Append(CheckFigures(store.data_dir, figures), findings);
    findings.push_back(
        Well(store.data_dir, store.sealed, false,
             absl::StrCat(", ", figures.records, " items, ",
                          SizeText(figures.used_bytes), " of maxSize ",
                          FormatByteSize(figures.max_size), " in use, opened ",
                          figures.open_count, " times")));
  }
  return findings;
}

}  // namespace

Findings CheckFigures(const std::string& store, const StoreStats& stats) {
  Findings findings;
  if (static_cast<double>(stats.used_bytes) > kFull * stats.max_size) {
    findings.push_back(Filling(store, stats.used_bytes, stats.max_size));
  }
  if (stats.oldest_reader_lag > kLongBehind) {
    findings.push_back(ReaderBehind(store, stats));
  }
  return findings;
}

StoresChecked CheckStores(const StoresAsked& asked) {
  const ExpectedStores components(asked.data_root, asked.components);
  StoresChecked checked;
  std::vector<std::string> names;
  if (asked.served) {
    checked.findings = CheckServed(asked, components, names);
  } else {
    absl::StatusOr<std::vector<std::string>> found =
        StoreNames(asked.data_root);
    if (!found.ok()) {
      checked.findings = {
          NotListed(asked.data_root + "/stores", found.status())};
      return checked;
    }
    names = *std::move(found);
    // A damaged file can end the process, which then says why.
    if (!names.empty()) EndOnMemoryFaults();
    ClosedStores stores(asked, components);
    for (const std::string& name : names) {
      Append(stores.Check(name), checked.findings);
    }
  }
  for (const ComponentFile& component : asked.components) {
    const std::string& name = component.config.data_dir;
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.push_back(name);
    checked.findings.push_back(NotMadeYet(name));
  }
  for (const std::string& name : names) {
    checked.still_wanted += components.RoomFor(name);
  }
  return checked;
}

}  // namespace statecpp
