// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_ERRORS_H_
#define STATECPP_CRYPTO_ERRORS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Every error of getting a key from outside, one function each. The rules of
// engine/errors.h hold, and one more: no text shows what was read.
//
// INVALID_ARGUMENT: what is there is no key. PERMISSION_DENIED: no key was
// given out. `source` is a KeySource's description.
namespace statecpp::error {

// --- A key as text -----------------------------------------------------------

absl::Status KeyTextEmpty();
absl::Status KeyTextRawWithNewline(size_t size);
absl::Status KeyTextHexTooShort();
absl::Status KeyTextHexLength(size_t digits);
absl::Status KeyTextBase64(size_t size);
absl::Status KeyTextLength(size_t size);
absl::Status KeyTextAllEqual();
absl::Status PassphraseEmpty();

// Any of these, with the place that the key came from.
absl::Status InKeySource(absl::string_view source, const absl::Status& status);

// --- Files -------------------------------------------------------------------

absl::Status KeyFileMissing(absl::string_view source);
absl::Status KeyFileUnreadable(absl::string_view source, int error_number);
// `kind` is a phrase: "a folder".
absl::Status KeyFileOfKind(absl::string_view source, absl::string_view kind);
absl::Status KeyFileTooLarge(absl::string_view source, uint64_t size,
                             size_t limit);
absl::Status KeyFileChanging(absl::string_view source);
absl::Status KeyFileLooseMode(absl::string_view source, absl::string_view path,
                              mode_t mode);
absl::Status KeyFileOfOther(absl::string_view source, absl::string_view path,
                            uid_t owner, uid_t uid);
absl::Status KeyFolderLoose(absl::string_view source, absl::string_view folder,
                            mode_t mode);
// The warning about a file that was read in spite of one of the last three.
std::string KeyFileReadThough(const absl::Status& loose);

// --- Variables and commands --------------------------------------------------

absl::Status KeyVariableUnset(absl::string_view name);
absl::Status KeyCommandMissing();
absl::Status KeyCommandNotStarted(absl::string_view source, int error_number);
absl::Status KeyCommandUnheard(absl::string_view source, int error_number);
absl::Status KeyCommandExited(absl::string_view source, int exit_code);
absl::Status KeyCommandKilled(absl::string_view source, int signal);
absl::Status KeyCommandTimedOut(absl::string_view source,
                                absl::Duration timeout);
absl::Status KeyCommandSilent(absl::string_view source);
absl::Status KeyCommandTooLong(absl::string_view source, size_t limit);

// --- Files of several keys ---------------------------------------------------

absl::Status KeyringNotJson(absl::string_view reason);
// `expected` lists the fields there are.
absl::Status KeyringUnknownField(absl::string_view field,
                                 absl::string_view expected);
absl::Status KeyringRepeatedField(absl::string_view field);
// `expected` is a phrase: "a string".
absl::Status KeyringFieldType(absl::string_view field,
                              absl::string_view expected);
absl::Status KeyringMissingField(absl::string_view field);
absl::Status KeyringUnknownVersion();
// `entry` counts from 1.
absl::Status KeyringBadName(size_t entry);
absl::Status KeyringRepeatedName(absl::string_view name);
absl::Status KeyringUnknownUse();
absl::Status KeyringEscapedKey();
absl::Status KeyringNeitherKeyNorPassphrase();
absl::Status KeyringNeitherFileNorCommand();
absl::Status KeyringPrimaryUnknown(absl::string_view primary);
absl::Status KeyringPrimaryOnlyUnlocks(absl::string_view primary);

// What is wrong with one entry. `entry` counts from 1.
absl::Status InKeyringEntry(size_t entry, absl::string_view name,
                            const absl::Status& status);

}  // namespace statecpp::error

#endif  // STATECPP_CRYPTO_ERRORS_H_
