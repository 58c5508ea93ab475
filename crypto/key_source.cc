// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_source.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "crypto/errors.h"
#include "crypto/key_environment.h"
#include "crypto/key_text.h"
#include "crypto/keyring_file.h"

namespace statecpp {
namespace {

using LoadedKeys = absl::StatusOr<std::shared_ptr<const MasterKeys>>;

LoadedKeys OneKey(MasterKey key) {
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(std::move(key));
  return keys;
}

LoadedKeys KeyFromText(absl::string_view text, const std::string& name,
                       const std::string& source) {
  absl::StatusOr<Secret> key = ParseKey(text);
  if (!key.ok()) return error::InKeySource(source, key.status());
  return OneKey(MasterKey::FromKey(name, *std::move(key)));
}

absl::StatusOr<SecretBytes> ReadPassphraseFile(const KeyFile& file) {
  absl::StatusOr<SecretBytes> text = ReadKeyFile(file);
  if (!text.ok()) return text;
  absl::StatusOr<SecretBytes> passphrase = ParsePassphrase(*std::move(text));
  if (passphrase.ok()) return passphrase;
  return error::InKeySource(file.description, passphrase.status());
}

absl::StatusOr<SecretBytes> ReadPassphraseOf(
    const std::vector<std::string>& command) {
  absl::StatusOr<SecretBytes> text = RunKeyCommand(command);
  if (!text.ok()) return text;
  absl::StatusOr<SecretBytes> passphrase = ParsePassphrase(*std::move(text));
  if (passphrase.ok()) return passphrase;
  return error::InKeySource(DescribeKeyCommand(command), passphrase.status());
}

// A name that a header can keep, as near to `name` as can be.
std::string FitName(std::string name) {
  for (char& c : name) {
    if (!IsMasterKeyName(absl::string_view(&c, 1))) c = '-';
  }
  name.resize(std::min<size_t>(name.size(), 64));
  return name.empty() ? "key" : name;
}

std::string NameOfFile(const std::string& path) {
  return FitName(std::filesystem::path(path).stem());
}

// What the sources have in common that read a file.
class FileSource : public KeySource {
 public:
  explicit FileSource(KeyFile file) : file_(std::move(file)) {}

  std::string description() const override { return file_.description; }
  std::string path() const override { return file_.path; }

 protected:
  const KeyFile& file() const { return file_; }

 private:
  const KeyFile file_;
};

class OneKeyFile final : public FileSource {
 public:
  using FileSource::FileSource;

  LoadedKeys Load() const override {
    const absl::StatusOr<SecretBytes> text = ReadKeyFile(file());
    if (!text.ok()) return text.status();
    return KeyFromText(text->RevealText(), NameOfFile(path()), description());
  }
};

class PassphraseFile final : public FileSource {
 public:
  using FileSource::FileSource;

  LoadedKeys Load() const override {
    absl::StatusOr<SecretBytes> passphrase = ReadPassphraseFile(file());
    if (!passphrase.ok()) return passphrase.status();
    return OneKey(
        MasterKey::FromPassphrase(NameOfFile(path()), *std::move(passphrase)));
  }
};

class KeyringFile final : public FileSource {
 public:
  using FileSource::FileSource;

  LoadedKeys Load() const override {
    const absl::StatusOr<SecretBytes> text = ReadKeyFile(file());
    if (!text.ok()) return text.status();
    absl::StatusOr<MasterKeys> keys =
        ParseKeyringFile(*text, [this](const PassphrasePlace& place) {
          return place.file.empty() ? ReadPassphraseOf(place.command)
                                    : ReadPassphraseFile(Beside(place.file));
        });
    if (!keys.ok()) return error::InKeySource(description(), keys.status());
    return std::make_shared<const MasterKeys>(*std::move(keys));
  }

 private:
  // A path that is not absolute starts from the keyring's folder.
  KeyFile Beside(const std::string& passphrase_path) const {
    const std::string whole =
        std::filesystem::path(path()).parent_path() / passphrase_path;
    return {.description = absl::StrCat("passphrase file ", whole),
            .path = whole,
            .max_size = kMaxKeyText,
            .allow_loose = file().allow_loose,
            .on_warning = file().on_warning};
  }
};

class KeyVariable final : public KeySource {
 public:
  explicit KeyVariable(std::string name)
      : name_(std::move(name)), text_(TakeVariable(name_)) {}

  LoadedKeys Load() const override {
    if (!text_.has_value()) return error::KeyVariableUnset(name_);
    return KeyFromText(text_->RevealText(), FitName(name_), description());
  }
  std::string description() const override {
    return absl::StrCat("environment variable ", name_);
  }

 private:
  const std::string name_;
  const std::optional<SecretBytes> text_;
};

class KeyCommand final : public KeySource {
 public:
  KeyCommand(std::vector<std::string> argv, absl::Duration timeout)
      : argv_(std::move(argv)), timeout_(timeout) {}

  LoadedKeys Load() const override {
    const absl::StatusOr<SecretBytes> text = RunKeyCommand(argv_, timeout_);
    if (!text.ok()) return text.status();
    return KeyFromText(text->RevealText(), "command", description());
  }
  std::string description() const override { return DescribeKeyCommand(argv_); }

 private:
  const std::vector<std::string> argv_;
  const absl::Duration timeout_;
};

class KeyValue final : public KeySource {
 public:
  KeyValue(SecretBytes text, std::string name)
      : text_(std::move(text)), name_(FitName(std::move(name))) {}

  LoadedKeys Load() const override {
    return KeyFromText(text_.RevealText(), name_, description());
  }
  std::string description() const override {
    return absl::StrCat("key value of the ", name_);
  }

 private:
  const SecretBytes text_;
  const std::string name_;
};

KeyFile FileOf(absl::string_view kind, std::string path, size_t max_size,
               bool allow_loose, KeyWarning on_warning) {
  std::string description = absl::StrCat(kind, " ", path);
  return {.description = std::move(description),
          .path = std::move(path),
          .max_size = max_size,
          .allow_loose = allow_loose,
          .on_warning = std::move(on_warning)};
}

}  // namespace

std::shared_ptr<const KeySource> KeyFileSource(std::string path,
                                               bool allow_loose,
                                               KeyWarning on_warning) {
  return std::make_shared<OneKeyFile>(FileOf("key file", std::move(path),
                                             kMaxKeyText, allow_loose,
                                             std::move(on_warning)));
}

std::shared_ptr<const KeySource> PassphraseFileSource(std::string path,
                                                      bool allow_loose,
                                                      KeyWarning on_warning) {
  return std::make_shared<PassphraseFile>(
      FileOf("passphrase file", std::move(path), kMaxKeyText, allow_loose,
             std::move(on_warning)));
}

std::shared_ptr<const KeySource> KeyringFileSource(std::string path,
                                                   bool allow_loose,
                                                   KeyWarning on_warning) {
  return std::make_shared<KeyringFile>(FileOf("keyring file", std::move(path),
                                              kMaxKeyringFile, allow_loose,
                                              std::move(on_warning)));
}

std::shared_ptr<const KeySource> KeyEnvironmentSource(std::string name) {
  return std::make_shared<KeyVariable>(std::move(name));
}

std::shared_ptr<const KeySource> KeyCommandSource(std::vector<std::string> argv,
                                                  absl::Duration timeout) {
  return std::make_shared<KeyCommand>(std::move(argv), timeout);
}

std::shared_ptr<const KeySource> KeyValueSource(SecretBytes text,
                                                std::string name) {
  return std::make_shared<KeyValue>(std::move(text), std::move(name));
}

}  // namespace statecpp
