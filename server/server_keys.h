// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_SERVER_KEYS_H_
#define STATECPP_SERVER_SERVER_KEYS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/component_config.h"
#include "crypto/key_source.h"
#include "crypto/secret_bytes.h"

namespace statecpp {

// The keys that a server opens its sealed stores with: one of its own, and
// those that its components name. Each is read anew when a store is opened or
// configured, so that a key that was replaced outside counts from then on.
//
// A key in the data root is refused, since it protects nothing there, unless
// for development. Thread-safe.
class ServerKeys {
 public:
  struct Options {
    std::string data_root = "";
    // The server's own; null: it has none.
    std::shared_ptr<const KeySource> source = nullptr;
    // Where the files are that components may name; empty: they may name none.
    std::string key_folder = "";
    // Reads files there that others could read or change.
    bool allow_loose = false;
    // A key in the data root will do; one is made where there is no source.
    bool development = false;
    KeyWarning on_warning = nullptr;
  };

  // Loads the server's own key, to see that it can be had. The data root is
  // there, and this process's.
  //
  // INVALID_ARGUMENT: what the source gives is no key, or the key folder none.
  // PERMISSION_DENIED: the source gives none, or it is in the data root. Both
  //     as error::AboutKey.
  static absl::StatusOr<ServerKeys> Open(Options options);

  // Whether the server has a key of its own.
  bool has_own() const { return options_.source != nullptr; }
  // Where that one is, for the log; "none".
  std::string description() const;

  // The keys that open the store of an instance. `value` is there if that is
  // the key's place.
  //
  // INVALID_ARGUMENT: what is there is no key; or the component names a file
  //     that is not in the key folder.
  // PERMISSION_DENIED: there is no key, or none may be had. Both as
  //     error::AboutKey.
  absl::StatusOr<std::shared_ptr<const MasterKeys>> Load(
      absl::string_view instance, const OwnKey& own,
      std::optional<SecretBytes> value) const;

 private:
  explicit ServerKeys(Options options) : options_(std::move(options)) {}

  // The path of a file that a component names.
  absl::StatusOr<std::string> Locate(const std::string& file) const;

  Options options_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_SERVER_KEYS_H_
