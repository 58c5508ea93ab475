// SPDX-License-Identifier: Apache-2.0
#include "cli/key_flags.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command_words.h"
#include "cli/process_hardening.h"

namespace statecpp {
namespace {

constexpr char kKeyFileVariable[] = "STATECPP_KEY_FILE";
constexpr char kCredential[] = "statecpp.key";

absl::Status TooManySources(const std::vector<std::string>& flags) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the key is to come from one place, and there are ", flags.size(), ": ",
      absl::StrJoin(flags, ", "), "; keep one of them; no key was read"));
}

absl::Status CommandNotClosed(absl::string_view flag) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag,
                   ": a quote is not closed, or a backslash stands at "
                   "the end; no key was read"));
}

absl::Status MlockRequired(const absl::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat(status.message(),
                   "; with --require-mlock that is the end: no key was read"));
}

// What an unset variable of a script leaves behind is not "no flag".
std::string RefuseEmpty(const std::string& text) {
  return text.empty() ? "must not be empty" : "";
}

std::string Flag(const KeyFlags& flags, absl::string_view name) {
  return absl::StrCat("--", flags.prefix, name);
}

std::string Variable(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

// Where systemd puts what LoadCredential= names; empty if it is not there.
std::string CredentialPath() {
  const std::string folder = Variable("CREDENTIALS_DIRECTORY");
  if (folder.empty()) return "";
  const std::string path = absl::StrCat(folder, "/", kCredential);
  return access(path.c_str(), F_OK) == 0 ? path : "";
}

std::vector<std::string> Given(const KeyFlags& flags) {
  std::vector<std::string> given;
  const std::pair<absl::string_view, const std::string*> all[] = {
      {"key-file", &flags.key_file},
      {"key-env", &flags.key_environment},
      {"key-command", &flags.key_command},
      {"passphrase-file", &flags.passphrase_file},
      {"keyring-file", &flags.keyring_file}};
  for (const auto& [name, value] : all) {
    if (!value->empty()) given.push_back(Flag(flags, name));
  }
  return given;
}

}  // namespace

void AddKeyFlags(CLI::App* verb, KeyFlags& flags, const std::string& prefix) {
  flags.prefix = prefix;
  const auto add = [&](absl::string_view name, std::string& value,
                       const char* type, const std::string& help) {
    verb->add_option(Flag(flags, name), value, help)
        ->type_name(type)
        ->check(CLI::Validator(RefuseEmpty, ""));
  };
  std::string key_file =
      "File with the key: 32 raw bytes, 64 hex digits or base64";
  if (prefix.empty()) {
    absl::StrAppend(&key_file, "; else $", kKeyFileVariable,
                    ", $CREDENTIALS_DIRECTORY/", kCredential);
  }
  add("key-file", flags.key_file, "FILE", key_file);
  add("key-env", flags.key_environment, "NAME",
      "Environment variable with the key; wiped once read");
  add("key-command", flags.key_command, "COMMAND",
      "Command that prints the key; run without a shell");
  add("passphrase-file", flags.passphrase_file, "FILE",
      "File with a passphrase instead of a key; opening takes longer");
  add("keyring-file", flags.keyring_file, "FILE",
      "File with several keys, as JSON");
  verb->add_flag(Flag(flags, "allow-loose-key-file"),
                 flags.allow_loose_key_file,
                 "Read a key file all the same that others can read or change");
  if (!prefix.empty()) return;
  verb->add_flag("--require-mlock", flags.require_mlock,
                 "End, instead of warning, where memory cannot be locked and "
                 "keys could come into swap");
}

bool NamesKey(const KeyFlags& flags) { return !Given(flags).empty(); }

void PrintKeyWarning(absl::string_view text) {
  std::cerr << "statecpp: warning: " << text << "\n";
}

absl::StatusOr<std::shared_ptr<const KeySource>> ChooseKeySource(
    const KeyFlags& flags, KeyWarning on_warning) {
  const std::vector<std::string> given = Given(flags);
  if (given.size() > 1) return TooManySources(given);
  if (flags.prefix.empty()) {
    const absl::Status status = CheckKeyMemory();
    if (!status.ok() && flags.require_mlock) return MlockRequired(status);
    if (!status.ok() && on_warning != nullptr) on_warning(status.message());
  }
  const bool loose = flags.allow_loose_key_file;
  if (!flags.key_environment.empty()) {
    return KeyEnvironmentSource(flags.key_environment);
  }
  if (!flags.key_command.empty()) {
    std::optional<std::vector<std::string>> words =
        CommandWords(flags.key_command);
    if (!words.has_value()) return CommandNotClosed(Flag(flags, "key-command"));
    return KeyCommandSource(*std::move(words));
  }
  if (!flags.passphrase_file.empty()) {
    return PassphraseFileSource(flags.passphrase_file, loose, on_warning);
  }
  if (!flags.keyring_file.empty()) {
    return KeyringFileSource(flags.keyring_file, loose, on_warning);
  }
  std::string path = flags.key_file;
  if (path.empty() && flags.prefix.empty()) path = Variable(kKeyFileVariable);
  if (path.empty() && flags.prefix.empty()) path = CredentialPath();
  if (path.empty()) return nullptr;
  return KeyFileSource(path, loose, on_warning);
}

}  // namespace statecpp
