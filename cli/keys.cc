// SPDX-License-Identifier: Apache-2.0
#include "cli/keys.h"

#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "cli/end_signals.h"
#include "cli/failure.h"
#include "cli/kept_replies.h"
#include "cli/keys_text.h"
#include "cli/progress.h"
#include "cli/store_flags.h"
#include "cli/store_key.h"
#include "cli/store_session.h"
#include "cli/store_target.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

// The flags of all of them, as given; each has its own.
struct KeysFlags {
  StoreFlags store;
  bool json = false;
  std::string new_key_file = "";
  std::string new_passphrase_file = "";
  bool allow_loose_new_key = false;
  std::string name = "";
  bool no_wait = false;
  std::optional<uint32_t> id = std::nullopt;
};

// Follows a rotation until SIGINT or SIGTERM, which are blocked.
class RotationWatch final : public AdminListener {
 public:
  // `total` records are to be re-sealed.
  explicit RotationWatch(uint64_t total) : total_(total) {}

  bool Tell(const AdminReply& reply) override {
    if (const AdminDataKey* key = std::get_if<AdminDataKey>(&reply)) {
      new_key = key->id;
    } else if (const auto* now = std::get_if<Resealer::State>(&reply)) {
      state = *now;
      if (total_ == 0) return true;
      if (!std::exchange(begun_, true)) progress_->Report(0, total_);
      // New records are under the new key, so what is left only falls.
      progress_->Report(total_ - std::min(total_, now->left), total_);
    }
    return true;
  }

  bool LeavesWithin(absl::Duration duration) override {
    const sigset_t signals = EndSignals();
    const timespec wait = absl::ToTimespec(duration);
    return sigtimedwait(&signals, nullptr, &wait) > 0;
  }

  // What is printed afterwards begins on a line of its own. `done`: nothing was
  // left.
  void Close(bool done) {
    if (done) progress_->End();
    progress_.reset();
  }

  uint32_t new_key = 0;
  Resealer::State state;

 private:
  std::optional<Progress> progress_{std::in_place, "re-sealing",
                                    Progress::Options()};
  const uint64_t total_;
  bool begun_ = false;
};

absl::StatusOr<KeysStatus> AskForStatus(StoreSession& session) {
  KeptReplies<KeysStatus> kept;
  absl::Status answered = session.Ask(AdminRequest::GetKeysStatus{}, kept);
  if (answered.ok() && kept.replies.empty()) {
    answered = absl::InternalError("the server answered nothing");
  }
  if (!answered.ok()) return answered;
  return kept.replies.front();
}

// What the verbs have in common.
struct Work {
  StoreTarget target;
  StoreSession session;
};

absl::StatusOr<Work> Begin(const KeysFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.store.target);
  if (!target.ok()) return target.status();
  absl::StatusOr<StoreSession> session =
      BeginSession(*target, flags.store.keys);
  if (!session.ok()) return session.status();
  return Work{*target, *std::move(session)};
}

// --- status ------------------------------------------------------------------

// Of a store that nobody serves: nothing in it is changed, so it is not opened
// as the other verbs open it, and its key is a help and no need.
absl::StatusOr<KeysStatus> PeekHere(const KeysFlags& flags,
                                    const StoreTarget& target) {
  const absl::StatusOr<std::shared_ptr<const KeySource>> source =
      ChooseStoreKey(target, flags.store.keys);
  if (!source.ok()) return source.status();
  Options options = {.path = target.folder};
  if (*source != nullptr) {
    absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = (*source)->Load();
    if (!keys.ok()) return keys.status();
    options.keys = *std::move(keys);
  }
  return PeekKeys(options);
}

absl::StatusOr<KeysStatus> StatusOf(const KeysFlags& flags,
                                    const StoreTarget& target) {
  if (!target.served) return PeekHere(flags, target);
  absl::StatusOr<StoreSession> session = StoreSession::Begin(target, nullptr);
  if (!session.ok()) return session.status();
  return AskForStatus(*session);
}

ExitCode ShowStatus(const KeysFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.store.target);
  if (!target.ok()) return Fail(target.status());
  const absl::StatusOr<KeysStatus> status = StatusOf(flags, *target);
  if (!status.ok()) return Fail(status.status());
  std::cout << (flags.json ? KeysJson(target->name(), *status)
                           : KeysText(target->name(), *status, target->served));
  return kExitOk;
}

// --- add, remove -------------------------------------------------------------

absl::StatusOr<AdminRequest::AddKey> NewKeyOf(const KeysFlags& flags) {
  const bool is_passphrase = !flags.new_passphrase_file.empty();
  if (is_passphrase != flags.new_key_file.empty()) {
    return absl::InvalidArgumentError(
        "name the new key by one of --new-key-file and --new-passphrase-file; "
        "statecpp keygen FILE makes a key; nothing was changed");
  }
  const std::string& file =
      is_passphrase ? flags.new_passphrase_file : flags.new_key_file;
  std::error_code failed;
  // A server's working folder is another.
  const std::string path = std::filesystem::absolute(file, failed).string();
  return AdminRequest::AddKey{.file = failed ? file : path,
                              .is_passphrase = is_passphrase,
                              .allow_loose = flags.allow_loose_new_key,
                              .name = flags.name};
}

// The slot that a new one is probably to replace.
std::string FormerSlot(StoreSession& session, absl::string_view added) {
  const absl::StatusOr<KeysStatus> status = AskForStatus(session);
  if (!status.ok() || status->slots.size() != 2) return "OLD";
  return status->slots[status->slots[0].name == added ? 1 : 0].name;
}

ExitCode AddKey(const KeysFlags& flags) {
  const absl::StatusOr<AdminRequest::AddKey> new_key = NewKeyOf(flags);
  if (!new_key.ok()) return Fail(new_key.status());
  absl::StatusOr<Work> work = Begin(flags);
  if (!work.ok()) return Fail(work.status());
  KeptReplies<KeysStatus::Slot> kept;
  if (const absl::Status added = work->session.Ask(*new_key, kept);
      !added.ok()) {
    return Fail(added);
  }
  const std::string name =
      kept.replies.empty() ? flags.name : kept.replies.front().name;
  if (flags.json) {
    std::cout << "{\"slot\":" << JsonText(name) << "}\n";
    return kExitOk;
  }
  std::cout << "added the key slot " << name;
  if (!kept.replies.empty()) {
    std::cout << " (" << kept.replies.front().fingerprint << ")";
  }
  const char* const owner = work->target.data_root.empty()
                                ? "the program that has the store"
                                : "the server";
  std::cout << "; the former keys open the store, too\n"
            << "next: hand the new key to " << owner
            << ", restart it, then: statecpp keys remove "
            << FormerSlot(work->session, name) << "\n";
  return kExitOk;
}

ExitCode RemoveKey(const KeysFlags& flags) {
  absl::StatusOr<Work> work = Begin(flags);
  if (!work.ok()) return Fail(work.status());
  KeptReplies<AdminUnknown> kept;
  if (const absl::Status removed =
          work->session.Ask(AdminRequest::RemoveKey{flags.name}, kept);
      !removed.ok()) {
    return Fail(removed);
  }
  if (flags.json) {
    std::cout << "{\"removed\":" << JsonText(flags.name) << "}\n";
    return kExitOk;
  }
  std::cout
      << "removed the key slot " << flags.name
      << "; its key does not open the store any more\n"
         "It still opens copies that were made before. If it may have come to "
         "somebody who has one, or the file: statecpp keys rotate, then keys "
         "retire and compact\n";
  return kExitOk;
}

// --- rotate, retire ----------------------------------------------------------

// `left`: records under a former data key; nullopt: nobody waited.
void PrintRotation(uint32_t new_key, std::optional<uint64_t> left) {
  std::cout << "{\"dataKey\":" << new_key
            << ",\"left\":" << (left.has_value() ? absl::StrCat(*left) : "null")
            << "}\n";
}

// How a watched rotation ended.
ExitCode EndOfRotation(const RotationWatch& watch, bool served, bool json) {
  const Resealer::State& state = watch.state;
  if (json) PrintRotation(watch.new_key, state.left);
  if (!state.error.ok()) {
    std::cerr << "statecpp: re-sealing stopped; "
              << (served ? "the server tries again by itself"
                         : "it goes on when the store is next open")
              << "\n";
    return Fail(state.error);
  }
  if (state.damaged > 0) {
    std::cerr << "statecpp: " << Records(state.damaged)
              << " could not be re-sealed, for they are damaged; find them "
                 "with: statecpp verify\n";
    return kExitDamaged;
  }
  if (state.left > 0) {
    std::cerr << "statecpp: " << Records(state.left)
              << " are left under a former data key; see: statecpp keys "
                 "status\n";
    return kExitFailed;
  }
  if (!json) {
    std::cout << "every record is sealed under data key " << watch.new_key
              << "\nnext: statecpp keys retire\n";
  }
  return kExitOk;
}

ExitCode Rotate(const KeysFlags& flags) {
  absl::StatusOr<Work> work = Begin(flags);
  if (!work.ok()) return Fail(work.status());
  const bool served = work->target.served;
  const absl::StatusOr<KeysStatus> before = AskForStatus(work->session);
  if (!before.ok()) return Fail(before.status());
  RotationWatch watch(before->records);
  if (const absl::Status begun =
          work->session.Ask(AdminRequest::RotateDataKey{}, watch);
      !begun.ok()) {
    return Fail(begun);
  }
  if (!flags.json) {
    std::cout << "new records are sealed under data key " << watch.new_key
              << std::endl;
  }
  if (flags.no_wait && flags.json) {
    PrintRotation(watch.new_key, std::nullopt);
    return kExitOk;
  }
  if (flags.no_wait) {
    std::cout << (served ? "the others are re-sealed in the background"
                         : "the others are re-sealed when the store is next "
                           "open")
              << "; see: statecpp keys status\n";
    return kExitOk;
  }
  const absl::Status watched =
      work->session.Ask(AdminRequest::WatchRotation{}, watch);
  watch.Close(/*done=*/watched.ok() && watch.state.left == 0);
  if (absl::IsCancelled(watched)) {
    std::cerr << (served ? "statecpp: the server goes on re-sealing; see: "
                           "statecpp keys status\n"
                         : "statecpp: stopped; re-sealing resumes when the "
                           "store is next open\n");
    return kExitFailed;
  }
  if (!watched.ok()) return Fail(watched);
  return EndOfRotation(watch, served, flags.json);
}

void PrintRetired(const std::vector<AdminDataKey>& keys) {
  std::cout << "{\"retired\":["
            << absl::StrJoin(keys, ",",
                             [](std::string* out, const AdminDataKey& key) {
                               absl::StrAppend(out, key.id);
                             })
            << "]}\n";
}

ExitCode Retire(const KeysFlags& flags) {
  absl::StatusOr<Work> work = Begin(flags);
  if (!work.ok()) return Fail(work.status());
  KeptReplies<AdminDataKey> kept;
  const absl::Status retired =
      work->session.Ask(AdminRequest::RetireDataKeys{flags.id}, kept);
  // Also where a later one failed.
  if (flags.json) PrintRetired(kept.replies);
  for (const AdminDataKey& key : kept.replies) {
    if (!flags.json) std::cout << "retired data key " << key.id << "\n";
  }
  if (!retired.ok()) return Fail(retired);
  if (kept.replies.empty() && !flags.json) {
    std::cout << "there is nothing to retire: every data key seals records, or "
                 "is the active one\n";
  }
  return kExitOk;
}

// --- The table ---------------------------------------------------------------

using Flags = std::shared_ptr<KeysFlags>;

std::pair<CLI::App*, Flags> AddVerb(
    VerbTable& verbs, const char* name, const char* help, const char* example,
    ExitCode (*action)(const KeysFlags&),
    VerbTable::Signals signals = VerbTable::Signals::kUnblocked) {
  auto flags = std::make_shared<KeysFlags>();
  CLI::App* const verb = verbs.Add(
      name, help, [flags, action] { return action(*flags); }, signals);
  AddStoreFlags(verb, flags->store);
  verb->add_flag("--json", flags->json, "As one line of JSON");
  AddToHelp(verb, absl::StrCat("Example:\n  statecpp ", name,
                               " --data-root /var/lib/statecpp --store orders",
                               example));
  return {verb, flags};
}

void AddAdd(VerbTable& verbs) {
  const auto [verb, flags] =
      AddVerb(verbs, "keys add", "Let another key open the store, too",
              " --new-key-file /etc/statecpp/2026-12.key", AddKey);
  verb->add_option("--new-key-file", flags->new_key_file,
                   "File with the new key; the server reads it itself")
      ->type_name("FILE");
  verb->add_option("--new-passphrase-file", flags->new_passphrase_file,
                   "File with a passphrase instead")
      ->type_name("FILE");
  verb->add_flag("--new-allow-loose-key-file", flags->allow_loose_new_key,
                 "Read it all the same if others can read or change it");
  verb->add_option("--name", flags->name,
                   "What the key is called; else as its file is, without its "
                   "ending")
      ->type_name("NAME");
}

}  // namespace

void AddKeys(VerbTable& verbs) {
  verbs.AddGroup("keys", "Show and change the keys of a store, served or not");
  AddVerb(verbs, "keys status",
          "Show the store's keys; nothing of it is secret", "", ShowStatus);
  AddAdd(verbs);
  const auto [remove, remove_flags] =
      AddVerb(verbs, "keys remove", "Let a key open the store no longer",
              " prod", RemoveKey);
  remove
      ->add_option("NAME", remove_flags->name,
                   "What keys status calls the key slot")
      ->required();
  const auto [rotate, rotate_flags] =
      AddVerb(verbs, "keys rotate",
              "Seal new records, and then the others, under a new data key", "",
              Rotate, VerbTable::Signals::kBlocked);
  rotate->add_flag("--no-wait", rotate_flags->no_wait,
                   "Return at once, and have it done in the background");
  const auto [retire, retire_flags] =
      AddVerb(verbs, "keys retire",
              "Forget data keys that seal no record any more", "", Retire);
  retire->add_option("ID", retire_flags->id, "The data key; else all of these");
}

}  // namespace statecpp
