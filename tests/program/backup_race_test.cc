// SPDX-License-Identifier: Apache-2.0
//
// Backups of a store that several clients write to as fast as they can, over
// their sockets. A backup is the store at one moment between its beginning and
// its end: of each client it has everything up to some write and nothing after
// it, what was acknowledged before the backup began is in it, and what was not
// yet sent when it ended is not.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kWriters = 4;
constexpr uint64_t kBackups = 3;
constexpr uint64_t kKeys = 50;  // of each writer
// Besides them, so that a backup is under way for a while.
constexpr int kStill = 5000;
constexpr size_t kStillSize = 4000;

// The writes of one client are numbered from 1, one sent when the one before is
// acknowledged. Each is about the next of its keys: most set it, some delete
// it, some set it and another key in one transaction. So the number of the last
// one says what each of its keys is.
bool Deletes(uint64_t write) { return write % 7 == 6; }
bool SetsTwo(uint64_t write) { return write % 7 == 5; }

std::string ValueOf(uint64_t write) {
  return absl::StrCat(write, ":", std::string(write * 37 % 5000, 'v'));
}
std::string KeyOf(uint64_t writer, uint64_t key) {
  return absl::StrCat("writer-", writer, "||", key);
}
std::string SecondKeyOf(uint64_t writer) {
  return absl::StrCat("writer-", writer, "||second");
}

// What its keys are after that many writes; "(none)" as Client::ValueOf has it.
using State = std::map<std::string, std::string>;
State StateAfter(uint64_t writer, uint64_t writes) {
  State state;
  for (uint64_t key = 0; key < kKeys; ++key) {
    state[KeyOf(writer, key)] = "(none)";
  }
  state[SecondKeyOf(writer)] = "(none)";
  const uint64_t from = writes - std::min(writes, kKeys);
  for (uint64_t write = from + 1; write <= writes; ++write) {
    state[KeyOf(writer, write % kKeys)] =
        Deletes(write) ? "(none)" : ValueOf(write);
    if (SetsTwo(write)) state[SecondKeyOf(writer)] = ValueOf(write);
  }
  return state;
}

class Writer {
 public:
  Writer(const std::string& socket_path, uint64_t number)
      : number_(number), client_(socket_path), thread_([this] { Run(); }) {}
  ~Writer() { Stop(); }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  uint64_t sent() const { return sent_; }
  uint64_t acknowledged() const { return acknowledged_; }
  // The first write that was not acknowledged, if one was not.
  std::optional<std::string> failure() const { return failure_; }

 private:
  void Run() {
    while (!stop_) {
      const uint64_t write = ++sent_;
      const grpc::Status status = Do(write);
      if (!status.ok()) {
        failure_ = absl::StrCat("write ", write, ": ", status.error_message());
        return;
      }
      acknowledged_ = write;
    }
  }

  grpc::Status Do(uint64_t write) {
    const std::string key = KeyOf(number_, write % kKeys);
    if (Deletes(write)) {
      wire::DeleteRequest request;
      request.set_key(key);
      return client_.Delete(request).status;
    }
    if (!SetsTwo(write)) return client_.SetKey(key, ValueOf(write)).status;
    wire::TransactionalStateRequest request;
    for (const std::string& each : {key, SecondKeyOf(number_)}) {
      wire::SetRequest* const set = request.add_operations()->mutable_set();
      set->set_key(each);
      set->set_value(ValueOf(write));
    }
    return client_.Transact(request).status;
  }

  const uint64_t number_;
  Client client_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> sent_ = 0;
  std::atomic<uint64_t> acknowledged_ = 0;
  // Read when the thread has ended.
  std::optional<std::string> failure_;
  std::thread thread_;
};

class BackupRaceTest : public OfflineStoreTest {
 protected:
  using Counts = std::vector<uint64_t>;
  struct Window {
    Counts acknowledged_before;
    Counts sent_after;
  };

  void StartWriters() {
    for (uint64_t i = 0; i < kWriters; ++i) {
      writers_.push_back(std::make_unique<Writer>(socket_path(), i));
    }
  }
  // Each has changed all of its keys.
  void AwaitWrites() {
    ASSERT_TRUE(AwaitTrue([this] {
      return std::all_of(writers_.begin(), writers_.end(), [](const auto& one) {
        return one->acknowledged() > 2 * kKeys;
      });
    }));
  }
  void StopWriters() {
    for (const auto& writer : writers_) writer->Stop();
    for (const auto& writer : writers_) {
      EXPECT_EQ(writer->failure().value_or(""), "");
    }
  }

  std::string Backup(uint64_t i) const {
    return backups_.Path(absl::StrCat("orders-", i));
  }
  Window BackUp(uint64_t i) {
    Window window;
    for (const auto& writer : writers_) {
      window.acknowledged_before.push_back(writer->acknowledged());
    }
    EXPECT_THAT(RunToEnd(VerbOptions(
                    "backup", {Backup(i), "--store", "orders", "--quiet"})),
                Exits(0, HasSubstr("backed up orders")));
    for (const auto& writer : writers_) {
      window.sent_after.push_back(writer->sent());
    }
    return window;
  }

  // Restores it beside the original, in the same server.
  std::unique_ptr<Client> Restored(uint64_t i) {
    const std::string name = absl::StrCat("restored-", i);
    EXPECT_THAT(RunToEnd(VerbOptionsWithKey(
                    "restore", {Backup(i), "--store", name, "--quiet"})),
                Exits(0, HasSubstr(name)));
    auto client = std::make_unique<Client>(socket_path(), name);
    client->MustInit();
    return client;
  }

  static State Read(Client& client, uint64_t writer) {
    State state = StateAfter(writer, 0);
    for (auto& [key, value] : state) value = client.ValueOf(key);
    return state;
  }

  // That of a writer's numbers there is one which explains all that is there.
  static void ExpectOneMoment(const State& found, uint64_t writer,
                              uint64_t from, uint64_t to) {
    for (uint64_t writes = from; writes <= to; ++writes) {
      if (found == StateAfter(writer, writes)) return;
    }
    std::string shown;
    for (const auto& [key, value] : found) {
      absl::StrAppend(&shown, key, " ", value.substr(0, value.find(':')), "\n");
    }
    ADD_FAILURE() << "of writer " << writer << ", which had " << from
                  << " acknowledged and " << to
                  << " sent, the backup is at no moment between:\n"
                  << shown;
  }

  const TempDir backups_;
  std::vector<std::unique_ptr<Writer>> writers_;
};

TEST_F(BackupRaceTest, ABackupIsOneMomentOfAStoreThatIsWritten) {
  MakeStore(kStill, kStillSize);
  Serve();
  Client orders(socket_path());
  orders.MustInit();
  const std::string etag = orders.ETagOf(KeyName(7));
  StartWriters();
  std::vector<Window> windows;
  for (uint64_t i = 0; i < kBackups; ++i) {
    ASSERT_NO_FATAL_FAILURE(AwaitWrites());
    windows.push_back(BackUp(i));
  }
  StopWriters();
  for (uint64_t i = 0; i < kBackups; ++i) {
    SCOPED_TRACE(absl::StrCat("backup ", i));
    const Window& window = windows[i];
    const std::unique_ptr<Client> restored = Restored(i);
    uint64_t during = 0;
    for (uint64_t w = 0; w < kWriters; ++w) {
      ExpectOneMoment(Read(*restored, w), w, window.acknowledged_before[w],
                      window.sent_after[w]);
      during += window.sent_after[w] - window.acknowledged_before[w];
    }
    // More than those under way: else it was no race.
    EXPECT_GT(during, kWriters);
    EXPECT_EQ(restored->ETagOf(KeyName(7)), etag);
    EXPECT_EQ(restored->ValueOf(KeyName(kStill - 1)),
              Value(kStill - 1, kStillSize));
  }
}

}  // namespace
}  // namespace statecpp
