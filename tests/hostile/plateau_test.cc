// SPDX-License-Identifier: Apache-2.0
//
// A server that is used at full speed for long uses no more for it: after a
// while memory, threads, descriptors, reader slots and pages of the file stay
// where they are.
//
// Thirty seconds as a test, and as long as one likes under `./dev prove
// faults`.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
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
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

constexpr int kClients = 8;
// Few, so that all of them were written when the first third is over.
constexpr int kKeys = 400;
constexpr int kLargestValue = 2000;
constexpr absl::Duration kEvery = absl::Milliseconds(250);
constexpr int kSamplesInATest = 120;

// What the last third may have more than the middle third.
constexpr uint64_t kMoreMemoryKib = 16 << 10;
constexpr uint64_t kMoreThreads = 8;
constexpr uint64_t kMoreDescriptors = 2;
constexpr uint64_t kMoreReaders = 2;
// As the sizes of records and the moments of long queries fall; 1 MiB.
constexpr uint64_t kMorePages = 256;

class PlateauTest : public ServedStoreTest {
 protected:
  // One of Set, Set with a time to live, Delete, Get, Query and a transaction.
  void DoOne(Client& client, std::mt19937_64& random) {
    const std::string key = absl::StrCat("key ", random() % kKeys);
    const std::string value =
        absl::StrCat("{\"n\":", random() % 10, ",\"pad\":\"",
                     std::string(random() % kLargestValue, 'v'), "\"}");
    const uint64_t kind = random() % 100;
    if (kind < 35) {
      EXPECT_THAT(client.SetKey(key, value), Succeeds());
    } else if (kind < 55) {
      wire::SetRequest set;
      set.set_key(absl::StrCat("short-lived ", random() % kKeys));
      set.set_value(value);
      (*set.mutable_metadata())["ttlInSeconds"] = "1";
      EXPECT_THAT(client.Set(set), Succeeds());
    } else if (kind < 70) {
      wire::DeleteRequest erase;
      erase.set_key(key);
      EXPECT_THAT(client.Delete(erase), Succeeds());
    } else if (kind < 94) {
      EXPECT_THAT(client.GetKey(key), Succeeds());
    } else if (kind < 98) {
      wire::TransactionalStateRequest transaction;
      for (int i = 0; i < 5; ++i) {
        auto& set = *transaction.add_operations()->mutable_set();
        set.set_key(absl::StrCat("key ", random() % kKeys));
        set.set_value(value);
      }
      EXPECT_THAT(client.Transact(transaction), Succeeds());
    } else {
      EXPECT_THAT(
          client.Query(
              Text(R"(query { sort { key: "n" } pagination { limit: 20 } })")),
          Succeeds());
    }
    ++operations_;
  }

  // Clients at full speed, until this ends.
  void StartLoad(uint64_t seed) {
    for (int i = 0; i < kClients; ++i) {
      clients_.emplace_back([this, seed, i] {
        Client client(socket_path());
        std::mt19937_64 random(seed + static_cast<uint64_t>(i));
        while (going_) DoOne(client, random);
      });
    }
  }

  void ReportTo(LongRun& run, const Figures& highest) const {
    run.Count("operations", operations_);
    run.Count("highest memory in KiB", highest.memory_kib);
    run.Count("highest threads", highest.threads);
    run.Count("highest descriptors", highest.descriptors);
    run.Count("highest reader slots", highest.readers);
    run.Count("highest pages", highest.pages);
    run.Found("false", HasFailure() ? 1 : 0);
  }

  void EndLoad() {
    going_ = false;
    for (std::thread& client : clients_) client.join();
    clients_.clear();
  }

  std::atomic<bool> going_ = true;
  std::atomic<uint64_t> operations_ = 0;
  std::vector<std::thread> clients_;
};

// The highest of the samples from `begin` to `end`, as shares of them all.
Figures HighestOf(const std::vector<Figures>& samples, double begin,
                  double end) {
  Figures highest;
  const auto count = static_cast<double>(samples.size());
  for (auto i = static_cast<size_t>(begin * count);
       i < static_cast<size_t>(end * count); ++i) {
    highest = Highest(highest, samples[i]);
  }
  return highest;
}

TEST_F(PlateauTest, UsesNoMoreInItsLastThirdThanInItsSecond) {
  const uint64_t seed = TestSeed();
  LongRun run("faults", "plateau", seed);
  Serve();
  Client(socket_path()).MustInit({{"cleanupInterval", "200ms"}});
  StartLoad(seed);
  std::vector<Figures> samples;
  while (run.GoesOn(static_cast<int64_t>(samples.size()), kSamplesInATest) &&
         !HasFailure()) {
    absl::SleepFor(kEvery);
    samples.push_back(FiguresOf(server().pid(), data_root() + "/stores"));
  }
  EndLoad();

  const Figures first = HighestOf(samples, 0, 1. / 3);
  const Figures middle = HighestOf(samples, 1. / 3, 2. / 3);
  const Figures last = HighestOf(samples, 2. / 3, 1);
  std::cout << operations_ << " operations\n first third: " << first
            << "\nmiddle third: " << middle << "\n  last third: " << last
            << "\n";
  EXPECT_LE(last.memory_kib, middle.memory_kib + kMoreMemoryKib);
  EXPECT_LE(last.threads, middle.threads + kMoreThreads);
  EXPECT_LE(last.descriptors, middle.descriptors + kMoreDescriptors);
  EXPECT_LE(last.readers, middle.readers + kMoreReaders);
  EXPECT_LE(last.pages, middle.pages + kMorePages);
  // A load that does nothing shows nothing.
  EXPECT_GT(operations_, samples.size());
  ReportTo(run, Highest(Highest(first, middle), last));

  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
}

}  // namespace
}  // namespace statecpp
