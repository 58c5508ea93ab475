// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_ERRORS_H_
#define STATECPP_API_ERRORS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Every error that a component's configuration or a request can draw before it
// reaches the engine, whose own are in engine/errors.h. The same rules hold.
namespace statecpp::error {

// --- Component metadata ------------------------------------------------------

// `expected` is a phrase: "a duration such as \"5m\"". A long value, which may
// be a secret in the wrong field, is described and not shown.
absl::Status InvalidField(absl::string_view name, absl::string_view value,
                          absl::string_view expected);
absl::Status RepeatedField(absl::string_view name, absl::string_view other);
// `nearest` is the name that was probably meant, or empty.
absl::Status UnknownField(absl::string_view name, absl::string_view nearest);
// `reason` says what to do instead, too.
absl::Status RefusedField(absl::string_view name, absl::string_view reason);
absl::Status TwoKeySources(absl::string_view name, absl::string_view other);
absl::Status InstanceNameTooLong(size_t size, size_t limit);
absl::Status InstanceNameNotUtf8();
// The file that remembers an instance's configuration.
absl::Status InstanceRecordUnreadable(absl::string_view instance,
                                      absl::string_view reason);

// What Init came with is no message.
absl::Status InitUnreadable();

// --- Requests ----------------------------------------------------------------

absl::Status InvalidTtl(absl::string_view key, absl::string_view value);
absl::Status UnknownConcurrency(absl::string_view key, int value);
absl::Status NeitherSetNorDelete();
// Of a bulk read as a whole; error::ItemPastReplyLimit is that of one item.
absl::Status ReplyPastLimit(size_t items, uint64_t limit);

// The component wants every query bounded, and `prefix` does not do that.
absl::Status QueryPrefixRequired(absl::string_view prefix);

// --- The admin socket --------------------------------------------------------

absl::Status AdminMessageUnreadable();
absl::Status AdminRequestUnknown();

// --- Instances ---------------------------------------------------------------

// Calls for an instance that no Init has configured here.
absl::Status InstanceUnknown(absl::string_view instance);
absl::Status EncryptionDiffers(absl::string_view data_dir);
// The store on disk is sealed, and the component says that it is not.
absl::Status SealedButOff(absl::string_view data_dir);
// Neither the component nor the server names a key. `dev_key` is the file that
// --dev would use, or empty.
absl::Status NoKeyNamed(absl::string_view instance, absl::string_view dev_key);
// The key came with Init, and this process has had none.
absl::Status KeyForgotten(absl::string_view instance);
// A component names a key file: the server has no folder for these, or the file
// is not in it.
absl::Status NoKeyFolder(absl::string_view file);
absl::Status KeyFileOutside(absl::string_view file, absl::string_view folder);

}  // namespace statecpp::error

#endif  // STATECPP_API_ERRORS_H_
