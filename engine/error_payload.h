// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_ERROR_PAYLOAD_H_
#define STATECPP_ENGINE_ERROR_PAYLOAD_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What an error says of itself beside its code and text, as payloads of its
// Status. Set by errors.cc and read at the edge; everyone between hands the
// Status on.
namespace statecpp::error {

// The HTTP status that an application should see, where the code alone does not
// say it.
absl::Status WithHttpCode(absl::Status status, int http_code);
std::optional<int> HttpCode(const absl::Status& status);

// Marked as being about a key that is missing or wrong: PERMISSION_DENIED, as
// KeyRefused makes it, may also be about a folder.
absl::Status AboutKey(absl::Status status);
bool IsAboutKey(const absl::Status& status);

// PERMISSION_DENIED about a key, and HTTP 403.
absl::Status KeyRefused(absl::string_view text);

// INVALID_ARGUMENT, and HTTP 400.
absl::Status InvalidArgument(absl::string_view text);

// FAILED_PRECONDITION, and marked: that code means ETags and nothing else.
absl::Status Mismatch(absl::string_view text);
bool IsETagMismatch(const absl::Status& status);

// Marked as what the system answered, where the code alone reads as ours: a
// file that may not be opened is not a key that opens nothing.
absl::Status FromSystem(absl::Status status);
bool IsSystem(const absl::Status& status);

// Marked: another process, or another Store of this one, has the store open.
absl::Status AsStoreHeld(absl::Status status);
bool IsStoreHeld(const absl::Status& status);

// With what is wrong and how, without advice, for texts of other errors.
absl::Status WithReason(absl::Status status, absl::string_view reason);
// That reason; of an error without one its text.
std::string ReasonOf(const absl::Status& status);

// DATA_LOSS, of which `reason` is what is damaged and how.
absl::Status Damage(absl::string_view text, absl::string_view reason);

// The same error, payloads and all, in other words.
absl::Status Reworded(const absl::Status& status, absl::string_view text);

}  // namespace statecpp::error

#endif  // STATECPP_ENGINE_ERROR_PAYLOAD_H_
