// SPDX-License-Identifier: Apache-2.0
#include "api/admin_message.h"

#include <utility>

#include "absl/strings/cord.h"
#include "api/admin_item_proto.h"
#include "api/admin_stats_proto.h"
#include "api/errors.h"
#include "api/report_message.h"
#include "statecpp/v1/admin.pb.h"

namespace statecpp {
namespace {

// Calls what stands for the alternative that a variant holds.
template <typename... Writers>
struct Overloaded : Writers... {
  using Writers::operator()...;
};
template <typename... Writers>
Overloaded(Writers...) -> Overloaded<Writers...>;

v1::Status StatusToProto(const absl::Status& status) {
  v1::Status message;
  message.set_code(static_cast<int>(status.code()));
  message.set_text(std::string(status.message()));
  status.ForEachPayload(
      [&message](absl::string_view type, const absl::Cord& payload) {
        (*message.mutable_payloads())[std::string(type)] = std::string(payload);
      });
  return message;
}

absl::Status StatusFromProto(const v1::Status& message) {
  absl::Status status(static_cast<absl::StatusCode>(message.code()),
                      message.text());
  for (const auto& [type, payload] : message.payloads()) {
    status.SetPayload(type, absl::Cord(payload));
  }
  return status;
}

v1::Slot SlotToProto(const KeysStatus::Slot& slot) {
  v1::Slot message;
  message.set_name(slot.name);
  message.set_is_passphrase(slot.passphrase);
  message.set_fingerprint(slot.fingerprint);
  return message;
}

KeysStatus::Slot SlotFromProto(const v1::Slot& message) {
  return {.name = message.name(),
          .passphrase = message.is_passphrase(),
          .fingerprint = message.fingerprint()};
}

v1::Rotation RotationToProto(const Resealer::State& state) {
  v1::Rotation message;
  message.set_left(state.left);
  message.set_running(state.running);
  message.set_done(state.done);
  message.set_damaged(state.damaged);
  *message.mutable_error() = StatusToProto(state.error);
  return message;
}

Resealer::State RotationFromProto(const v1::Rotation& message) {
  return {.left = message.left(),
          .running = message.running(),
          .done = message.done(),
          .damaged = message.damaged(),
          .error = StatusFromProto(message.error())};
}

v1::Keys KeysToProto(const KeysStatus& status) {
  v1::Keys message;
  message.set_store_id(status.store_id);
  message.set_sealed(status.sealed);
  for (const KeysStatus::Slot& slot : status.slots) {
    *message.add_slots() = SlotToProto(slot);
  }
  for (const KeysStatus::DataKey& key : status.data_keys) {
    v1::DataKey* const data_key = message.add_data_keys();
    data_key->set_id(key.id);
    data_key->set_active(key.active);
    data_key->set_records(key.records);
  }
  message.set_counted(status.counted);
  message.set_records(status.records);
  *message.mutable_rotation() = RotationToProto(status.resealer);
  return message;
}

KeysStatus KeysFromProto(const v1::Keys& message) {
  KeysStatus status = {.store_id = message.store_id(),
                       .sealed = message.sealed(),
                       .slots = {},
                       .data_keys = {},
                       .counted = message.counted(),
                       .records = message.records(),
                       .resealer = RotationFromProto(message.rotation())};
  for (const v1::Slot& slot : message.slots()) {
    status.slots.push_back(SlotFromProto(slot));
  }
  for (const v1::DataKey& key : message.data_keys()) {
    status.data_keys.push_back(
        {.id = key.id(), .active = key.active(), .records = key.records()});
  }
  return status;
}

AdminRequest::AddKey AddKeyFromProto(const v1::AddKey& message) {
  return {.file = message.file(),
          .is_passphrase = message.is_passphrase(),
          .allow_loose = message.allow_loose(),
          .name = message.name()};
}

AdminRequest::RetireDataKeys RetireFromProto(
    const v1::RetireDataKeys& message) {
  if (!message.has_id()) return {};
  return {.id = message.id()};
}

}  // namespace

std::string AdminRequestToProto(const AdminRequest& request) {
  v1::AdminRequest message;
  message.set_data_dir(request.data_dir);
  std::visit(Overloaded{
                 [&](const AdminRequest::ListStores&) {
                   message.mutable_list_stores();
                 },
                 [&](const AdminRequest::GetKeysStatus&) {
                   message.mutable_keys_status();
                 },
                 [&](const AdminRequest::AddKey& verb) {
                   v1::AddKey* const add = message.mutable_add_key();
                   add->set_file(verb.file);
                   add->set_is_passphrase(verb.is_passphrase);
                   add->set_allow_loose(verb.allow_loose);
                   add->set_name(verb.name);
                 },
                 [&](const AdminRequest::RemoveKey& verb) {
                   message.mutable_remove_key()->set_name(verb.name);
                 },
                 [&](const AdminRequest::RotateDataKey&) {
                   message.mutable_rotate_data_key();
                 },
                 [&](const AdminRequest::RetireDataKeys& verb) {
                   v1::RetireDataKeys* const retire =
                       message.mutable_retire_data_keys();
                   if (verb.id.has_value()) retire->set_id(*verb.id);
                 },
                 [&](const AdminRequest::WatchRotation&) {
                   message.mutable_watch_rotation();
                 },
                 [&](const AdminRequest::Verify& verb) {
                   message.mutable_verify()->set_quick(verb.quick);
                   message.mutable_verify()->set_show_keys(verb.show_keys);
                 },
                 [&](const AdminRequest::Query& verb) {
                   v1::Query* const query = message.mutable_query();
                   query->set_json(verb.json);
                   query->set_token(verb.token);
                   query->set_key_prefix(verb.key_prefix);
                 },
                 [&](const AdminRequest::Backup& verb) {
                   message.mutable_backup()->set_path(verb.path);
                 },
                 [&](const ItemRequest& verb) {
                   *message.mutable_items() = ItemRequestToProto(verb);
                 },
                 [&](const AdminRequest::Stats&) { message.mutable_stats(); },
             },
             request.verb);
  return message.SerializeAsString();
}

absl::StatusOr<AdminRequest> AdminRequestFromProto(absl::string_view bytes) {
  v1::AdminRequest message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return error::AdminMessageUnreadable();
  }
  AdminRequest request = {.data_dir = message.data_dir(), .verb = {}};
  switch (message.verb_case()) {
    case v1::AdminRequest::kListStores:
      request.verb = AdminRequest::ListStores{};
      break;
    case v1::AdminRequest::kKeysStatus:
      request.verb = AdminRequest::GetKeysStatus{};
      break;
    case v1::AdminRequest::kAddKey:
      request.verb = AddKeyFromProto(message.add_key());
      break;
    case v1::AdminRequest::kRemoveKey:
      request.verb = AdminRequest::RemoveKey{message.remove_key().name()};
      break;
    case v1::AdminRequest::kRotateDataKey:
      request.verb = AdminRequest::RotateDataKey{};
      break;
    case v1::AdminRequest::kRetireDataKeys:
      request.verb = RetireFromProto(message.retire_data_keys());
      break;
    case v1::AdminRequest::kWatchRotation:
      request.verb = AdminRequest::WatchRotation{};
      break;
    case v1::AdminRequest::kVerify:
      request.verb =
          AdminRequest::Verify{.quick = message.verify().quick(),
                               .show_keys = message.verify().show_keys()};
      break;
    case v1::AdminRequest::kQuery:
      request.verb =
          AdminRequest::Query{.json = message.query().json(),
                              .token = message.query().token(),
                              .key_prefix = message.query().key_prefix()};
      break;
    case v1::AdminRequest::kBackup:
      request.verb = AdminRequest::Backup{.path = message.backup().path()};
      break;
    case v1::AdminRequest::kItems: {
      std::optional<ItemRequest> items = ItemRequestFromProto(message.items());
      if (!items.has_value()) return error::AdminRequestUnknown();
      request.verb = *std::move(items);
      break;
    }
    case v1::AdminRequest::kStats:
      request.verb = AdminRequest::Stats{};
      break;
    case v1::AdminRequest::VERB_NOT_SET:
      return error::AdminRequestUnknown();
  }
  return request;
}

std::string AdminReplyToProto(const AdminReply& reply) {
  v1::AdminReply message;
  std::visit(
      Overloaded{
          [](const AdminUnknown&) {},
          [&](const AdminEnd& end) {
            *message.mutable_end() = StatusToProto(end.status);
          },
          [&](const AdminStore& store) {
            message.mutable_store()->set_data_dir(store.data_dir);
            message.mutable_store()->set_open(store.open);
            message.mutable_store()->set_sealed(store.sealed);
            message.mutable_store()->set_failure(store.failure);
          },
          [&](const KeysStatus& status) {
            *message.mutable_keys() = KeysToProto(status);
          },
          [&](const KeysStatus::Slot& slot) {
            *message.mutable_slot() = SlotToProto(slot);
          },
          [&](const AdminDataKey& key) { message.set_data_key(key.id); },
          [&](const Resealer::State& state) {
            *message.mutable_rotation() = RotationToProto(state);
          },
          [&](const WalkFinding& finding) {
            *message.mutable_finding() = FindingToProto(finding);
          },
          [&](const AdminWalked& walked) {
            message.mutable_walked()->set_records(walked.records);
            message.mutable_walked()->set_total(walked.total);
          },
          [&](const WalkReport& report) {
            *message.mutable_report() = ReportToProto(report);
          },
          [&](const AdminRow& row) {
            *message.mutable_row() = RowToProto(row);
          },
          [&](const AdminPage& page) {
            message.mutable_page()->set_next_token(page.next_token);
            message.mutable_page()->set_damaged(page.damaged);
          },
          [&](const BackupRequest::Progress& progress) {
            *message.mutable_backup_progress() = ProgressToProto(progress);
          },
          [&](const BackupReport& report) {
            *message.mutable_backup_report() = BackupReportToProto(report);
          },
          [&](const StoreStats& stats) {
            *message.mutable_stats() = StatsToProto(stats);
          },
          [&](const AdminCount& all) { message.set_count(all.items); },
      },
      reply);
  return message.SerializeAsString();
}

absl::StatusOr<AdminReply> AdminReplyFromProto(absl::string_view bytes) {
  v1::AdminReply message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return error::AdminMessageUnreadable();
  }
  switch (message.reply_case()) {
    case v1::AdminReply::kEnd:
      return AdminEnd{StatusFromProto(message.end())};
    case v1::AdminReply::kStore:
      return AdminStore{.data_dir = message.store().data_dir(),
                        .open = message.store().open(),
                        .sealed = message.store().sealed(),
                        .failure = message.store().failure()};
    case v1::AdminReply::kKeys:
      return KeysFromProto(message.keys());
    case v1::AdminReply::kSlot:
      return SlotFromProto(message.slot());
    case v1::AdminReply::kDataKey:
      return AdminDataKey{message.data_key()};
    case v1::AdminReply::kRotation:
      return RotationFromProto(message.rotation());
    case v1::AdminReply::kFinding:
      return FindingFromProto(message.finding());
    case v1::AdminReply::kWalked:
      return AdminWalked{.records = message.walked().records(),
                         .total = message.walked().total()};
    case v1::AdminReply::kReport:
      return ReportFromProto(message.report());
    case v1::AdminReply::kRow:
      return RowFromProto(message.row());
    case v1::AdminReply::kPage:
      return AdminPage{.next_token = message.page().next_token(),
                       .damaged = message.page().damaged()};
    case v1::AdminReply::kBackupProgress:
      return ProgressFromProto(message.backup_progress());
    case v1::AdminReply::kBackupReport:
      return BackupReportFromProto(message.backup_report());
    case v1::AdminReply::kCount:
      return AdminCount{message.count()};
    case v1::AdminReply::kStats:
      return StatsFromProto(message.stats());
    case v1::AdminReply::REPLY_NOT_SET:
      return AdminUnknown{};
  }
  return AdminUnknown{};
}

}  // namespace statecpp
