// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_KEY_FLAGS_H_
#define STATECPP_CLI_KEY_FLAGS_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/key_source.h"

namespace statecpp {

// The flags that say where a key is, as given; empty for those that are not.
// The same for every verb that opens a sealed store.
struct KeyFlags {
  std::string key_file = "";
  std::string key_environment = "";
  std::string key_command = "";
  std::string passphrase_file = "";
  std::string keyring_file = "";
  bool allow_loose_key_file = false;
  bool require_mlock = false;
  // What stands behind the two dashes of each: "new-" for --new-key-file.
  std::string prefix = "";
};

// Adds --key-file, --key-env, --key-command, --passphrase-file, --keyring-file
// and --allow-loose-key-file to `verb`, and --require-mlock. `flags` outlives
// it.
//
// With a prefix they are the flags of a second key, beside those of the first,
// which has --require-mlock for both:
//
//   AddKeyFlags(verb, flags->keys);
//   AddKeyFlags(verb, flags->new_key, "new-");
void AddKeyFlags(CLI::App* verb, KeyFlags& flags,
                 const std::string& prefix = "");

// Whether one of the flags names a key.
bool NamesKey(const KeyFlags& flags);

// Prints a line on standard error.
void PrintKeyWarning(absl::string_view text);

// The source that the flags name. With none of them, and no prefix: the key
// file of $STATECPP_KEY_FILE, else systemd's credential
// $CREDENTIALS_DIRECTORY/statecpp.key if there is one. nullptr when nothing
// names any. `on_warning` as in KeyFileSource; it is also told, where there is
// no prefix, that keys may come into swap (CheckKeyMemory).
//
// Reads no key but that of a variable, which is wiped: call it before the first
// thread starts.
//
// INVALID_ARGUMENT: more than one flag, or a command that is none; or keys may
//     come into swap, and --require-mlock was given.
absl::StatusOr<std::shared_ptr<const KeySource>> ChooseKeySource(
    const KeyFlags& flags, KeyWarning on_warning = PrintKeyWarning);

}  // namespace statecpp

#endif  // STATECPP_CLI_KEY_FLAGS_H_
