// SPDX-License-Identifier: Apache-2.0
#include "engine/error_payload.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace statecpp::error {
namespace {

constexpr absl::string_view kAboutKey = "statecpp/about-key";
constexpr absl::string_view kETagMismatch = "statecpp/etag-mismatch";
constexpr absl::string_view kHttpCode = "statecpp/http-code";
constexpr absl::string_view kReason = "statecpp/reason";
constexpr absl::string_view kSystem = "statecpp/system";
constexpr absl::string_view kStoreHeld = "statecpp/store-held";

absl::Status Marked(absl::Status status, absl::string_view mark) {
  status.SetPayload(mark, absl::Cord());
  return status;
}

}  // namespace

absl::Status WithHttpCode(absl::Status status, int http_code) {
  status.SetPayload(kHttpCode, absl::Cord(absl::StrCat(http_code)));
  return status;
}

absl::Status AboutKey(absl::Status status) {
  status.SetPayload(kAboutKey, absl::Cord());
  return status;
}

bool IsAboutKey(const absl::Status& status) {
  return status.GetPayload(kAboutKey).has_value();
}

absl::Status KeyRefused(absl::string_view text) {
  return AboutKey(WithHttpCode(absl::PermissionDeniedError(text), 403));
}

absl::Status InvalidArgument(absl::string_view text) {
  return WithHttpCode(absl::InvalidArgumentError(text), 400);
}

absl::Status Mismatch(absl::string_view text) {
  return Marked(absl::FailedPreconditionError(text), kETagMismatch);
}

absl::Status FromSystem(absl::Status status) {
  return Marked(std::move(status), kSystem);
}

bool IsSystem(const absl::Status& status) {
  return status.GetPayload(kSystem).has_value();
}

absl::Status AsStoreHeld(absl::Status status) {
  return Marked(std::move(status), kStoreHeld);
}

bool IsStoreHeld(const absl::Status& status) {
  return status.GetPayload(kStoreHeld).has_value();
}

absl::Status WithReason(absl::Status status, absl::string_view reason) {
  status.SetPayload(kReason, absl::Cord(reason));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const absl::optional<absl::Cord> reason = status.GetPayload(kReason);
  return reason.has_value() ? std::string(*reason)
                            : std::string(status.message());
}

absl::Status Damage(absl::string_view text, absl::string_view reason) {
  return WithReason(absl::DataLossError(text), reason);
}

absl::Status Reworded(const absl::Status& status, absl::string_view text) {
  absl::Status reworded(status.code(), text);
  status.ForEachPayload(
      [&reworded](absl::string_view type, const absl::Cord& payload) {
        reworded.SetPayload(type, payload);
      });
  return reworded;
}

bool IsETagMismatch(const absl::Status& status) {
  return status.GetPayload(kETagMismatch).has_value();
}

std::optional<int> HttpCode(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kHttpCode);
  int http_code = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &http_code)) {
    return std::nullopt;
  }
  return http_code;
}

}  // namespace statecpp::error
