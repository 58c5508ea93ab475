// SPDX-License-Identifier: Apache-2.0
//
// A great deal at once: Inits by the thousand, the largest values from all
// sides, and SIGTERM in the middle of it.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/hostile/figures.h"
#include "tests/program/client.h"
#include "tests/program/served_store.h"
#include "tests/support/long_run.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr int kInstances = 256;
constexpr uint64_t kMoreMemoryKib = 64 << 10;
constexpr uint64_t kMoreThreads = 16;

class LoadTest : public ServedStoreTest {
 protected:
  Figures figures() {
    return FiguresOf(server().pid(), data_root() + "/stores");
  }

  // Whether `found` is what was written to the key next after `value`.
  static bool IsLater(const std::string& found, const std::string& value) {
    int round = 0, number = 0, found_round = 0, found_number = 0;
    return sscanf(value.c_str(), "%d %d", &round, &number) == 2 &&
           sscanf(found.c_str(), "%d %d", &found_round, &found_number) == 2 &&
           found_round == round && found_number == number + 50;
  }

  void ExpectStops() {
    server().Signal(SIGTERM);
    EXPECT_EQ(server().Wait(), 0);
  }
};

// As of daprds that restart for ever, each time configured otherwise. Ten
// thousand of them under `./dev prove faults`.
TEST_F(LoadTest, ThousandsOfInitsOfOneInstanceLeaveNothingBehind) {
  Serve();
  LongRun run("faults", "Inits", /*seed=*/0);
  const int inits = run.is_long() ? 10'000 : 1'000;
  Client client(socket_path());
  client.MustInit();
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  const Figures before = figures();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread, inits] {
      Client other(socket_path());
      for (int i = 0; i < inits / 4; ++i) {
        other.MustInit({{"maxValueSize", absl::StrCat(1000 + thread)},
                        {"cleanupInterval", absl::StrCat(10 + i, "ms")},
                        {"maxSize", absl::StrCat(64 + i / 100, "Mi")}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Figures after = figures();
  EXPECT_LE(after.memory_kib, before.memory_kib + kMoreMemoryKib);
  EXPECT_LE(after.threads, before.threads + kMoreThreads);
  EXPECT_LE(after.descriptors, before.descriptors + 8);  // connections
  EXPECT_EQ(client.ValueOf("a"), "1");
  run.Count("Inits", static_cast<uint64_t>(inits));
  run.Found("false", HasFailure() ? 1 : 0);
  ExpectStops();
}

TEST_F(LoadTest, ThereMayBe256InstancesAndNotOneMore) {
  Serve();
  const auto init = [this](int i) {
    return Client(socket_path(), absl::StrCat("instance ", i))
        .Init({{"encryption", TestEncryption()}});
  };
  for (int i = 0; i < kInstances; ++i) ASSERT_THAT(init(i), Succeeds());
  const auto refused = init(kInstances);
  EXPECT_THAT(refused, FailsWith(grpc::StatusCode::UNAVAILABLE,
                                 AllOf(HasSubstr("all of the 256 instances"),
                                       HasSubstr("higher --max-instances"),
                                       HasSubstr("\"instance 256\" was not"))));
  EXPECT_THAT(refused, ShowsHttp(503));
  // It goes on for all that there are, and they can be configured again.
  EXPECT_THAT(init(0), Succeeds());
  const Figures before = figures();
  for (int i = 0; i < 2 * kInstances; ++i) {
    const int which = i % (kInstances + 1);
    const auto again = init(which);
    ASSERT_EQ(again.status.ok(), which < kInstances)
        << again.status.error_message();
  }
  const Figures after = figures();
  EXPECT_LE(after.memory_kib, before.memory_kib + kMoreMemoryKib);
  EXPECT_LE(after.threads, before.threads + kMoreThreads);
  ExpectStops();

  // One that is remembered is not brought back past the limit either.
  Serve({"--max-instances", "1"});
  EXPECT_EQ(Client(socket_path(), "instance 7").ValueOf("a"), "(none)");
  EXPECT_THAT(Client(socket_path(), "instance 8").GetKey("a"),
              FailsWith(grpc::StatusCode::UNAVAILABLE,
                        HasSubstr("all of the 1 instances")));
}

// daprd sends what its apps send, all over one connection.
TEST_F(LoadTest, SixtyFourOfTheLargestValuesAtOnceAreTaken) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  const std::string value((4090 << 10) - 10, 'v');
  std::vector<std::unique_ptr<PendingSet>> sets;
  for (int i = 0; i < 64; ++i) {
    sets.push_back(client.StartSet(absl::StrCat(i), value));
  }
  for (const auto& set : sets) EXPECT_THAT(set->status(), Succeeds());
  std::vector<std::unique_ptr<PendingGet>> gets;
  for (int i = 0; i < 64; ++i) gets.push_back(client.StartGet(absl::StrCat(i)));
  for (const auto& get : gets) {
    ASSERT_THAT(get->status(), Succeeds());
    EXPECT_EQ(get->message().data(), value);
  }
}

// Every write that was acknowledged is there.
TEST_F(LoadTest, SigtermUnderLoadKeepsWhatWasAcknowledged) {
  for (int round = 0; round < 5; ++round) {
    Serve();
    Client(socket_path()).MustInit();
    std::vector<std::map<std::string, std::string>> written(8);
    std::vector<grpc::Status> ends(written.size());
    std::atomic<int> begun = 0;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < written.size(); ++i) {
      threads.emplace_back([&, i] {
        Client client(socket_path());
        for (int j = 0;; ++j) {
          const std::string key = absl::StrCat("key ", i, " ", j % 50);
          const std::string value = absl::StrCat(round, " ", j);
          ends[i] = client.SetKey(key, value).status;
          if (!ends[i].ok()) break;
          written[i][key] = value;
          if (j == 100) ++begun;
        }
      });
    }
    EXPECT_TRUE(AwaitTrue([&] { return begun == 8; }));
    const absl::Time start = absl::Now();
    server().Signal(SIGTERM);
    EXPECT_EQ(server().Wait(), 0);
    EXPECT_LT(absl::Now() - start, absl::Seconds(20));
    for (std::thread& thread : threads) thread.join();
    for (const grpc::Status& end : ends) {
      // gRPC cancels what comes in while it shuts down: that is a maybe, too.
      EXPECT_THAT(end.error_code(), AnyOf(grpc::StatusCode::UNAVAILABLE,
                                          grpc::StatusCode::CANCELLED));
    }
    EXPECT_THAT(Client(socket_path()).Ping(),
                FailsWith(grpc::StatusCode::UNAVAILABLE, testing::_));
    Serve();
    Client client(socket_path());
    for (const auto& of_one : written) {
      for (const auto& [key, value] : of_one) {
        const std::string found = client.ValueOf(key);
        // The one write that was under way may have come after.
        EXPECT_TRUE(found == value || IsLater(found, value))
            << key << " is " << found << ", and " << value
            << " was acknowledged";
      }
    }
  }
}

}  // namespace
}  // namespace statecpp
