// SPDX-License-Identifier: Apache-2.0
#include "tests/power/workload.h"

#include <map>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/store_copy.h"
#include "engine/store_keys.h"
#include "tests/power/recorder.h"
#include "tests/support/memory_dir.h"
#include "tests/support/test_keys.h"

// For functions that return a status.
#define RETURN_IF_ERROR(expression)                         \
  do {                                                      \
    if (absl::Status status = (expression); !status.ok()) { \
      return status;                                        \
    }                                                       \
  } while (false)

namespace statecpp {
namespace {

class Work {
 public:
  Work(NotedStore& store, uint64_t seed)
      : store_(store), random_(seed), keys_({{.keys = TestKeys()}}) {}

  std::vector<KeySet>& keys() { return keys_; }

  absl::Status Make() {
    for (int i = 0; i < 3; ++i) {
      RETURN_IF_ERROR(Open());
      store_.Close();
    }
    return absl::OkStatus();
  }

  absl::Status Sets() {
    RETURN_IF_ERROR(Open());
    for (int i = 0; i < 24; ++i) {
      const std::string key = Key(8);
      RETURN_IF_ERROR(Draw(4) == 0 ? store_.Delete(key)
                                   : store_.Set(key, Size(5)));
      if (i % 8 == 3) RETURN_IF_ERROR(store_.Refused(Key(8), "other"));
      if (i == 12) RETURN_IF_ERROR(Reopen());
    }
    return absl::OkStatus();
  }

  absl::Status Transactions() {
    RETURN_IF_ERROR(Open());
    for (int i = 0; i < 16; ++i) {
      std::vector<std::string> keys;
      const int count = static_cast<int>(2 + Draw(4));
      for (int k = 0; k < count; ++k) {
        keys.push_back(absl::StrCat(Draw(4) == 0 ? "-" : "", "pair||", k));
      }
      RETURN_IF_ERROR(store_.Transact(keys, Size(5)));
      if (i % 4 == 0) RETURN_IF_ERROR(store_.Bulk({"b1", "b2", "b3"}, Size(4)));
      if (i == 8) RETURN_IF_ERROR(Reopen());
    }
    return absl::OkStatus();
  }

  absl::Status Growth() {
    RETURN_IF_ERROR(Open());
    for (int i = 0; i < 10; ++i) {
      RETURN_IF_ERROR(store_.Set(Key(4), Size(7)));
      RETURN_IF_ERROR(store_.Set("small", 20));
      if (i % 3 == 2) RETURN_IF_ERROR(store_.Delete(Key(4)));
      if (i == 6) RETURN_IF_ERROR(Reopen());
    }
    return absl::OkStatus();
  }

  absl::Status Expiry() {
    RETURN_IF_ERROR(Open());
    for (int i = 0; i < 6; ++i) {
      RETURN_IF_ERROR(store_.Set("stays", Size(3)));
      RETURN_IF_ERROR(
          store_.Set(Key(5), Size(4), absl::Seconds(30 + Draw(100))));
      RETURN_IF_ERROR(store_.Set(Key(5), Size(4), absl::Seconds(30)));
      RETURN_IF_ERROR(store_.AdvanceAndSweep(absl::Seconds(45 + Draw(45))));
    }
    return absl::OkStatus();
  }

  // Commits of many writes each.
  absl::Status Crowd() {
    RETURN_IF_ERROR(Open());
    std::vector<absl::Status> ends(4);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i, seed = random_()] {
        std::mt19937_64 random(seed);
        for (int n = 0; n < 12 && ends[i].ok(); ++n) {
          const std::string a = absl::StrCat("t", i, "||", random() % 3);
          const std::string b = absl::StrCat("t", i, "||x");
          ends[i] = random() % 2 == 0 ? store_.Set(a, random() % 2000)
                                      : store_.Transact({a, b}, 500);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& end : ends) RETURN_IF_ERROR(end);
    return absl::OkStatus();
  }

  absl::Status Compaction() {
    RETURN_IF_ERROR(Fill());
    store_.Close();
    RETURN_IF_ERROR(
        CompactStore({.path = store_.path(), .keys = TestKeys()}).status());
    RETURN_IF_ERROR(Open());
    return store_.Set(Key(6), 40);
  }

  absl::Status Encryption() {
    keys_.push_back({.keys = NewTestKeys(), .may_be_plain = true});
    keys_.push_back({.keys = NewTestKeys()});
    RETURN_IF_ERROR(Fill());
    store_.Close();
    store_.NoteKeys(1);
    RETURN_IF_ERROR(
        EncryptStore({.path = store_.path(), .keys = NewTestKeys()}).status());
    store_.NoteKeys(2);
    RETURN_IF_ERROR(store_.Open(NewTestKeys()));
    return store_.Set(Key(6), 40);
  }

  // A master key and a data key are replaced.
  absl::Status Keys() {
    auto other = std::make_shared<MasterKeys>();
    other->push_back(MasterKey::FromKey("other", Secret::Random()));
    keys_.push_back({.keys = other});
    RETURN_IF_ERROR(Fill());
    StoreKeys& keys = store_.store().keys();
    RETURN_IF_ERROR(keys.AddSlot(other->front()));
    store_.NoteKeys(1);
    RETURN_IF_ERROR(keys.Rotate().status());
    RETURN_IF_ERROR(store_.Set(Key(6), 40));
    if (!keys.WaitForResealer(absl::Minutes(1))) {
      return absl::DeadlineExceededError("records are not re-sealed");
    }
    RETURN_IF_ERROR(keys.RemoveSlot("test", *other));
    RETURN_IF_ERROR(keys.Retire(1));
    return store_.Transact({"k0", "k1"}, 40);
  }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }
  std::string Key(uint64_t count) { return absl::StrCat("k", Draw(count)); }
  size_t Size(size_t classes) {
    constexpr size_t kSizes[] = {0, 30, 900, 1100, 5000, 60'000, 400'000};
    return kSizes[Draw(classes)];
  }

  absl::Status Open() { return store_.Open(TestKeys()); }
  absl::Status Reopen() {
    store_.Close();
    return Open();
  }

  absl::Status Fill() {
    RETURN_IF_ERROR(Open());
    for (int i = 0; i < 6; ++i) {
      RETURN_IF_ERROR(store_.Set(absl::StrCat("k", i), Size(5)));
    }
    return store_.Delete(Key(6));
  }

  NotedStore& store_;
  std::mt19937_64 random_;
  std::vector<KeySet> keys_;
};

struct Named {
  const char* name;
  absl::Status (Work::*run)();
  bool is_for_plain = true;
  bool is_for_sealed = true;
};

constexpr Named kWorkloads[] = {
    {"make", &Work::Make},
    {"sets", &Work::Sets},
    {"transactions", &Work::Transactions},
    {"growth", &Work::Growth},
    {"expiry", &Work::Expiry},
    {"crowd", &Work::Crowd},
    {"compaction", &Work::Compaction},
    {"encryption", &Work::Encryption, true, false},
    {"keys", &Work::Keys, false, true},
};

}  // namespace

std::vector<std::string> WorkloadNames() {
  std::vector<std::string> names;
  for (const Named& workload : kWorkloads) {
    if (TestsAreSealed() ? workload.is_for_sealed : workload.is_for_plain) {
      names.push_back(workload.name);
    }
  }
  return names;
}

absl::StatusOr<RecordedWork> Record(const std::string& workload, uint64_t seed,
                                    NotedStore::Lie lie) {
  const MemoryDir dir;
  return RecordIn(dir.path(), workload, seed, lie);
}

absl::StatusOr<RecordedWork> RecordIn(const std::string& folder,
                                      const std::string& workload,
                                      uint64_t seed, NotedStore::Lie lie) {
  for (const Named& named : kWorkloads) {
    if (named.name != workload) continue;
    NotedStore store(folder + "/store");
    store.TellLies(lie);
    Work work(store, seed);
    Recorder::Get().Start(folder);
    const absl::Status done = (work.*named.run)();
    store.Close();
    Recording recording = Recorder::Get().Stop();
    if (!done.ok()) return done;
    return RecordedWork{.workload = workload,
                        .seed = seed,
                        .recording = std::move(recording),
                        .notes = store.notes(),
                        .keys = work.keys()};
  }
  return absl::NotFoundError(absl::StrCat("no workload ", workload));
}

}  // namespace statecpp
