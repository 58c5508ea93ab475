// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_INSTANCES_FOR_TEST_H_
#define STATECPP_SERVER_INSTANCES_FOR_TEST_H_

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/file_lock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/data_root.h"
#include "server/instances.h"
#include "server/server_keys.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {

// The log, which goes to standard error, while this lives.
class CapturedLog {
 public:
  explicit CapturedLog(const std::string& path)
      : path_(path), before_(dup(STDERR_FILENO)) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
  }
  ~CapturedLog() {
    dup2(before_, STDERR_FILENO);
    close(before_);
  }

  // Lines of that level.
  std::vector<std::string> Lines(absl::string_view level) const {
    std::ifstream file(path_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      if (absl::StrContains(line, absl::StrCat("level=", level, " "))) {
        lines.push_back(line);
      }
    }
    return lines;
  }

 private:
  const std::string path_;
  const int before_;
};

// Instances on a data root of the test's own, with the server's keys. Real
// folders and real stores.
class InstancesTest : public ::testing::Test {
 protected:
  InstancesTest() {
    if (TestsAreSealed()) UseKey(TestKeyText());
    Restart();
  }

  // The key of the run on sealed stores, and another one.
  static std::string TestKeyText() {
    const std::vector<uint8_t> bytes = TestKeyBytes();
    return std::string(bytes.begin(), bytes.end());
  }
  static std::string OtherKeyText() { return std::string(63, '0') + "1"; }

  // The server's own key from the next Restart on.
  void UseKey(absl::string_view text) {
    key_options_.source = KeyValueSource(SecretBytes::Copy(text), "test");
  }

  // As after a restart of the server: nothing is left but the files.
  void Restart() {
    instances_.reset();
    keys_.reset();
    root_.reset();
    absl::StatusOr<DataRoot> root =
        DataRoot::Open(dir_.Path("data"), absl::ZeroDuration(), false);
    EXPECT_THAT(root, IsOk());
    root_.emplace(*std::move(root));
    key_options_.data_root = root_->path();
    absl::StatusOr<ServerKeys> keys = ServerKeys::Open(key_options_);
    EXPECT_THAT(keys, IsOk());
    keys_.emplace(*std::move(keys));
    instances_.emplace(*root_, *keys_, Instances::Options());
    instances_->LookForMissingKeys();
  }

  const DataRoot& root() const { return *root_; }
  Instances& instances() { return *instances_; }

  // As it comes over the wire, and with the encryption of this run unless it
  // says otherwise.
  absl::Status Init(absl::string_view id, Properties properties = {}) {
    properties.emplace("encryption", TestsAreSealed() ? "required" : "off");
    InitProperties init = {.properties = std::move(properties)};
    const auto key = init.properties.find("encryptionKey");
    if (key != init.properties.end()) {
      init.key = SecretBytes::Copy(key->second);
      key->second.clear();
    }
    return instances().Init(id, std::move(init));
  }

  std::shared_ptr<const Instance> MustInit(absl::string_view id,
                                           Properties properties = {}) {
    EXPECT_THAT(Init(id, std::move(properties)), IsOk());
    std::shared_ptr<const Instance> instance = instances().Find(id);
    EXPECT_THAT(instance, ::testing::NotNull());
    return instance;
  }

  std::string StorePath(absl::string_view folder) {
    return absl::StrCat(dir_.Path("data/stores/"), folder);
  }
  std::string RecordPath(absl::string_view file) {
    return absl::StrCat(dir_.Path("data/instances/"), file, ".json");
  }
  static std::string Contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  // Holds a store as another process would.
  FileLock Hold(absl::string_view folder) {
    absl::StatusOr<FileLock> lock =
        FileLock::Acquire(StorePath(folder) + "/LOCK", absl::ZeroDuration());
    EXPECT_THAT(lock, IsOk());
    return *std::move(lock);
  }
  bool IsHeld(absl::string_view folder) {
    return !FileLock::Acquire(StorePath(folder) + "/LOCK", absl::ZeroDuration())
                .ok();
  }

  // Closing takes its time, on a thread of its own.
  bool BecomesFree(absl::string_view folder) {
    return FileLock::Acquire(StorePath(folder) + "/LOCK", absl::Seconds(30))
        .ok();
  }

  TempDir dir_;
  ServerKeys::Options key_options_;

 private:
  std::optional<DataRoot> root_;
  std::optional<ServerKeys> keys_;
  std::optional<Instances> instances_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_INSTANCES_FOR_TEST_H_
