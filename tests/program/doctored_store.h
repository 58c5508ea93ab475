// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_DOCTORED_STORE_H_
#define STATECPP_TESTS_PROGRAM_DOCTORED_STORE_H_

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

#define SKIP_UNLESS_NOBODY_CAN_BE()                                       \
  if (!CanBecomeNobody())                                                 \
  GTEST_SKIP() << "needs root outside of Bazel's sandbox, to become uid " \
               << kNobody

namespace statecpp {

// The findings of that kind, as `doctor --json` prints them, one a line; empty
// where there are none.
inline std::string Found(const Outcome& outcome, absl::string_view kind) {
  std::string found;
  for (const absl::string_view finding :
       absl::StrSplit(outcome.out, "{\"group\":")) {
    if (absl::StrContains(finding, absl::StrCat("\"kind\":\"", kind, "\""))) {
      absl::StrAppend(&found, finding, "\n");
    }
  }
  return found;
}

// Of the outcome of `doctor --json`: there is a finding of that level and kind,
// whose text and fix have these in them, as they stand in JSON. What is not
// well has a fix.
MATCHER_P4(Finds, level, kind, text, fix,
           absl::StrCat("finds a ", level, " of kind ", kind)) {
  *result_listener << "exit code " << arg.exit_code << ", out:\n"
                   << arg.out << "err:\n"
                   << arg.err;
  if (absl::string_view(level) == "fault" && arg.exit_code != 1) return false;
  const bool well = absl::string_view(level) == "ok";
  for (const absl::string_view finding :
       absl::StrSplit(Found(arg, kind), '\n')) {
    const size_t at = finding.find("\"fix\":");
    const absl::string_view given =
        at == absl::string_view::npos ? "" : finding.substr(at);
    const bool has_fix =
        !given.empty() && !absl::StartsWith(given, "\"fix\":\"\"");
    if (absl::StrContains(finding, absl::StrCat("\"level\":\"", level, "\"")) &&
        absl::StrContains(finding.substr(0, at), text) && has_fix != well &&
        absl::StrContains(given, fix)) {
      return true;
    }
  }
  return false;
}

// What `statecpp doctor` says of a store, its server and its component.
class DoctoredStoreTest : public OfflineStoreTest {
 protected:
  // On the test's folders, with daprd as this user, and the key of this run.
  ProgramOptions DoctorOptions(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"--json", "--socket-folder",
                                          socket_folder(), "--daprd-uid",
                                          absl::StrCat(geteuid())};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return VerbOptionsWithKey("doctor", std::move(arguments));
  }
  Outcome Doctor(std::vector<std::string> more = {}) const {
    return RunToEnd(DoctorOptions(std::move(more)));
  }

  // The same without a key and without flags of the test's own but the folder
  // of data.
  Outcome DoctorWith(std::vector<std::string> more,
                     std::vector<std::string> environment = {}) const {
    more.insert(more.begin(), "--json");
    ProgramOptions options = VerbOptions("doctor", std::move(more));
    options.environment = std::move(environment);
    return RunToEnd(options);
  }

  // All that is in the data root: names, and of each what any change of it
  // would change.
  std::vector<std::string> Inventory() const {
    std::vector<std::string> all = {LineOf(data_root())};
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(data_root())) {
      all.push_back(LineOf(entry.path()));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  // A file with this text in the test's folder of components.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string folder = dir_.Path("components");
    std::filesystem::create_directory(folder);
    const std::string path = absl::StrCat(folder, "/", name);
    std::ofstream(path) << text;
    return path;
  }

  // The YAML of a component of this run, with nothing wrong; `fields` are lines
  // of its list.
  static std::string Yaml(const std::string& fields = "",
                          const std::string& name = "orders") {
    return absl::StrCat(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: ",
        name, "}\nspec:\n  type: state.cpp\n  version: v1\n  metadata:\n",
        "  - {name: encryption, value: \"", TestEncryption(), "\"}\n", fields,
        "scopes: [shop]\n");
  }

  // `text` with one thing other than it is.
  static std::string With(std::string text, absl::string_view before,
                          absl::string_view after) {
    const size_t at = text.find(std::string(before));
    EXPECT_NE(at, std::string::npos) << before;
    return text.replace(at, before.size(), std::string(after));
  }

 private:
  static std::string LineOf(const std::string& path) {
    struct stat info;
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return absl::StrCat(path, " inode ", info.st_ino, " size ", info.st_size,
                        " mode ", info.st_mode, " written ",
                        info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec,
                        " changed ", info.st_ctim.tv_sec, ".",
                        info.st_ctim.tv_nsec);
  }
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_DOCTORED_STORE_H_
