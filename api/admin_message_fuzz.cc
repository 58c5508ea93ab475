// SPDX-License-Identifier: Apache-2.0
//
// A request or a reply on the admin socket is written as it was read, by the
// words of protobuf.
#include <google/protobuf/util/message_differencer.h>

#include <string>
#include <variant>

#include "api/admin_message.h"
#include "engine/walk_report.h"
#include "statecpp/v1/admin.pb.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

using google::protobuf::util::MessageDifferencer;

template <typename Message>
Message Parse(absl::string_view bytes) {
  Message message;
  Expect(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
         "protobuf reads what could be read");
  message.DiscardUnknownFields();
  return message;
}

void CheckRequest(absl::string_view bytes) {
  const absl::StatusOr<AdminRequest> request = AdminRequestFromProto(bytes);
  if (!request.ok()) return;
  const std::string written = AdminRequestToProto(*request);
  Expect(MessageDifferencer::Equals(Parse<v1::AdminRequest>(written),
                                    Parse<v1::AdminRequest>(bytes)),
         "a request is written as it was read");
}

// As absl::Status has it: what is OK has no text, and a code that there is not
// is that of what is unknown.
void Normalise(v1::Status& status) {
  if (status.code() == 0) status.Clear();
  if (status.code() < 0 || status.code() > 16) status.set_code(2);
}

// What is written has every part, if only an empty one.
void Normalise(v1::AdminReply& reply) {
  if (reply.has_end()) Normalise(*reply.mutable_end());
  if (reply.has_rotation()) {
    Normalise(*reply.mutable_rotation()->mutable_error());
  }
  if (reply.has_keys()) {
    Normalise(*reply.mutable_keys()->mutable_rotation()->mutable_error());
  }
}

void CheckReply(absl::string_view bytes) {
  const absl::StatusOr<AdminReply> reply = AdminReplyFromProto(bytes);
  if (!reply.ok()) return;
  if (const auto* finding = std::get_if<WalkFinding>(&*reply)) {
    (void)NameOf(finding->kind);  // whatever number it has
  }
  v1::AdminReply expected = Parse<v1::AdminReply>(bytes);
  Normalise(expected);
  Expect(MessageDifferencer::Equals(
             Parse<v1::AdminReply>(AdminReplyToProto(*reply)), expected),
         "a reply is written as it was read");
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
