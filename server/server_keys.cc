// SPDX-License-Identifier: Apache-2.0
#include "server/server_keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/errors.h"
#include "engine/error_payload.h"
#include "server/dev_key.h"
#include "server/errors.h"

namespace statecpp {
namespace {

// Without symbolic links; empty where there is nothing.
std::string RealPath(const std::string& path) {
  char* const real = realpath(path.c_str(), nullptr);
  if (real == nullptr) return "";
  std::string copy = real;
  free(real);
  return copy;
}

// Of paths without symbolic links, or as they were given.
bool IsIn(absl::string_view path, absl::string_view folder) {
  return absl::StartsWith(path, absl::StrCat(folder, "/"));
}

absl::StatusOr<std::shared_ptr<const MasterKeys>> LoadFrom(
    const KeySource& source) {
  absl::StatusOr<std::shared_ptr<const MasterKeys>> keys = source.Load();
  if (keys.ok()) return keys;
  return error::AboutKey(keys.status());
}

absl::Status CheckFolder(const std::string& folder) {
  struct stat stat;
  if (::stat(folder.c_str(), &stat) != 0) {
    return error::KeyFolderUnusable(
        folder, absl::StrCat("cannot be used: ", strerror(errno)));
  }
  if (S_ISDIR(stat.st_mode)) return absl::OkStatus();
  return error::KeyFolderUnusable(folder, "is not a folder");
}

}  // namespace

absl::StatusOr<ServerKeys> ServerKeys::Open(Options options) {
  while (options.key_folder.size() > 1 && options.key_folder.back() == '/') {
    options.key_folder.pop_back();
  }
  const std::string root = RealPath(options.data_root);
  // A data root that is still to be made has nothing in it.
  const auto in_root = [&root](const std::string& path) {
    const std::string real = RealPath(path);
    return !root.empty() && (real == root || IsIn(real, root));
  };
  if (!options.key_folder.empty()) {
    if (absl::Status usable = CheckFolder(options.key_folder); !usable.ok()) {
      return usable;
    }
    if (!options.development && in_root(options.key_folder)) {
      return error::KeyInDataRoot(options.key_folder, options.data_root);
    }
  }
  if (options.source == nullptr && options.development) {
    if (absl::Status made = EnsureDevKey(options.data_root); !made.ok()) {
      return made;
    }
    // That others may read it takes nothing from a key that protects nothing.
    options.source =
        KeyFileSource(DevKeyPath(options.data_root), /*allow_loose=*/true);
  }
  if (options.source == nullptr) return ServerKeys(std::move(options));

  const std::string path = options.source->path();
  if (!path.empty() && in_root(path)) {
    if (!options.development) {
      return error::KeyInDataRoot(path, options.data_root);
    }
    if (options.on_warning != nullptr) {
      options.on_warning(absl::StrCat(
          "stores are sealed under ", path,
          ", which is kept beside them and so protects nothing; for more than "
          "development, make a key elsewhere (statecpp keygen FILE) and give "
          "it with --key-file"));
    }
  }
  if (const auto keys = LoadFrom(*options.source); !keys.ok()) {
    return keys.status();
  }
  return ServerKeys(std::move(options));
}

std::string ServerKeys::description() const {
  return has_own() ? options_.source->description() : "none";
}

absl::StatusOr<std::string> ServerKeys::Locate(const std::string& file) const {
  const std::string& folder = options_.key_folder;
  if (folder.empty()) return error::NoKeyFolder(file);
  const std::string real_folder = RealPath(folder);
  std::string path = file;
  if (!absl::StartsWith(file, "/")) {
    path = absl::StrCat(folder, "/", file);
  } else if (!IsIn(file, folder) && !IsIn(file, real_folder)) {
    // Said before the file is looked for: whoever can connect would learn what
    // files there are.
    return error::KeyFileOutside(file, folder);
  }
  // Kubernetes mounts a secret's files as links within the folder.
  const std::string real = RealPath(path);
  if (real.empty()) return path;  // whoever reads it says why
  if (!IsIn(real, real_folder)) return error::KeyFileOutside(file, folder);
  if (!options_.development && IsIn(real, RealPath(options_.data_root))) {
    return error::KeyInDataRoot(path, options_.data_root);
  }
  return path;
}

absl::StatusOr<std::shared_ptr<const MasterKeys>> ServerKeys::Load(
    absl::string_view instance, const OwnKey& own,
    std::optional<SecretBytes> value) const {
  if (own.place == OwnKey::Place::kNone) {
    if (has_own()) return LoadFrom(*options_.source);
    const std::string dev_key = DevKeyPath(options_.data_root);
    const bool there = access(dev_key.c_str(), F_OK) == 0;
    return error::NoKeyNamed(instance, there ? dev_key : "");
  }
  if (own.place == OwnKey::Place::kValue) {
    if (!value.has_value()) return error::KeyForgotten(instance);
    return LoadFrom(*KeyValueSource(*std::move(value), "encryptionKey"));
  }
  const absl::StatusOr<std::string> path = Locate(own.text);
  if (!path.ok()) return error::AboutKey(path.status());
  const bool loose = options_.allow_loose;
  switch (own.place) {
    case OwnKey::Place::kKeyFile:
      return LoadFrom(*KeyFileSource(*path, loose, options_.on_warning));
    case OwnKey::Place::kPassphraseFile:
      return LoadFrom(*PassphraseFileSource(*path, loose, options_.on_warning));
    default:
      return LoadFrom(*KeyringFileSource(*path, loose, options_.on_warning));
  }
}

}  // namespace statecpp
