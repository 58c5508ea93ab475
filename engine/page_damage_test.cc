// SPDX-License-Identifier: Apache-2.0
//
// LMDB trusts its pages. With bytes of their headers changed at random, whoever
// opens the store may crash, be refused or miss keys, and a page that is led to
// may be an old one, with values of then; but never is a value read that was
// not written to that key, and never does a store pass verification that then
// does not give exactly what was written last.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/damaged_store.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

constexpr int kTrials = 1000;
constexpr int kLanes = 2;
constexpr int kItems = 120;
constexpr int kDeleted = 5;  // every fifth
constexpr size_t kPage = 4096;
// No trial takes a tenth of it.
constexpr unsigned kHangSeconds = 60;

// What became of a reader.
enum Outcome : int {
  kAllRight = 0,
  kWrongValue = 3,
  kOldValue = 4,
  kNotAllThere = 5,
};

// What the lanes count, in memory that they share.
struct Tally {
  std::atomic<int> done;
  std::atomic<int> violations;
  std::atomic<int> crashes;
  std::atomic<int> not_all_there;
  std::atomic<int> old_values;
  std::atomic<int> found;
  std::atomic<int> walks_died;
};

class PageDamageTest : public DamagedStoreTest {
 protected:
  void SetUp() override {
    DamagedStoreTest::SetUp();
    for (const char version : {'1', '2'}) {
      for (int i = 0; i < kItems; ++i) {
        WriteOp op = {.key = KeyOf(i), .value = ValueOf(i, version)};
        if (i % 3 == 0) op.ttl = absl::Hours(100);
        ASSERT_THAT(store().Set(std::move(op)), IsOk());
      }
    }
    for (int i = 0; i < kItems; i += kDeleted) {
      ASSERT_THAT(store().Delete({.key = KeyOf(i)}), IsOk());
    }
    Close();
    std::ifstream in(path_ + "/data.mdb", std::ios::binary);
    whole_ = {std::istreambuf_iterator<char>(in), {}};
    void* const shared = mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    tally_ = new (shared) Tally{};
  }

  static std::string KeyOf(int i) { return absl::StrCat("key||", i); }
  static std::string ValueOf(int i, char version) {
    return std::string(i % 10 == 3 ? 9000 : 20 + 7 * i,
                       static_cast<char>('a' + i % 26)) +
           version;
  }

  // One or two bytes of a page's header, of a meta page, or of where nodes
  // stand and what they say of themselves.
  std::string Damaged(uint64_t seed) const {
    std::mt19937_64 random(seed);
    std::string bytes = whole_;
    const int changes = 1 + static_cast<int>(random() % 2);
    for (int i = 0; i < changes; ++i) {
      size_t page = random() % (bytes.size() / kPage);
      size_t at = random() % 16;
      switch (random() % 5) {
        case 0:
          page %= 2;
          at = 16 + random() % 136;
          break;
        case 1:
          at = 16 + random() % 64;
          break;
        case 2:
          at = random() % kPage;
          break;
        default:
          break;
      }
      bytes[page * kPage + at] ^= static_cast<char>(1 + random() % 255);
    }
    return bytes;
  }

  // Gets every item, and writes one, twice over.
  Outcome ReadAll(const Options& options) const {
    const absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(options);
    if (!store.ok()) return kNotAllThere;
    Outcome worst = kAllRight;
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < kItems; ++i) {
        const Outcome outcome = ReadOne(**store, i);
        if (outcome == kWrongValue) return outcome;
        worst = std::max(worst, outcome);
      }
      if (!(*store)
               ->Set({.key = absl::StrCat("new||", round),
                      .value = std::string(3000, 'n')})
               .ok()) {
        worst = kNotAllThere;
      }
    }
    return worst;
  }

  Outcome ReadOne(const Store& store, int i) const {
    const bool deleted = i % kDeleted == 0;
    const auto item = store.Get(KeyOf(i));
    if (!item.ok()) return kNotAllThere;
    if (!item->has_value()) return deleted ? kAllRight : kNotAllThere;
    if ((*item)->value == ValueOf(i, '1')) return kOldValue;
    if ((*item)->value != ValueOf(i, '2')) return kWrongValue;
    return deleted ? kOldValue : kAllRight;
  }

  // In a process of its own: its exit code, or 128 + the signal.
  int ReadInChild(const Options& options) const {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kHangSeconds);
      // No word of what it dies of.
      if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
      _exit(ReadAll(options));
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  void Try(uint64_t seed, const std::string& folder) {
    const std::string bytes = Damaged(seed);
    Options options = StoreOptions();
    options.path = folder;
    options.on_assertion = [](const char*) { _exit(70); };
    const auto write = [&] {
      std::ofstream(folder + "/data.mdb", std::ios::binary) << bytes;
    };

    write();
    bool died = false;
    const absl::StatusOr<WalkReport> report = VerifyClosedStore(
        options, {.program = {"engine/store_walker"}},
        {.found =
             [&died](const WalkFinding& finding) {
               died |= finding.reason.find("the walk died") == 0;
             },
         .progress = nullptr});
    write();
    const int outcome = ReadInChild(options);

    const bool clean = report.ok() && report->clean();
    ++tally_->done;
    tally_->found += !clean;
    tally_->walks_died += died;
    tally_->crashes += outcome > kNotAllThere;
    tally_->not_all_there += outcome == kNotAllThere;
    tally_->old_values += outcome == kOldValue;
    // A format that was damaged reads as a later one, which is refused, too.
    const bool said = report.ok() || absl::IsDataLoss(report.status()) ||
                      absl::IsUnimplemented(report.status());
    if (outcome == kWrongValue || (clean && outcome != kAllRight) || !said) {
      ++tally_->violations;
      std::printf("seed %llu: the reader ended with %d, and the walk %s\n",
                  static_cast<unsigned long long>(seed), outcome,
                  clean         ? "found nothing"
                  : report.ok() ? "found something"
                                : report.status().ToString().c_str());
      std::fflush(stdout);
    }
  }

  std::string whole_;
  Tally* tally_ = nullptr;
};

TEST_F(PageDamageTest, NoValueIsWrongAndNoLossIsMissed) {
  const uint64_t seed = TestSeed();
  std::vector<pid_t> lanes;
  for (int lane = 0; lane < kLanes; ++lane) {
    const std::string folder = dir_.Path(absl::StrCat("lane", lane));
    std::filesystem::create_directory(folder);
    lanes.push_back(fork());
    if (lanes.back() == 0) {
      for (int i = lane; i < kTrials; i += kLanes) Try(seed + i, folder);
      _exit(0);
    }
  }
  for (const pid_t lane : lanes) {
    int status = 0;
    ASSERT_EQ(waitpid(lane, &status, 0), lane);
    EXPECT_EQ(status, 0);
  }
  std::printf(
      "%d stores: %d damaged, %d crashed a reader, %d lost something, %d went "
      "back, %d ended a walk\n",
      tally_->done.load(), tally_->found.load(), tally_->crashes.load(),
      tally_->not_all_there.load(), tally_->old_values.load(),
      tally_->walks_died.load());
  EXPECT_EQ(tally_->done, kTrials);
  EXPECT_EQ(tally_->violations, 0);
  // Otherwise nothing was tried.
  EXPECT_GT(tally_->found, kTrials / 10);
  EXPECT_GT(tally_->crashes + tally_->not_all_there, kTrials / 50);
}

}  // namespace
}  // namespace statecpp
