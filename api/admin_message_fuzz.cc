// SPDX-License-Identifier: Apache-2.0
//
// A request or a reply on the admin socket that can be read is the same when it
// is written and read again.
#include <string>
#include <variant>

#include "api/admin_message.h"
#include "engine/walk_report.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

void CheckRequest(absl::string_view bytes) {
  const absl::StatusOr<AdminRequest> request = AdminRequestFromProto(bytes);
  if (!request.ok()) return;
  const std::string written = AdminRequestToProto(*request);
  const absl::StatusOr<AdminRequest> again = AdminRequestFromProto(written);
  Expect(again.ok() && again->verb.index() == request->verb.index() &&
             AdminRequestToProto(*again) == written,
         "a request reads back");
}

void CheckReply(absl::string_view bytes) {
  const absl::StatusOr<AdminReply> reply = AdminReplyFromProto(bytes);
  if (!reply.ok()) return;
  if (const auto* finding = std::get_if<WalkFinding>(&*reply)) {
    (void)NameOf(finding->kind);  // whatever number it has
  }
  const std::string written = AdminReplyToProto(*reply);
  const absl::StatusOr<AdminReply> again = AdminReplyFromProto(written);
  Expect(again.ok() && again->index() == reply->index(), "a reply reads back");
  // Twice: the payloads of a status have no order on the wire.
  Expect(AdminReplyToProto(*again).size() == written.size(),
         "a reply that reads back is the same");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  const bool is_request = input.Below(2) == 0;
  const absl::string_view bytes = input.Rest();
  if (is_request) {
    CheckRequest(bytes);
  } else {
    CheckReply(bytes);
  }
}

}  // namespace statecpp
