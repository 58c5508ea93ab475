// SPDX-License-Identifier: Apache-2.0
#include "cli/delete.h"

#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/admin_item.h"
#include "api/admin_message.h"
#include "cli/failure.h"
#include "cli/item_text.h"
#include "cli/kept_replies.h"
#include "cli/progress.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"
#include "server/admin_listener.h"

namespace statecpp {
namespace {

struct DeleteFlags {
  StoreFlags store;
  ItemRequest::Delete one;
  std::string prefix = "";
  // Whether it was given, if only as an empty one.
  const CLI::Option* has_prefix = nullptr;
  bool yes = false;
  bool json = false;
  bool quiet = false;
};

// Shows how many items are found, and keeps how many there were at last.
class PrefixListener final : public AdminListener {
 public:
  explicit PrefixListener(const DeleteFlags& flags)
      : progress_(flags.yes ? "deleting" : "counting",
                  {.unit = "items", .quiet = flags.quiet}) {}

  bool Tell(const AdminReply& reply) override {
    if (const auto* walked = std::get_if<AdminWalked>(&reply)) {
      progress_.Report(walked->records, std::nullopt);
    } else if (const auto* answer = std::get_if<AdminCount>(&reply)) {
      progress_.Hide();
      count_ = *answer;
    }
    return true;
  }

  // Ctrl-C ends the process.
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return false;
  }

  // nullopt: it did not come to its end.
  const std::optional<AdminCount>& count() const { return count_; }

 private:
  Progress progress_;
  std::optional<AdminCount> count_;
};

absl::Status NothingNamed() {
  return absl::InvalidArgumentError(
      "name what is to be deleted: a KEY, or --prefix for all keys that begin "
      "so; nothing was deleted");
}

ExitCode DeleteOne(const DeleteFlags& flags, StoreSession& session) {
  KeptReplies<AdminUnknown> none;
  const absl::Status deleted = session.Ask(ItemRequest{flags.one}, none);
  if (!deleted.ok()) return Fail(deleted);
  if (flags.json) {
    std::cout << "{" << KeyMembers(flags.one.key) << ",\"deleted\":1}\n";
  }
  return kExitOk;
}

void PrintCount(const DeleteFlags& flags, uint64_t items) {
  if (flags.json) {
    std::cout << "{" << BytesMember("prefix", flags.prefix)
              << ",\"found\":" << items
              << ",\"deleted\":" << (flags.yes ? items : 0) << "}\n";
  } else if (flags.yes) {
    std::cout << "deleted " << items << " items\n";
  } else {
    std::cout << items << " items have keys that begin so; nothing was "
              << "deleted. To delete them, add --yes\n";
  }
}

ExitCode DeletePrefix(const DeleteFlags& flags, StoreSession& session) {
  std::optional<AdminCount> count;
  absl::Status answered;
  {
    PrefixListener listener(flags);
    answered =
        session.Ask(ItemRequest{ItemRequest::DeletePrefix{
                        .prefix = flags.prefix, .count_only = !flags.yes}},
                    listener);
    count = listener.count();
  }
  // Also where damaged records were left.
  if (count.has_value()) PrintCount(flags, count->items);
  return answered.ok() ? kExitOk : Fail(answered);
}

ExitCode Delete(const DeleteFlags& flags) {
  const bool prefix = flags.has_prefix->count() > 0;
  if (flags.one.key.empty() && !prefix) return Fail(NothingNamed());
  absl::StatusOr<StoreSession> session = BeginSession(flags.store);
  if (!session.ok()) return Fail(session.status());
  return prefix ? DeletePrefix(flags, *session) : DeleteOne(flags, *session);
}

}  // namespace

void AddDelete(VerbTable& verbs) {
  auto flags = std::make_shared<DeleteFlags>();
  CLI::App* const verb = verbs.Add(
      "delete", "Delete an item, or all below a prefix, served or not",
      [flags] { return Delete(*flags); });
  CLI::Option* const key = verb->add_option(
      "KEY", flags->one.key, "The whole key of an item, as ls prints it");
  AddStoreFlags(verb, flags->store);
  CLI::Option* const prefix =
      verb->add_option("--prefix", flags->prefix,
                       "All items that ls lists with this prefix; without "
                       "--yes they are only counted")
          ->excludes(key);
  flags->has_prefix = prefix;
  verb->add_flag("--yes", flags->yes, "Delete them")->needs(prefix);
  verb->add_option("--etag", flags->one.etag,
                   "Only the item with this ETag; else exit code 4")
      ->excludes(prefix);
  verb->add_flag("--json", flags->json, "Print what was deleted as one object");
  verb->add_flag("--quiet", flags->quiet,
                 "With --prefix: do not show how far it is");
  AddToHelp(verb,
            "An item that is not there is exit code 3. Items below a prefix "
            "go one after the\nother: who interrupts it has deleted some.\n\n"
            "Example:\n"
            "  statecpp delete --data-root /var/lib/statecpp --store orders "
            "--prefix 'myapp||'");
}

}  // namespace statecpp
