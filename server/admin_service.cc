// SPDX-License-Identifier: Apache-2.0
#include "server/admin_service.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/instance_name.h"
#include "engine/backup.h"
#include "engine/error_payload.h"
#include "engine/store_keys.h"
#include "engine/walk_report.h"
#include "server/errors.h"
#include "server/log.h"
#include "server/store_admin.h"

namespace statecpp {
namespace {

// What a request changes, for the log; empty where it changes nothing.
struct ChangeText {
  std::string operator()(const AdminRequest::AddKey& verb) const {
    return absl::StrCat("keys add ", verb.name.empty() ? verb.file : verb.name);
  }
  std::string operator()(const AdminRequest::RemoveKey& verb) const {
    return absl::StrCat("keys remove ", verb.name);
  }
  std::string operator()(const AdminRequest::RotateDataKey&) const {
    return "keys rotate";
  }
  std::string operator()(const AdminRequest::RetireDataKeys& verb) const {
    return verb.id.has_value() ? absl::StrCat("keys retire ", *verb.id)
                               : "keys retire";
  }
  // Neither key nor value.
  std::string operator()(const ItemRequest& request) const {
    if (std::holds_alternative<ItemRequest::Set>(request.verb)) return "set";
    if (std::holds_alternative<ItemRequest::Delete>(request.verb)) {
      return "delete";
    }
    const auto* prefix = std::get_if<ItemRequest::DeletePrefix>(&request.verb);
    return prefix != nullptr && !prefix->count_only ? "delete --prefix" : "";
  }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

void LogChange(const AdminRequest& request, const absl::Status& status) {
  const std::string change = std::visit(ChangeText(), request.verb);
  if (change.empty()) return;
  const bool items = std::holds_alternative<ItemRequest>(request.verb);
  // Whoever left did so when it was told of what had been done.
  if (status.ok() || absl::IsCancelled(status)) {
    LogInfo(items ? "items changed by hand" : "keys changed",
            {{"verb", change}, {"dataDir", request.data_dir}});
  } else if (!items) {
    LogWarning("keys not changed", {{"verb", change},
                                    {"dataDir", request.data_dir},
                                    {"error", status.message()}});
  }
}

// Hands on what a backup says, and logs that commits wait for it.
class BackupWatch final : public AdminListener {
 public:
  BackupWatch(absl::string_view data_dir, AdminListener& listener)
      : data_dir_(data_dir), listener_(listener) {}

  bool Tell(const AdminReply& reply) override {
    const auto* progress = std::get_if<BackupRequest::Progress>(&reply);
    if (progress != nullptr && progress->slowed > absl::ZeroDuration() &&
        !std::exchange(logged_, true)) {
      LogWarning("writes are slowed for a backup that does not keep up",
                 {{"dataDir", data_dir_}});
    }
    const auto* report = std::get_if<BackupReport>(&reply);
    if (report != nullptr) bytes_ = report->bytes;
    return listener_.Tell(reply);
  }
  // Of the backup, once it is made.
  uint64_t bytes() const { return bytes_; }
  bool LeavesWithin(absl::Duration duration) override {
    return listener_.LeavesWithin(duration);
  }

 private:
  const absl::string_view data_dir_;
  AdminListener& listener_;
  bool logged_ = false;
  uint64_t bytes_ = 0;
};

// Hands on what a walk says, and keeps whether all was well.
class VerifyWatch final : public AdminListener {
 public:
  explicit VerifyWatch(AdminListener& listener) : listener_(listener) {}

  bool Tell(const AdminReply& reply) override {
    const auto* report = std::get_if<WalkReport>(&reply);
    if (report != nullptr) clean_ = report->clean();
    return listener_.Tell(reply);
  }
  bool LeavesWithin(absl::Duration duration) override {
    return listener_.LeavesWithin(duration);
  }

  bool clean() const { return clean_; }

 private:
  AdminListener& listener_;
  bool clean_ = false;
};

}  // namespace

absl::Status AdminService::Verify(const Instances::ForAdmin& store,
                                  const AdminRequest& request,
                                  AdminListener& listener) {
  VerifyWatch watch(listener);
  const absl::Status answered =
      AnswerAboutStore(request.verb, *store.store, store.load_keys, watch);
  // A quick one has not seen every record.
  const bool quick = std::get<AdminRequest::Verify>(request.verb).quick;
  if (answered.ok() && watch.clean() && !quick) {
    successes_.NoteVerify(request.data_dir, absl::Now());
  }
  return answered;
}

absl::Status AdminService::BackUp(const Instances::ForAdmin& store,
                                  const AdminRequest& request,
                                  AdminListener& listener) {
  auto verb = std::get<AdminRequest::Backup>(request.verb);
  verb.outside = root_.path();
  BackupWatch watch(request.data_dir, listener);
  const absl::Time began = absl::Now();
  const absl::Status answered =
      AnswerAboutStore(verb, *store.store, store.load_keys, watch);
  if (answered.ok()) {
    const absl::Time ended = absl::Now();
    successes_.NoteBackup(
        request.data_dir,
        {.ended = ended, .took = ended - began, .bytes = watch.bytes()});
    LogInfo("backup made",
            {{"dataDir", request.data_dir}, {"path", verb.path}});
  } else {
    LogWarning("backup not made", {{"dataDir", request.data_dir},
                                   {"path", verb.path},
                                   {"error", answered.message()}});
  }
  return answered;
}

absl::Status AdminService::Answer(const AdminRequest& request,
                                  AdminListener& listener) {
  if (std::holds_alternative<AdminRequest::ListStores>(request.verb)) {
    return ListStores(listener);
  }
  absl::StatusOr<Instances::ForAdmin> store =
      instances_.StoreForAdmin(request.data_dir);
  if (!store.ok() && error::IsAboutKey(store.status()) &&
      std::holds_alternative<AdminRequest::GetKeysStatus>(request.verb)) {
    // Whose keys they are shows without one of them.
    const absl::StatusOr<KeysStatus> peeked =
        instances_.PeekKeysOf(request.data_dir);
    if (!peeked.ok()) return store.status();
    return listener.Tell(*peeked) ? absl::OkStatus() : error::AdminLeft();
  }
  if (!store.ok()) return store.status();
  if (std::holds_alternative<AdminRequest::Backup>(request.verb)) {
    return BackUp(*store, request, listener);
  }
  if (std::holds_alternative<AdminRequest::Verify>(request.verb)) {
    return Verify(*store, request, listener);
  }
  const absl::Status answered =
      AnswerAboutStore(request.verb, *store->store, store->load_keys, listener);
  LogChange(request, answered);
  return answered;
}

absl::Status AdminService::ListStores(AdminListener& listener) const {
  const absl::StatusOr<std::vector<std::string>> folders = root_.ListStores();
  if (!folders.ok()) return folders.status();
  // Also those that are open and whose folders are gone.
  std::set<std::string> names = instances_.OpenDataDirs();
  for (const std::string& folder : *folders) names.insert(NameOfFile(folder));
  for (const std::string& name : names) {
    AdminStore entry = {.data_dir = name, .open = false, .sealed = false};
    if (const auto store = instances_.OpenStoreOf(entry.data_dir)) {
      const absl::StatusOr<KeysStatus> status = store->keys().GetStatus();
      if (!status.ok()) return status.status();
      entry.open = true;
      entry.sealed = status->sealed;
    } else {
      entry.failure = instances_.WhyDown(name);
    }
    if (!listener.Tell(entry)) return error::AdminLeft();
  }
  return absl::OkStatus();
}

}  // namespace statecpp
