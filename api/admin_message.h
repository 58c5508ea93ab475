// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_ADMIN_MESSAGE_H_
#define STATECPP_API_ADMIN_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/admin_item.h"
#include "engine/backup.h"
#include "engine/keys_status.h"
#include "engine/store_stats.h"
#include "engine/walk_report.h"

// What is asked of a server on its admin socket, and what it answers
// (api/proto/statecpp/v1/admin.proto), as structs and as bytes.
//
//   const AdminRequest request = {.data_dir = "orders",
//                                 .verb = AdminRequest::RemoveKey{"old"}};
//   connection.Send(AdminRequestToProto(request));
//
// Thread-safe.
namespace statecpp {

struct AdminRequest {
  // Answered by one AdminStore for each that there is.
  struct ListStores {};
  // Answered by KeysStatus.
  struct GetKeysStatus {};
  // Answered by KeysStatus::Slot, the new one.
  struct AddKey {
    // Absolute, if it is asked of another process.
    std::string file;
    bool is_passphrase = false;
    bool allow_loose = false;
    // Empty: the file's name without its ending.
    std::string name = "";
  };
  struct RemoveKey {
    std::string name;
  };
  // Answered by AdminDataKey, the new one.
  struct RotateDataKey {};
  // Answered by one AdminDataKey for each that was retired.
  struct RetireDataKeys {
    // All that are not active and have no records, if there is none.
    std::optional<uint32_t> id = std::nullopt;
  };
  // Answered by one Resealer::State now and then, until nothing is left to do.
  struct WatchRotation {};

  // Answered by a WalkFinding for everything that is wrong, AdminWalked now and
  // then, and one WalkReport.
  struct Verify {
    bool quick = false;
    bool show_keys = false;
  };

  // Answered by AdminRow for each row of one page, and AdminPage.
  struct Query {
    // As Dapr's applications write it.
    std::string json;
    // Of the page before; empty: that of the query.
    std::string token = "";
    std::string key_prefix = "";
  };

  // Answered by BackupRequest::Progress now and then, and BackupReport.
  struct Backup {
    // Absolute, if it is asked of another process.
    std::string path;
    // As in BackupRequest. Not sent: a server knows its own.
    std::string outside = "";
  };

  // Answered by StoreStats.
  struct Stats {};

  using Verb = std::variant<ListStores, GetKeysStatus, AddKey, RemoveKey,
                            RotateDataKey, RetireDataKeys, WatchRotation,
                            Verify, Query, Backup, ItemRequest, Stats>;

  // Of every request but ListStores.
  std::string data_dir = "";
  Verb verb;
};

// The last answer.
struct AdminEnd {
  absl::Status status;
};
struct AdminStore {
  std::string data_dir;
  bool open;
  // Of one that is open.
  bool sealed;
  // Of one that is not: why it could not be opened when it was last asked for.
  std::string failure = "";
};
struct AdminDataKey {
  uint32_t id;
};
// How far a walk is.
struct AdminWalked {
  uint64_t records;
  // 0 where nobody knows.
  uint64_t total;
};
// One that this program does not know, from a newer server.
struct AdminUnknown {};

using AdminReply =
    std::variant<AdminUnknown, AdminEnd, AdminStore, KeysStatus,
                 KeysStatus::Slot, AdminDataKey, Resealer::State, WalkFinding,
                 AdminWalked, WalkReport, AdminRow, AdminPage,
                 BackupRequest::Progress, BackupReport, AdminCount, StoreStats>;

std::string AdminRequestToProto(const AdminRequest& request);
// INVALID_ARGUMENT: `bytes` is no request. UNIMPLEMENTED: it is one that this
// program does not know.
absl::StatusOr<AdminRequest> AdminRequestFromProto(absl::string_view bytes);

std::string AdminReplyToProto(const AdminReply& reply);
// INVALID_ARGUMENT: `bytes` is no reply.
absl::StatusOr<AdminReply> AdminReplyFromProto(absl::string_view bytes);

}  // namespace statecpp

#endif  // STATECPP_API_ADMIN_MESSAGE_H_
