// SPDX-License-Identifier: Apache-2.0
#include "cli/stat.h"

#include <iostream>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "api/admin_message.h"
#include "cli/failure.h"
#include "cli/kept_replies.h"
#include "cli/stat_text.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"
#include "cli/store_target.h"
#include "engine/keys_status.h"
#include "engine/store_stats.h"

namespace statecpp {
namespace {

struct StatFlags {
  StoreFlags store;
  bool json = false;
};

// The one answer of that kind.
template <typename Reply>
absl::StatusOr<Reply> Asked(StoreSession& session,
                            const AdminRequest::Verb& verb) {
  KeptReplies<Reply> kept;
  absl::Status answered = session.Ask(verb, kept);
  if (!answered.ok()) return answered;
  if (kept.replies.empty()) {
    return absl::InternalError("the server answered nothing");
  }
  return std::move(kept.replies.front());
}

ExitCode Stat(const StatFlags& flags) {
  const absl::StatusOr<StoreTarget> target = FindStore(flags.store.target);
  if (!target.ok()) return Fail(target.status());
  absl::StatusOr<StoreSession> session =
      BeginSession(*target, flags.store.keys);
  if (!session.ok()) return Fail(session.status());
  const auto stats = Asked<StoreStats>(*session, AdminRequest::Stats{});
  if (!stats.ok()) return Fail(stats.status());
  const auto keys = Asked<KeysStatus>(*session, AdminRequest::GetKeysStatus{});
  if (!keys.ok()) return Fail(keys.status());
  const StatView view = {
      .store = target->name(),
      .stats = *stats,
      .keys = *keys,
      .served = target->served,
      .knows_max_size = target->served || target->component.has_value()};
  std::cout << (flags.json ? StatJson(view) : StatText(view, absl::Now()));
  return kExitOk;
}

}  // namespace

void AddStat(VerbTable& verbs) {
  auto flags = std::make_shared<StatFlags>();
  CLI::App* const stat =
      verbs.Add("stat", "Print the figures of a store, served or not",
                [flags] { return Stat(*flags); });
  AddStoreFlags(stat, flags->store);
  stat->add_flag("--json", flags->json, "As one line of JSON");
  AddToHelp(stat,
            "However large the store is, this takes no longer.\n\nExample:\n"
            "  statecpp stat --data-root /var/lib/statecpp --store orders");
}

}  // namespace statecpp
