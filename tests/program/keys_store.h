// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_KEYS_STORE_H_
#define STATECPP_TESTS_PROGRAM_KEYS_STORE_H_

#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/confidential.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"

namespace statecpp {

// A sealed store of a server, or of nobody, and `statecpp keys` beside it. Each
// key is a file of its own; the store is made with "old".
class KeysStoreTest : public ::testing::Test {
 protected:
  KeysStoreTest() {
    for (const char* name : {"old", "new", "other"}) WriteKey(name);
    std::ofstream(KeyFile("words")) << "correct horse battery staple\n";
    KeepSecret("correct horse battery staple");
    chmod(KeyFile("words").c_str(), 0600);
  }

  std::string KeyFile(absl::string_view name) const {
    return absl::StrCat(keys_.path(), "/", name, ".key");
  }
  std::string data_root() const { return dir_.Path("data"); }
  std::string socket_path() const { return dir_.Path("sockets/cpp.sock"); }
  std::string admin_path() const { return data_root() + "/.admin.sock"; }
  std::string folder() const { return data_root() + "/stores/orders"; }

  // Starts a server with that key and waits until it is ready.
  void Serve(absl::string_view key = "old",
             const std::string& flag = "--key-file") {
    server_.reset();
    server_ = std::make_unique<Program>(ProgramOptions{
        .arguments = {"serve", "--data-root", data_root(), "--socket-folder",
                      dir_.Path("sockets"), flag, KeyFile(key)}});
    ASSERT_TRUE(server_->AwaitLog("ready: "));
  }
  void StopServing() {
    server_->Signal(SIGTERM);
    EXPECT_EQ(server_->Wait(), 0) << server_->err();
  }
  // Serves, and configures the store.
  void ServeOrders() {
    Serve();
    ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  }
  // Leaves a store of some records, sealed under "old", that nobody has open.
  void MakeOrders(int records = 3) {
    ServeOrders();
    WriteRecords(records);
    StopServing();
  }
  // key0, key1, …
  void WriteRecords(int count) {
    Client client(socket_path());
    for (int from = 0; from < count; from += kBulk) {
      wire::BulkSetRequest bulk;
      for (int i = from; i < std::min(count, from + kBulk); ++i) {
        wire::SetRequest* const item = bulk.add_items();
        item->set_key(absl::StrCat("key", i));
        item->set_value(absl::StrCat("value", i));
      }
      ASSERT_THAT(client.BulkSet(bulk), Succeeds());
    }
  }

  ProgramOptions KeysOptions(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"keys"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {"--data-root", data_root()});
    return {.arguments = std::move(arguments)};
  }
  // Runs `statecpp keys` on the data root.
  Outcome Keys(std::vector<std::string> more) const {
    return RunToEnd(KeysOptions(std::move(more)));
  }
  // The same with the key that the store is to be opened with.
  Outcome KeysWith(absl::string_view key, std::vector<std::string> more) const {
    more.insert(more.end(), {"--key-file", KeyFile(key)});
    return Keys(std::move(more));
  }

  Program& server() { return *server_; }

  TempDir dir_;

 private:
  static constexpr int kBulk = 1000;

  void WriteKey(const char* name) const {
    std::random_device random;
    std::string key;
    for (int i = 0; i < 32; ++i) key.push_back(static_cast<char>(random()));
    std::ofstream(KeyFile(name), std::ios::binary) << key;
    KeepSecret(key);
    EXPECT_EQ(chmod(KeyFile(name).c_str(), 0600), 0);
  }

  const TempDir keys_;
  std::unique_ptr<Program> server_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_KEYS_STORE_H_
