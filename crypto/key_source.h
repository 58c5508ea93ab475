// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CRYPTO_KEY_SOURCE_H_
#define STATECPP_CRYPTO_KEY_SOURCE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/key_command.h"
#include "crypto/key_file.h"
#include "crypto/master_key.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

// Where master keys come from. Says how to get them and holds none itself,
// where that can be helped, so that a key that was replaced outside is found
// the next time one is needed.
//
//   const auto source = KeyFileSource("/etc/statecpp/prod.key", false);
//   absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = source->Load();
//   if (!keys.ok()) return keys.status();  // says which file, and what to do
//
// Thread-safe, but for the environment: see KeyEnvironmentSource.
class KeySource {
 public:
  virtual ~KeySource() = default;

  // Reads the keys, anew each time. May take as long as a command does.
  //
  // INVALID_ARGUMENT: what is there is no key, or no file of keys.
  // PERMISSION_DENIED: no key was given out: there is no such file or variable,
  //   it may not be read, others could have read or changed it, the command
  //   failed.
  virtual absl::StatusOr<std::shared_ptr<const MasterKeys>> Load() const = 0;

  // For errors and logs: "key file /etc/statecpp/prod.key". Never a secret, nor
  // the arguments of a command.
  virtual std::string description() const = 0;

  // The file that Load reads first, as it was given; empty where there is none.
  virtual std::string path() const { return ""; }
};

// A file that holds one key, in a form that ParseKey takes. Others may neither
// read it nor change it, under the rules of key_file.h; with `allow_loose` it
// is read all the same, and `on_warning` is told. The key's name is that of the
// file without its ending.
std::shared_ptr<const KeySource> KeyFileSource(std::string path,
                                               bool allow_loose,
                                               KeyWarning on_warning = nullptr);

// A file, under the same rules, that holds a passphrase in any encoding. One
// newline at its end is not part of it.
std::shared_ptr<const KeySource> PassphraseFileSource(
    std::string path, bool allow_loose, KeyWarning on_warning = nullptr);

// A file, under the same rules, that holds several keys (keyring_file.h).
std::shared_ptr<const KeySource> KeyringFileSource(
    std::string path, bool allow_loose, KeyWarning on_warning = nullptr);

// A key in the environment variable `name`. It is read here, once, and wiped
// from the environment, so that neither /proc/PID/environ nor a child process
// shows it: call this while no other thread is there to use the environment.
// A variable that is not set is an error of Load. The key's name is `name`.
std::shared_ptr<const KeySource> KeyEnvironmentSource(std::string name);

// What a command prints: one key in a form that ParseKey takes, 4 KiB at most.
// `argv` is executed as it stands, without a shell; a name without a slash is
// looked for in PATH. It must exit with 0 within `timeout`, and is killed with
// its process group if not. Its standard error is ours. The key's name is
// "command".
std::shared_ptr<const KeySource> KeyCommandSource(
    std::vector<std::string> argv, absl::Duration timeout = kKeyCommandTimeout);

// A key that is at hand as text, in a form that ParseKey takes.
std::shared_ptr<const KeySource> KeyValueSource(SecretBytes text,
                                                std::string name);

}  // namespace statecpp

#endif  // STATECPP_CRYPTO_KEY_SOURCE_H_
