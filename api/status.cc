// SPDX-License-Identifier: Apache-2.0
#include "api/status.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace statecpp {
namespace {

// The text of an ETag error travels three times: percent-encoded in
// grpc-message (3 bytes for each of a non-ASCII letter's), and twice in the
// details (in base64, 4 bytes for 3). 5.7 times this is less than 8 KiB.
constexpr size_t kMaxText = 1300;
constexpr size_t kTail = 400;

// What tells one kind of error from another for a program: `reason` after
// "STATECPP_" and, for HTTP, `tag` after "ERR_STATECPP_".
absl::string_view KindOf(int http_code) {
  switch (http_code) {
    case 400:
      return "INVALID_REQUEST";
    case 401:
    case 403:
      return "PERMISSION_DENIED";
    case 409:
      return "CONFLICT";
    case 413:
      return "TOO_LARGE";
    case 422:
      return "SCAN_LIMIT";
    case 429:
      return "TOO_MANY_REQUESTS";
    case 503:
      return "UNAVAILABLE";
    case 507:
      return "STORE_FULL";
    default:
      return "FAILED";
  }
}

std::optional<int> HttpCodeOf(const absl::Status& status) {
  if (const std::optional<int> http_code = error::HttpCode(status)) {
    return http_code;
  }
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kResourceExhausted:
      return 507;
    default:
      return std::nullopt;
  }
}

bool IsContinuation(char c) { return (c & 0xC0) == 0x80; }

// The text without its middle where it is too long: what failed stands in
// front, what to do and what did not happen at the end.
std::string Shortened(absl::string_view text) {
  if (text.size() <= kMaxText) return std::string(text);
  // Letters are not cut: a detail that is not UTF-8 is lost on Go clients.
  size_t head = kMaxText - kTail - 40;
  while (head > 0 && IsContinuation(text[head])) --head;
  size_t tail = text.size() - kTail;
  while (tail < text.size() && IsContinuation(text[tail])) ++tail;
  return absl::StrCat(text.substr(0, head), " [", tail - head,
                      " bytes left out] ", text.substr(tail));
}

// daprd heeds a status only if it has exactly one detail, and gRPC clients only
// if the status inside repeats the code outside.
template <typename Detail>
grpc::Status WithDetail(grpc::StatusCode code, const std::string& text,
                        const Detail& detail) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(text);
  status.add_details()->PackFrom(detail);
  return grpc::Status(code, text, status.SerializeAsString());
}

}  // namespace

grpc::Status GrpcStatusFrom(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string text = Shortened(status.message());

  if (error::IsETagMismatch(status)) {
    google::rpc::BadRequest detail;
    auto* violation = detail.add_field_violations();
    violation->set_field("etag");
    violation->set_description(text);
    return WithDetail(grpc::StatusCode::FAILED_PRECONDITION, text, detail);
  }

  // absl and gRPC number the codes alike.
  auto code = static_cast<grpc::StatusCode>(status.code());
  const std::optional<int> http_code = HttpCodeOf(status);
  if (code == grpc::StatusCode::FAILED_PRECONDITION ||
      code == grpc::StatusCode::NOT_FOUND) {
    code = grpc::StatusCode::INTERNAL;
  }
  if (!http_code.has_value()) return grpc::Status(code, text);
  if (*http_code == 503) code = grpc::StatusCode::UNAVAILABLE;

  google::rpc::ErrorInfo detail;
  const absl::string_view kind = KindOf(*http_code);
  detail.set_reason(absl::StrCat("STATECPP_", kind));
  detail.set_domain("statecpp");
  auto& metadata = *detail.mutable_metadata();
  metadata["kit_error"] = "true";
  metadata["http_code"] = absl::StrCat(*http_code);
  metadata["tag"] = absl::StrCat("ERR_STATECPP_", kind);
  return WithDetail(code, text, detail);
}

}  // namespace statecpp
