// SPDX-License-Identifier: Apache-2.0
//
// A component that changes while its instance is in use.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

class ReloadTest : public ServedStoreTest {};

// The last to use a store may be the answer to a write, on the store's own
// commit thread: it must be closed elsewhere.
TEST_F(ReloadTest, AnotherDataDirUnderLoadEndsNoCallAndNoServer) {
  constexpr int kWriters = 8;
  constexpr int kReloads = 30;
  Serve();
  Client(socket_path()).MustInit({{"dataDir", "d0"}});
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([this, i, &stop, &written] {
      Client client(socket_path());
      while (!stop && !HasFailure()) {
        EXPECT_THAT(client.SetKey(absl::StrCat("key", i), "value"), Succeeds());
        ++written;
      }
    });
  }
  Client client(socket_path());
  for (int i = 0; i < kReloads && !HasFailure(); ++i) {
    const int before = written;
    client.MustInit({{"dataDir", absl::StrCat("d", i % 3)}});
    EXPECT_TRUE(AwaitTrue([&] { return written > before + kWriters; }));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(server().running());
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0) << server().err();
}

}  // namespace
}  // namespace statecpp
