// SPDX-License-Identifier: Apache-2.0
#include "crypto/errors.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "crypto/error_payload.h"
#include "crypto/master_key.h"

namespace statecpp::error {
namespace {

constexpr absl::string_view kForms =
    "expected 32 raw bytes, 64 hexadecimal digits, or 32 bytes in base64 (43 "
    "or 44 characters)";
constexpr absl::string_view kKeygen =
    "`statecpp keygen FILE` makes one; no key was read";

constexpr absl::string_view kNoKey = "; no key was read";
constexpr absl::string_view kAllowLoose =
    "; --allow-loose-key-file reads it all the same";

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::Status NotGiven(absl::string_view what) {
  return absl::PermissionDeniedError(absl::StrCat(what, kNoKey));
}

absl::Status Loose(absl::string_view what,
                   const std::vector<std::string>& command) {
  return WithMendingCommand(NotGiven(absl::StrCat(what, kAllowLoose)), command);
}

// A name from a file, for a text. One that is no name may be a key that went
// astray.
std::string Shown(absl::string_view name) {
  if (name.size() > 32 || !IsMasterKeyName(name)) return "";
  return absl::StrCat(" \"", name, "\"");
}

}  // namespace

absl::Status KeyTextEmpty() {
  return Malformed(absl::StrCat("the key is empty; ", kForms, "; ", kKeygen));
}

absl::Status KeyTextRawWithNewline(size_t size) {
  return Malformed(absl::StrCat("the key has ", size,
                                " bytes, which look like 32 raw bytes plus a "
                                "newline; write it without the newline, or as "
                                "64 hexadecimal digits; no key was read"));
}

absl::Status KeyTextHexTooShort() {
  return Malformed(absl::StrCat(
      "the key has 32 hexadecimal digits, which is a 128-bit key; 64 hex "
      "digits are needed (256 bits); ",
      kKeygen));
}

absl::Status KeyTextHexLength(size_t digits) {
  return Malformed(absl::StrCat(
      "the key has ", digits, " hexadecimal digits; 64 are needed; ", kKeygen));
}

absl::Status KeyTextBase64(size_t size) {
  return Malformed(absl::StrCat("the key has ", size,
                                " characters, as base64 of 32 bytes would, and "
                                "is none; ",
                                kForms, "; ", kKeygen));
}

absl::Status KeyTextLength(size_t size) {
  return Malformed(
      absl::StrCat("the key has ", size, " bytes; ", kForms, "; ", kKeygen));
}

absl::Status KeyTextAllEqual() {
  return Malformed(absl::StrCat(
      "all bytes of the key are the same, so it is not random; ", kKeygen));
}

absl::Status PassphraseEmpty() {
  return Malformed("the passphrase is empty; no key was read");
}

absl::Status InKeySource(absl::string_view source, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(source, ": ", status.message()));
}

absl::Status KeyFileMissing(absl::string_view source) {
  return absl::PermissionDeniedError(absl::StrCat(
      source, " does not exist; name the file that holds the key; ", kKeygen));
}

absl::Status KeyFileUnreadable(absl::string_view source, int error_number) {
  return NotGiven(absl::StrCat("could not read ", source, ": ",
                               std::strerror(error_number)));
}

absl::Status KeyFileOfKind(absl::string_view source, absl::string_view kind) {
  return Malformed(absl::StrCat(source, " is ", kind,
                                "; expected a regular file; no key was read"));
}

absl::Status KeyFileTooLarge(absl::string_view source, uint64_t size,
                             size_t limit) {
  return Malformed(absl::StrCat(source, " has ", size, " bytes; the limit is ",
                                limit, "; no key was read"));
}

absl::Status KeyFileChanging(absl::string_view source) {
  return NotGiven(absl::StrCat(source,
                               " changed while it was read; try "
                               "again"));
}

absl::Status KeyFileLooseMode(absl::string_view source, absl::string_view path,
                              mode_t mode) {
  return Loose(absl::StrFormat(
                   "%s has mode %04o, so that others %s; run `chmod g-w,o-rwx "
                   "%s`, or in "
                   "Kubernetes set `defaultMode: 0440` on the volume",
                   source, mode & 07777,
                   (mode & 022) != 0 ? "can change it" : "can read it", path),
               {"chmod", "g-w,o-rwx", std::string(path)});
}

absl::Status KeyFileOfOther(absl::string_view source, absl::string_view path,
                            uid_t owner, uid_t uid) {
  return Loose(
      absl::StrCat(source, " belongs to uid ", owner,
                   ", who can change it; expected uid ", uid,
                   ", which this process runs as, or root; run `chown ", uid,
                   " ", path, "` as root"),
      {"chown", absl::StrCat(uid), std::string(path)});
}

absl::Status KeyFolderLoose(absl::string_view source, absl::string_view folder,
                            mode_t mode) {
  return Loose(
      absl::StrFormat(
          "%s is in a folder where others can put another in its place: %s has "
          "mode %04o; run `chmod o-w %s`, or move the file",
          source, folder, mode & 07777, folder),
      {"chmod", "o-w", std::string(folder)});
}

std::string KeyFileReadThough(const absl::Status& loose) {
  const absl::string_view why = absl::StripSuffix(
      absl::StripSuffix(loose.message(), kNoKey), kAllowLoose);
  return absl::StrCat(
      why, "; it was read all the same, as --allow-loose-key-file says");
}

absl::Status KeyVariableUnset(absl::string_view name) {
  return NotGiven(absl::StrCat("the environment variable ", name,
                               " is not set, or was read and wiped already; "
                               "set it to 64 hexadecimal digits"));
}

absl::Status KeyCommandMissing() {
  return Malformed(
      "the key command is empty; expected a program and its arguments; no key "
      "was read");
}

absl::Status KeyCommandNotStarted(absl::string_view source, int error_number) {
  return NotGiven(absl::StrCat(
      "could not run ", source, ": ", std::strerror(error_number),
      "; expected an executable file, named by its path or found in PATH"));
}

absl::Status KeyCommandUnheard(absl::string_view source, int error_number) {
  return NotGiven(absl::StrCat("could not read the output of ", source, ": ",
                               std::strerror(error_number)));
}

absl::Status KeyCommandExited(absl::string_view source, int exit_code) {
  return NotGiven(absl::StrCat(source, " exited with ", exit_code,
                               "; expected 0; what it said is on standard "
                               "error"));
}

absl::Status KeyCommandKilled(absl::string_view source, int signal) {
  return NotGiven(absl::StrCat(source, " was ended by signal ", signal, " (",
                               strsignal(signal), "); expected exit code 0"));
}

absl::Status KeyCommandTimedOut(absl::string_view source,
                                absl::Duration timeout) {
  return NotGiven(absl::StrCat(source,
                               " did not end, or did not close its "
                               "output, within ",
                               absl::FormatDuration(timeout),
                               " and was killed; it may not wait for input"));
}

absl::Status KeyCommandSilent(absl::string_view source) {
  return NotGiven(absl::StrCat(source,
                               " printed nothing; expected the key on "
                               "its standard output"));
}

absl::Status KeyCommandTooLong(absl::string_view source, size_t limit) {
  return NotGiven(absl::StrCat(source, " printed more than ", limit,
                               " bytes and was killed; expected the key alone "
                               "on its standard output"));
}

absl::Status KeyringNotJson(absl::string_view reason) {
  return Malformed(
      absl::StrCat("no such JSON as expected: ", reason, "; no key was read"));
}

absl::Status KeyringUnknownField(absl::string_view field,
                                 absl::string_view expected) {
  return Malformed(absl::StrCat("unknown field", Shown(field), "; expected ",
                                expected, "; no key was read"));
}

absl::Status KeyringRepeatedField(absl::string_view field) {
  return Malformed(absl::StrCat("the field \"", field,
                                "\" is there twice; no key was read"));
}

absl::Status KeyringFieldType(absl::string_view field,
                              absl::string_view expected) {
  return Malformed(absl::StrCat("the field \"", field, "\" is not ", expected,
                                "; no key was read"));
}

absl::Status KeyringMissingField(absl::string_view field) {
  return Malformed(
      absl::StrCat("the field \"", field, "\" is missing; no key was read"));
}

absl::Status KeyringUnknownVersion() {
  return Malformed(
      "its \"version\" is not 1, the only one that this program knows; no key "
      "was read");
}

absl::Status KeyringBadName(size_t entry) {
  return Malformed(absl::StrCat("entry ", entry,
                                " of \"keys\": \"name\" is not 1 to 64 "
                                "characters of A-Z a-z 0-9 . _ -; no key was "
                                "read"));
}

absl::Status KeyringRepeatedName(absl::string_view name) {
  return Malformed(
      absl::StrCat("two keys have the name \"", name, "\"; no key was read"));
}

absl::Status KeyringUnknownUse() {
  return Malformed(
      "\"use\" is not \"unlock\", the only value it may have; no key was read");
}

absl::Status KeyringEscapedKey() {
  return Malformed(
      "\"key\" has a backslash; write its characters as they are, / among "
      "them; no key was read");
}

absl::Status KeyringNeitherKeyNorPassphrase() {
  return Malformed(
      "expected one of \"key\" and \"passphrase\"; no key was read");
}

absl::Status KeyringNeitherFileNorCommand() {
  return Malformed(
      "expected one of \"file\" and \"exec\" in \"passphrase\"; no key was "
      "read");
}

absl::Status KeyringPrimaryUnknown(absl::string_view primary) {
  return Malformed(absl::StrCat("\"primary\"", Shown(primary),
                                " is the name of none of its keys; no key was "
                                "read"));
}

absl::Status KeyringPrimaryOnlyUnlocks(absl::string_view primary) {
  return Malformed(absl::StrCat("the primary key \"", primary,
                                "\" has \"use\": \"unlock\", so no store may "
                                "be sealed under it; name another as "
                                "\"primary\"; no key was read"));
}

absl::Status InKeyringEntry(size_t entry, absl::string_view name,
                            const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("entry ", entry, Shown(name),
                                   " of \"keys\": ", status.message()));
}

}  // namespace statecpp::error
