// SPDX-License-Identifier: Apache-2.0
#include "cli/keygen.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "cli/new_file.h"
#include "crypto/key_text.h"
#include "crypto/secret.h"
#include "crypto/secret_bytes.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

constexpr char kStandardOutput[] = "-";

constexpr char kKeepACopy[] =
    "Keep a copy of the key in another place: without it nobody can read the "
    "data.\n";

// The flags, as given.
struct KeygenFlags {
  std::string path = "";
  bool json = false;
};

ExitCode ReportFailure(const std::string& path, int error_number) {
  if (error_number == EEXIST) {
    std::cerr << "statecpp: " << path
              << " exists already, and may be the only copy of a key; nothing "
                 "was written; name another file, or move that one away\n";
    return kExitConflict;
  }
  std::cerr << "statecpp: could not write a key to " << path << ": "
            << std::strerror(error_number) << "; nothing is there now\n";
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENAMETOOLONG:
    case ELOOP:
      return kExitUsage;
    default:
      return kExitIo;
  }
}

ExitCode Keygen(const KeygenFlags& flags) {
  const std::string& path = flags.path;
  const SecretBytes key = KeyAsText(Secret::Random());
  if (path == kStandardOutput) {
    if (flags.json) {
      std::cerr << "statecpp: --json names a file, and - is none; leave one of "
                   "the two out; no key was made\n";
      return kExitUsage;
    }
    const int error_number = WriteAll(STDOUT_FILENO, key.RevealText());
    if (error_number != 0)
      return ReportFailure("standard output", error_number);
    std::cerr << kKeepACopy;
    return kExitOk;
  }
  const int error_number = WriteNewFile(path, key.RevealText(), 0600);
  if (error_number != 0) return ReportFailure(path, error_number);
  std::error_code ignored;  // then as it was given
  const std::string whole = std::filesystem::absolute(path, ignored);
  const std::string& shown = whole.empty() ? path : whole;
  if (flags.json) {
    std::cout << "{\"key\":" << JsonText(shown) << "}\n";
    return kExitOk;
  }
  std::cout << "Wrote a new key to " << shown << ", which only you can read.\n"
            << "Serve with it:  statecpp serve --data-root DIR --key-file "
            << shown << "\n"
            << kKeepACopy;
  return kExitOk;
}

}  // namespace

void AddKeygen(VerbTable& verbs) {
  auto flags = std::make_shared<KeygenFlags>();
  CLI::App* const keygen =
      verbs.Add("keygen", "Make a new key, in a file of its own",
                [flags] { return Keygen(*flags); });
  keygen
      ->add_option("FILE", flags->path,
                   "File to write, which must not exist; - is standard output")
      ->required()
      ->check(CLI::Validator(
          [](const std::string& text) {
            return text.empty() ? "must not be empty" : "";
          },
          ""))
      ->type_name("");
  keygen->add_flag("--json", flags->json,
                   "Print one object that names the file; never the key");
  AddToHelp(keygen, "Example:\n  statecpp keygen /etc/statecpp/prod.key");
}

}  // namespace statecpp
