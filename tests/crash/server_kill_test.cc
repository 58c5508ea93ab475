// SPDX-License-Identifier: Apache-2.0
//
// The real server, killed two hundred times under load. After each restart, on
// which nobody configures it anew:
//
//   - every acknowledged write is there, and no write that was refused;
//   - a write without an answer is there whole or not at all, transactions
//     included;
//   - no ETag comes back;
//   - now and then, that the records are those the accumulator knows.
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/store.h"
#include "gtest/gtest.h"
#include "tests/crash/ledger.h"
#include "tests/program/client.h"
#include "tests/program/served_store.h"
#include "tests/support/long_run.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

constexpr int kCycles = 200;
constexpr int kWriters = 4;
constexpr int kPairs = 5;
constexpr int kCheckIntegrityEvery = 25;
// Fewer than this, and the test proved nothing. A tenth of what a busy machine
// does.
constexpr int kLeastWrites = kCycles * kWriters;

class ServerKillTest : public ServedStoreTest {
 protected:
  static std::string Key(int writer, int pair, const char* side) {
    return absl::StrCat("app||", writer, "||", pair, side);
  }

  // One writer until the server dies.
  void Write(int writer, uint64_t seed) {
    std::mt19937_64 random(seed);
    Client client(socket_path());
    Ledger& ledger = ledgers_[writer];
    for (;;) {
      const int pair = static_cast<int>(random() % kPairs);
      const std::string a = Key(writer, pair, "a");
      const std::string b = Key(writer, pair, "b");
      const std::string value =
          absl::StrCat(writer, ":", ++writes_[writer],
                       std::string(random() % 2 == 0 ? 0 : 3000, 'x'));
      grpc::Status status;
      switch (random() % 8) {
        case 0: {
          ledger.Begin({a, b}, std::nullopt);
          wire::TransactionalStateRequest both;
          both.add_operations()->mutable_delete_()->set_key(a);
          both.add_operations()->mutable_delete_()->set_key(b);
          status = client.Transact(both).status;
          break;
        }
        case 1: {  // refused, always: its second precondition cannot hold
          wire::TransactionalStateRequest refused;
          wire::SetRequest& set = *refused.add_operations()->mutable_set();
          set.set_key(a);
          set.set_value("never");
          wire::DeleteRequest& bad =
              *refused.add_operations()->mutable_delete_();
          bad.set_key(b);
          bad.mutable_etag()->set_value("0123456789abcdef");
          status = client.Transact(refused).status;
          if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) {
            continue;
          }
          EXPECT_FALSE(status.ok());
          return;
        }
        default: {
          ledger.Begin({a, b}, value);
          wire::TransactionalStateRequest both;
          for (const std::string& key : {a, b}) {
            wire::SetRequest& set = *both.add_operations()->mutable_set();
            set.set_key(key);
            set.set_value(value);
          }
          status = client.Transact(both).status;
        }
      }
      if (!status.ok()) {
        EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE)
            << status.error_message();
        return;
      }
      ledger.Settle(true);
    }
  }

  void CheckLedgers() {
    Client client(socket_path());
    for (int writer = 0; writer < kWriters; ++writer) {
      wire::BulkGetRequest request;
      for (int pair = 0; pair < kPairs; ++pair) {
        for (const char* side : {"a", "b"}) {
          request.add_items()->set_key(Key(writer, pair, side));
        }
      }
      const auto reply = client.BulkGet(request);
      ASSERT_THAT(reply, Succeeds());
      std::map<std::string, Ledger::Value> found;
      for (const wire::BulkStateItem& item : reply.message.items()) {
        ASSERT_EQ(item.error(), "");
        found[item.key()] = item.has_etag() ? Ledger::Value(item.data())
                                            : Ledger::Value(std::nullopt);
        if (item.has_etag()) CheckETag(item);
      }
      ledgers_[writer].Check(found);
    }
  }

  // An ETag belongs to one write for ever: wherever it is seen again, it stands
  // with the same key and value.
  void CheckETag(const wire::BulkStateItem& item) {
    const size_t hash =
        std::hash<std::string>()(absl::StrCat(item.key(), "=", item.data()));
    const auto [seen, is_new] =
        hashes_by_etag_.try_emplace(item.etag().value(), hash);
    EXPECT_EQ(seen->second, hash)
        << item.etag().value() << " stands with another value at "
        << item.key();
  }

  void CheckIntegrity() {
    const absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open({.path = data_root() + "/stores/orders",
                     .create = false,
                     .keys = TestKeys()});
    ASSERT_THAT(store, IsOk());
    EXPECT_THAT((*store)->CheckIntegrity(), IsOk());
  }

  std::vector<Ledger> ledgers_ = std::vector<Ledger>(kWriters);
  std::vector<int> writes_ = std::vector<int>(kWriters, 0);
  std::map<std::string, size_t> hashes_by_etag_;
};

TEST_F(ServerKillTest, LosesAndTearsNothingInTwoHundredKills) {
  const uint64_t seed = TestSeed();
  LongRun run("crash", "the server", seed);
  std::mt19937_64 random(seed);
  Serve();
  Client(socket_path()).MustInit();
  for (int cycle = 0; run.GoesOn(cycle, kCycles) && !HasFailure(); ++cycle) {
    std::vector<std::thread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back(
          [this, writer, seed = random()] { Write(writer, seed); });
    }
    absl::SleepFor(absl::Milliseconds(5 + random() % 60));
    Kill();
    for (std::thread& writer : writers) writer.join();
    if (cycle % kCheckIntegrityEvery == 0) CheckIntegrity();
    Serve();
    CheckLedgers();
    run.Count("kills", 1);
  }
  int settled = 0;
  for (const Ledger& ledger : ledgers_) settled += ledger.settled();
  run.Count("acknowledged writes", settled);
  run.Found("false", HasFailure() ? 1 : 0);
  EXPECT_GE(settled, kLeastWrites);
}

}  // namespace
}  // namespace statecpp
