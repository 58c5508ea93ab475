// SPDX-License-Identifier: Apache-2.0
#include "server/store_admin.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "crypto/key_source.h"
#include "engine/backup.h"
#include "engine/errors.h"
#include "engine/query.h"
#include "engine/store_keys.h"
#include "engine/store_verifier.h"
#include "server/errors.h"
#include "server/item_admin.h"

namespace statecpp {
namespace {

// A watched rotation is told of this often.
constexpr absl::Duration kWatchInterval = absl::Milliseconds(200);

// Of a backup, which would tell more often than anybody can read.
constexpr absl::Duration kBackupInterval = absl::Milliseconds(100);

// How often a long query looks whether anybody still waits for it.
constexpr absl::Duration kLookInterval = absl::Milliseconds(20);

// Says when the listener has left while nothing can be told to it.
class LeaveWatch {
 public:
  explicit LeaveWatch(AdminListener& listener)
      : thread_([this, &listener] {
          while (!done_ && !left_) left_ = listener.LeavesWithin(kLookInterval);
        }) {}
  ~LeaveWatch() {
    done_ = true;
    thread_.join();
  }

  const std::atomic<bool>& left() const { return left_; }

 private:
  std::atomic<bool> done_ = false;
  std::atomic<bool> left_ = false;
  std::thread thread_;
};

// Carries out one verb; `Do` has an overload for each.
class Answer {
 public:
  Answer(Store& store, LoadKeys load_keys, AdminListener& listener)
      : store_(store),
        keys_(store.keys()),
        load_keys_(load_keys),
        listener_(listener) {}

  absl::Status operator()(const AdminRequest::ListStores&) {
    return error::AdminRequestMisplaced();
  }

  absl::Status operator()(const AdminRequest::GetKeysStatus&) {
    const absl::StatusOr<KeysStatus> status = keys_.GetStatus();
    return status.ok() ? Tell(*status) : status.status();
  }

  absl::Status operator()(const AdminRequest::AddKey& verb) {
    const std::shared_ptr<const KeySource> source =
        verb.is_passphrase ? PassphraseFileSource(verb.file, verb.allow_loose)
                           : KeyFileSource(verb.file, verb.allow_loose);
    const absl::StatusOr<std::shared_ptr<const MasterKeys>> loaded =
        source->Load();
    if (!loaded.ok()) return loaded.status();
    const MasterKey& key = (*loaded)->front();
    const std::string name = verb.name.empty() ? key.name() : verb.name;
    if (!IsMasterKeyName(name)) return error::NoKeyName(name);
    if (absl::Status added = keys_.AddSlot(Renamed(key, name)); !added.ok()) {
      return added;
    }
    const absl::StatusOr<KeysStatus> status = keys_.GetStatus();
    if (!status.ok()) return status.status();
    for (const KeysStatus::Slot& slot : status->slots) {
      if (slot.name == name) return Tell(slot);
    }
    return absl::OkStatus();  // removed again by now
  }

  absl::Status operator()(const AdminRequest::RemoveKey& verb) {
    const absl::StatusOr<KeysStatus> status = keys_.GetStatus();
    if (!status.ok()) return status.status();
    if (!status->sealed) return error::NoKeysInPlainStore();
    const absl::StatusOr<MasterKeys> remaining = load_keys_();
    if (!remaining.ok()) return remaining.status();
    return keys_.RemoveSlot(verb.name, *remaining);
  }

  absl::Status operator()(const AdminRequest::RotateDataKey&) {
    const absl::StatusOr<uint32_t> id = keys_.Rotate();
    return id.ok() ? Tell(AdminDataKey{*id}) : id.status();
  }

  absl::Status operator()(const AdminRequest::RetireDataKeys& verb) {
    if (verb.id.has_value()) return Retire(*verb.id);
    const absl::StatusOr<KeysStatus> status = keys_.GetStatus();
    if (!status.ok()) return status.status();
    if (!status->sealed) return error::NoKeysInPlainStore();
    // One that has to stay keeps no other.
    absl::Status first_failure;
    for (const KeysStatus::DataKey& key : status->data_keys) {
      if (key.active || key.records > 0) continue;
      first_failure.Update(Retire(key.id));
    }
    return first_failure;
  }

  absl::Status operator()(const AdminRequest::WatchRotation&) {
    for (;;) {
      const absl::StatusOr<KeysStatus> status = keys_.GetStatus();
      if (!status.ok()) return status.status();
      if (absl::Status told = Tell(status->resealer); !told.ok()) return told;
      if (!status->resealer.running) return absl::OkStatus();
      if (listener_.LeavesWithin(kWatchInterval)) return error::AdminLeft();
    }
  }

  // The walk is ended when the listener has left.
  absl::Status operator()(const AdminRequest::Verify& verb) {
    bool left = false;
    const absl::StatusOr<WalkReport> report = store_.Verify(
        {.quick = verb.quick, .show_keys = verb.show_keys},
        {.found =
             [this, &left](const WalkFinding& finding) {
               left = left || !listener_.Tell(finding);
             },
         .progress =
             [this, &left](uint64_t records, uint64_t, uint64_t total) {
               left = left || !listener_.Tell(AdminWalked{records, total});
               return !left;
             }});
    if (left) return error::AdminLeft();
    return report.ok() ? Tell(*report) : report.status();
  }

  absl::Status operator()(const AdminRequest::Query& verb) {
    absl::StatusOr<Query> query = Query::FromJson(verb.json);
    if (!query.ok()) return query.status();
    if (!verb.token.empty()) query->token = verb.token;
    query->key_prefix = verb.key_prefix;
    const absl::StatusOr<QueryPage> page = [&] {
      const LeaveWatch watch(listener_);
      return store_.Query(*query, {.cancelled = &watch.left()});
    }();
    if (!page.ok()) return page.status();
    for (const QueryRow& row : page->rows) {
      absl::Status told = TellItem(row.key, row.item, listener_);
      if (!told.ok()) return told;
    }
    return Tell(AdminPage{page->next_token});
  }

  // The backup is stopped when the listener has left, and goes on when it is
  // asked for again.
  absl::Status operator()(const AdminRequest::Backup& verb) {
    using Progress = BackupRequest::Progress;
    std::optional<Progress> told;
    absl::Time told_at = absl::InfinitePast();
    const auto tell = [&](const Progress& progress) {
      const absl::Time now = absl::Now();
      const bool is_news = !told.has_value() || told->step != progress.step ||
                           told->slowed != progress.slowed;
      if (!is_news && now < told_at + kBackupInterval) return true;
      told = progress;
      told_at = now;
      return listener_.Tell(progress) &&
             !listener_.LeavesWithin(absl::ZeroDuration());
    };
    const absl::StatusOr<BackupReport> report = store_.Backup(
        {.path = verb.path, .outside = verb.outside, .on_progress = tell});
    return report.ok() ? Tell(*report) : report.status();
  }

  absl::Status operator()(const AdminRequest::Stats&) {
    const absl::StatusOr<StoreStats> stats = store_.GetStats();
    return stats.ok() ? Tell(*stats) : stats.status();
  }

  absl::Status operator()(const ItemRequest& request) {
    return AnswerAboutItems(request.verb, store_, listener_);
  }

 private:
  absl::Status Tell(const AdminReply& reply) {
    return listener_.Tell(reply) ? absl::OkStatus() : error::AdminLeft();
  }

  absl::Status Retire(uint32_t id) {
    if (absl::Status retired = keys_.Retire(id); !retired.ok()) return retired;
    return Tell(AdminDataKey{id});
  }

  Store& store_;
  StoreKeys& keys_;
  const LoadKeys load_keys_;
  AdminListener& listener_;
};

}  // namespace

absl::Status AnswerAboutStore(const AdminRequest::Verb& verb, Store& store,
                              LoadKeys load_keys, AdminListener& listener) {
  return std::visit(Answer(store, load_keys, listener), verb);
}

}  // namespace statecpp
