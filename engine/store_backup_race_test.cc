// SPDX-License-Identifier: Apache-2.0
//
// Backups beside writers at full speed. Each writer goes its own way through
// its own keys, by a seed, in transactions that also write how far it is. So
// what a backup holds of it has to be, to the last item, where it stood after
// as many steps as the backup says; and it has to say those that the commit
// which the backup names allows: all steps that were acknowledged up to it, and
// none that was asked for behind it.
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/backup.h"
#include "engine/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_dir.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_keys.h"
#include "tests/support/test_seed.h"

namespace statecpp {
namespace {

constexpr int kWriters = 4;
constexpr int kKeysPerWriter = 3000;
constexpr int kBackups = 12;

// One that writes, or that only thinks of it: the same seed leads to the same
// steps.
class Writer {
 public:
  Writer(int number, uint64_t seed)
      : name_(absl::StrCat("writer", number)), random_(seed + number) {}

  std::string CounterKey() const { return name_ + "||steps"; }

  // What the next step writes, counter included.
  std::vector<WriteOp> Next() {
    std::vector<WriteOp> ops;
    ops.push_back({.key = CounterKey(), .value = absl::StrCat(++steps_)});
    const int changes = 1 + static_cast<int>(random_() % 4);
    const uint64_t first = random_() % kKeysPerWriter;
    for (int i = 0; i < changes; ++i) {
      WriteOp op = {.key = absl::StrCat(name_, "||", first + i)};
      if (random_() % 4 == 0) {
        op.kind = WriteOp::Kind::kDelete;
      } else {
        op.value = std::string(random_() % 700, 'v') + absl::StrCat(steps_);
        if (random_() % 3 == 0) op.ttl = absl::Hours(1);
      }
      ops.push_back(std::move(op));
    }
    return ops;
  }

  // What is there after so many steps more.
  void Think(uint64_t steps, std::map<std::string, std::string>& items) {
    while (steps_ < steps) {
      for (WriteOp& op : Next()) {
        if (op.kind == WriteOp::Kind::kDelete) {
          items.erase(op.key);
        } else {
          items[op.key] = std::move(op.value);
        }
      }
    }
  }

 private:
  const std::string name_;
  std::mt19937_64 random_;
  uint64_t steps_ = 0;
};

// By step: the last commit before it was asked for, and one that was not before
// it was acknowledged.
struct Commits {
  uint64_t before;
  uint64_t after;
};

class StoreBackupRaceTest : public ::testing::Test {
 protected:
  // Of the store in that folder.
  static Options OptionsOf(const std::string& path) {
    return {.path = path,
            .keys = TestKeys(),
            .max_size = uint64_t{4} << 30,
            .cleanup_interval = absl::ZeroDuration()};
  }

  uint64_t CommitSeq() const { return store_->GetStats()->commit_seq; }

  void Write(int number) {
    Writer writer(number, seed_);
    while (!stop_) {
      Commits commits = {.before = CommitSeq(), .after = 0};
      const auto written = store_->Transact(writer.Next());
      if (!written.ok()) {
        ADD_FAILURE() << written.status();
        return;
      }
      commits.after = CommitSeq();
      commits_[number].push_back(commits);
    }
  }

  // Takes backups while all write; each with its report.
  std::map<std::string, BackupReport> TakeBackups(size_t note_bytes) {
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([this, i] { Write(i); });
    }
    std::map<std::string, BackupReport> reports;
    for (int i = 0; i < kBackups; ++i) {
      absl::SleepFor(absl::Milliseconds(30));
      const std::string path = dir_.Path(absl::StrCat("backup", i));
      // Some are interrupted, and go on.
      if (i % 3 == 2) {
        const auto stopped = store_->Backup(
            {.path = path,
             .on_progress = [](const BackupRequest::Progress& told) {
               return told.done == 0;
             }});
        if (stopped.ok()) ADD_FAILURE() << "not interrupted";
        absl::SleepFor(absl::Milliseconds(30));
      }
      const absl::StatusOr<BackupReport> report =
          store_->Backup({.path = path, .note_bytes = note_bytes});
      EXPECT_THAT(report, IsOk()) << path;
      if (report.ok()) reports.emplace(path, *report);
    }
    stop_ = true;
    for (std::thread& writer : writers) writer.join();
    return reports;
  }

  void Check(const std::string& path, const BackupReport& report) {
    SCOPED_TRACE(absl::StrCat(path, ", commit ", report.commit_seq));
    const auto backup = Store::Open(OptionsOf(path)).value();
    EXPECT_THAT(backup->CheckIntegrity(), IsOk());
    std::map<std::string, std::string> expected;
    for (int i = 0; i < kWriters; ++i) {
      Writer writer(i, seed_);
      uint64_t steps = 0;
      const auto counter = backup->Get(writer.CounterKey()).value();
      if (counter.has_value()) {
        ASSERT_TRUE(absl::SimpleAtoi(counter->value, &steps));
      }
      ASSERT_LE(steps, commits_[i].size());
      for (size_t step = 0; step < commits_[i].size(); ++step) {
        const Commits& commits = commits_[i][step];
        if (commits.after <= report.commit_seq) {
          ASSERT_LT(step, steps) << "an acknowledged write is missing";
        }
        if (commits.before >= report.commit_seq) {
          ASSERT_GE(step, steps) << "a later write is there";
        }
      }
      writer.Think(steps, expected);
    }
    ASSERT_EQ(backup->GetStats()->records, expected.size());
    ASSERT_EQ(report.records, expected.size());
    for (const auto& [key, value] : expected) {
      const auto item = backup->Get(key);
      ASSERT_THAT(item, IsOk()) << key;
      ASSERT_TRUE(item->has_value()) << key;
      ASSERT_EQ((*item)->value, value) << key;
    }
  }

  void RaceAndCheck(size_t note_bytes) {
    store_ = Store::Open(OptionsOf(dir_.Path("store"))).value();
    const auto reports = TakeBackups(note_bytes);
    uint64_t rounds = 0;
    uint64_t rescans = 0;
    for (const auto& [path, report] : reports) {
      ASSERT_NO_FATAL_FAILURE(Check(path, report));
      rounds += report.rounds;
      rescans += report.rescans;
    }
    std::printf(
        "%d backups in %d rounds, of %d commits; all compared %d times\n",
        static_cast<int>(reports.size()), static_cast<int>(rounds),
        static_cast<int>(CommitSeq()), static_cast<int>(rescans));
    EXPECT_EQ(reports.size(), static_cast<size_t>(kBackups));
    if (note_bytes < 10000) {
      EXPECT_GT(rescans, 0u);
    }
  }

  const uint64_t seed_ = TestSeed();
  MemoryDir dir_;
  std::unique_ptr<Store> store_;
  std::atomic<bool> stop_ = false;
  std::vector<Commits> commits_[kWriters];
};

TEST_F(StoreBackupRaceTest, IsTheStoreAsOfTheCommitItNames) {
  RaceAndCheck(BackupRequest().note_bytes);
}

TEST_F(StoreBackupRaceTest, IsSoWhenItCannotNoteAllThatChanges) {
  RaceAndCheck(/*note_bytes=*/2000);
}

}  // namespace
}  // namespace statecpp
