// SPDX-License-Identifier: Apache-2.0
#include "cli/init.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/failure.h"
#include "cli/new_file.h"
#include "crypto/key_text.h"
#include "crypto/secret.h"
#include "crypto/secret_bytes.h"
#include "engine/errors.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

struct InitFlags {
  std::string folder = ".";
  std::string name = "statestore";
  bool json = false;
};

absl::Status NoComponentName(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--name ", JsonText(name),
      " cannot be the name of a component: it has small letters, digits, "
      "hyphens and dots, as in Kubernetes; nothing was written"));
}

absl::Status ComponentExists(absl::string_view path) {
  return absl::AlreadyExistsError(absl::StrCat(
      path,
      " exists already, and is left as it is; nothing was written; "
      "name another folder, or another component by --name"));
}

// What Kubernetes takes for a name, as long as any file may be.
bool IsComponentName(const std::string& name) {
  const auto fits = [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 200 &&
         std::isalnum(static_cast<unsigned char>(name.front())) &&
         std::isalnum(static_cast<unsigned char>(name.back())) &&
         std::all_of(name.begin(), name.end(), fits);
}

std::string ComponentYaml(absl::string_view name) {
  return absl::StrCat(
      "apiVersion: dapr.io/v1alpha1\n"
      "kind: Component\n"
      "metadata: {name: \"",
      name,
      "\"}  # what your code calls it\n"
      "spec:\n"
      "  type: state.cpp  # from the name of the socket, cpp.sock\n"
      "  version: v1\n");
}

// As a shell takes it for one word.
std::string Quoted(const std::string& path) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || strchr("/._-+,:@%", c) != nullptr;
  };
  if (std::all_of(path.begin(), path.end(), plain)) return path;
  std::string quoted = "'";
  for (const char c : path) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

// Makes folders and files; `made_key`: there was no key yet.
absl::Status Make(const std::string& yaml, const std::string& key,
                  const std::string& name, bool& made_key) {
  struct stat info;
  // Before anything is written; a file that comes meanwhile is not replaced
  // either.
  if (lstat(yaml.c_str(), &info) == 0) return ComponentExists(yaml);
  const std::string components = fs::path(yaml).parent_path();
  std::error_code failed;
  fs::create_directories(components, failed);
  if (failed)
    return error::System("make the folder", components, failed.value());
  int error_number =
      WriteNewFile(key, KeyAsText(Secret::Random()).RevealText(), 0600);
  if (error_number != 0 && error_number != EEXIST) {
    return error::System("write a key to", key, error_number);
  }
  made_key = error_number == 0;
  // For daprd, which may be another user.
  error_number = WriteNewFile(yaml, ComponentYaml(name), 0644);
  if (error_number == EEXIST) return ComponentExists(yaml);
  if (error_number != 0) return error::System("write", yaml, error_number);
  return absl::OkStatus();
}

ExitCode Init(const InitFlags& flags) {
  if (!IsComponentName(flags.name)) return Fail(NoComponentName(flags.name));
  std::error_code ignored;  // then as it was given
  const fs::path whole = fs::absolute(flags.folder, ignored);
  const fs::path folder =
      (whole.empty() ? fs::path(flags.folder) : whole).lexically_normal();
  const std::string components = folder / "components";
  const std::string yaml = absl::StrCat(components, "/", flags.name, ".yaml");
  const std::string key = folder / "statecpp.key";
  bool made_key = false;
  const absl::Status made = Make(yaml, key, flags.name, made_key);
  if (!made.ok()) return Fail(made);
  const std::string serve =
      absl::StrCat("statecpp serve --data-root ", Quoted(folder / "data"),
                   " --key-file ", Quoted(key));
  const std::string run =
      absl::StrCat("dapr run --app-id myapp --resources-path ",
                   Quoted(components), " -- YOUR-APP");
  if (flags.json) {
    std::cout << "{\"component\":" << JsonText(yaml)
              << ",\"key\":" << JsonText(key)
              << ",\"keyMade\":" << (made_key ? "true" : "false")
              << ",\"next\":[" << JsonText(serve) << "," << JsonText(run)
              << "]}\n";
    return kExitOk;
  }
  std::cout << "wrote " << yaml << "\n"
            << (made_key ? "wrote " : "kept ") << key
            << (made_key ? ", a new key: keep a copy of it in another place\n"
                         : ", the key that was there\n")
            << "next, each in a terminal of its own:\n  " << serve << "\n  "
            << run << "\n";
  return kExitOk;
}

}  // namespace

void AddInit(VerbTable& verbs) {
  auto flags = std::make_shared<InitFlags>();
  CLI::App* const init =
      verbs.Add("init", "Write a component's YAML and a key, to begin with",
                [flags] { return Init(*flags); });
  init->add_option("DIR", flags->folder,
                   "Folder for both: components/NAME.yaml and statecpp.key; "
                   "else this one");
  init->add_option("--name", flags->name,
                   "Of the component, as apps call it; else statestore");
  init->add_flag("--json", flags->json, "Print one object");
  AddToHelp(init,
            "Overwrites nothing: a key that is there is kept, and a component "
            "that is there is\nexit code 4.\n\nExample:\n"
            "  statecpp init demo");
}

}  // namespace statecpp
