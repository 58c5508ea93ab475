// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_SERVED_STORE_H_
#define STATECPP_TESTS_PROGRAM_SERVED_STORE_H_

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/confidential.h"
#include "tests/program/held_store.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_keys.h"

namespace statecpp {

// `statecpp serve` on folders of the test's own. In the run on sealed stores it
// has a key, and MustInit seals; in the other one neither.
//
//   Serve();
//   Client client(socket_path());
class ServedStoreTest : public ::testing::Test {
 protected:
  ServedStoreTest() {
    std::ofstream(key_file(), std::ios::binary) << TestKeyText();
    EXPECT_EQ(chmod(key_file().c_str(), 0600), 0);
    KeepSecret(TestKeyText());
  }

  // The key of the run on sealed stores, which is that of TestKeys().
  static std::string TestKeyText() {
    const std::vector<uint8_t> bytes = TestKeyBytes();
    return std::string(bytes.begin(), bytes.end());
  }
  std::string key_file() const { return key_dir_.Path("test.key"); }

  // A server that is started as that user can read the key.
  void GiveKeyTo(uid_t uid) const {
    for (const std::string& path : {key_dir_.path(), key_file()}) {
      ASSERT_EQ(chown(path.c_str(), uid, uid), 0);
    }
  }

  std::string data_root() const { return dir_.Path("data"); }
  std::string socket_folder() const { return dir_.Path("sockets"); }
  std::string socket_path() const { return dir_.Path("sockets/cpp.sock"); }

  // The options of a server on these folders, plus `more`.
  ProgramOptions ServeOptions(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"serve", "--data-root", data_root(),
                                          "--socket-folder", socket_folder()};
    if (TestsAreSealed()) {
      arguments.insert(arguments.end(), {"--key-file", key_file()});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = std::move(arguments)};
  }

  // Starts the server and waits until it is ready. The one before is gone.
  void Serve(std::vector<std::string> more = {}) {
    server_.reset();
    flags_ = std::move(more);
    server_ = std::make_unique<Program>(ServeOptions(flags_));
    ASSERT_TRUE(server_->AwaitLog("ready: "));
  }

  // As the kernel does when memory runs out.
  void Kill() {
    server_->Signal(SIGKILL);
    EXPECT_EQ(server_->Wait(), 128 + SIGKILL);
  }

  void Restart() {
    Kill();
    Serve(flags_);
  }

  // Has the server, which restarts, wait with one Init, so that other calls
  // that need an instance wait behind it, until the result is released.
  std::unique_ptr<HeldStore> HoldUpCalls() {
    Client(socket_path(), "held").MustInit();
    Client(socket_path(), "orders").MustInit();
    Restart();
    auto held = std::make_unique<HeldStore>(data_root() + "/stores/held");
    holder_ = std::make_unique<Client>(socket_path(), "held");
    held_init_ = holder_->StartInit(
        {{"encryption", TestEncryption()}, {"lockTimeout", "1h"}});
    EXPECT_THAT(holder_->Ping(), Succeeds());  // behind the Init
    return held;
  }

  Program& server() { return *server_; }

  TempDir dir_;

 private:
  // Apart from the rest, which some tests give to others.
  const TempDir key_dir_;
  std::vector<std::string> flags_;
  std::unique_ptr<Program> server_;
  std::unique_ptr<Client> holder_;
  std::unique_ptr<PendingInit> held_init_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_SERVED_STORE_H_
