// SPDX-License-Identifier: Apache-2.0
#include "tests/power/cut_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "tests/power/swallowed_syncs.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

CutLedger& ShareLedger() {
  void* const memory = mmap(nullptr, sizeof(CutLedger), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return *static_cast<CutLedger*>(memory);
}

Options OptionsOf(const std::string& path, bool create) {
  return {.path = path,
          .create = create,
          .keys = TestKeys(),
          .max_size = uint64_t{16} << 20,
          .cleanup_interval = absl::ZeroDuration()};
}

// Until the first error, which is the disk's.
void WriteSlots(Store& store, CutLedger& ledger, int thread) {
  std::mt19937_64 random(ledger.seed + thread);
  for (;;) {
    const int slot = static_cast<int>(
        thread + CutLedger::kThreads *
                     (random() % (CutLedger::kSlots / CutLedger::kThreads)));
    CutLedger::Slot& entry = ledger.slots[slot];
    const uint64_t number = ++entry.begun;
    std::vector<WriteOp> ops(2);
    for (int side = 0; side < 2; ++side) {
      const auto value = CutLedger::Value(slot, side, number);
      ops[side].kind =
          value.has_value() ? WriteOp::Kind::kSet : WriteOp::Kind::kDelete;
      ops[side].key = CutLedger::Key(slot, side);
      ops[side].value = value.value_or("");
    }
    const absl::StatusOr<std::vector<ETag>> etags =
        store.Transact(std::move(ops));
    if (!etags.ok()) return;
    for (int side = 0; side < 2; ++side) {
      entry.etags[side] = (*etags)[side].version();
    }
    entry.acknowledged = number;
    ++ledger.acknowledged;
  }
}

}  // namespace

CutStore::CutStore(std::string path)
    : path_(std::move(path)), ledger_(ShareLedger()) {}

CutStore::~CutStore() {
  if (writer_ != 0) EndWriter();
  munmap(&ledger_, sizeof(ledger_));
}

void CutStore::StartWriter(uint64_t seed, bool swallow_syncs) {
  ledger_.seed = seed;
  ledger_.ready = false;
  writer_ = fork();
  if (writer_ < 0) std::abort();
  if (writer_ == 0) {
    Write(swallow_syncs);
    _exit(0);
  }
}

void CutStore::Write(bool swallow_syncs) {
  if (swallow_syncs) SwallowSyncs();
  const absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open(OptionsOf(path_, !ledger_.made));
  if (!store.ok()) return;  // the disk was gone, or Check will say it
  ledger_.made = true;
  ledger_.ready = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < CutLedger::kThreads; ++i) {
    threads.emplace_back([&, i] { WriteSlots(**store, ledger_, i); });
  }
  for (std::thread& thread : threads) thread.join();
}

void CutStore::AwaitWriter() {
  siginfo_t ended;
  do {
    usleep(100);
    ended.si_pid = 0;
    waitid(P_PID, writer_, &ended, WEXITED | WNOHANG | WNOWAIT);
  } while (!ledger_.ready && ended.si_pid == 0);
}

void CutStore::EndWriter() {
  kill(writer_, SIGKILL);
  waitpid(writer_, nullptr, 0);
  writer_ = 0;
}

void CutStore::Check() {
  const pid_t checker = fork();
  if (checker < 0) std::abort();
  if (checker == 0) {
    Compare();
    _exit(0);
  }
  int status = 0;
  waitpid(checker, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  ledger_.Wrong(ledger_.lost,
                WIFSIGNALED(status)
                    ? absl::StrCat("opening the store ended the process by ",
                                   strsignal(WTERMSIG(status)))
                    : "LMDB found its own structures broken");
}

void CutStore::Compare() {
  Options options = OptionsOf(path_, !ledger_.made);
  options.on_assertion = [](const char*) { _exit(70); };
  const absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(options);
  if (!store.ok()) {
    return ledger_.Wrong(ledger_.lost, absl::StrCat("the store does not open: ",
                                                    store.status().ToString()));
  }
  for (int slot = 0; slot < CutLedger::kSlots; ++slot) {
    std::optional<Item> found[2];
    for (int side = 0; side < 2; ++side) {
      const std::string key = CutLedger::Key(slot, side);
      auto item = (*store)->Get(key);
      if (!item.ok()) {
        return ledger_.Wrong(ledger_.lost,
                             absl::StrCat(key, ": ", item.status().ToString()));
      }
      found[side] = *std::move(item);
    }
    CompareSlot(slot, found);
  }
  if (const absl::Status whole = (*store)->CheckIntegrity(); !whole.ok()) {
    ledger_.Wrong(
        ledger_.false_answers,
        absl::StrCat("the records are not whole: ", whole.ToString()));
  }
}

void CutStore::CompareSlot(int slot, const std::optional<Item> (&found)[2]) {
  CutLedger::Slot& entry = ledger_.slots[slot];
  const auto shows = [&](int side, uint64_t number) {
    const auto value = CutLedger::Value(slot, side, number);
    return value.has_value() == found[side].has_value() &&
           (!value.has_value() || *value == found[side]->value);
  };
  const uint64_t settled = entry.acknowledged;
  const uint64_t begun = entry.begun;
  if (shows(0, settled) && shows(1, settled)) {
    for (int side = 0; side < 2; ++side) {
      if (found[side].has_value() &&
          found[side]->etag.version() != entry.etags[side]) {
        ledger_.Wrong(ledger_.false_answers,
                      absl::StrCat("slot ", slot, " has another ETag"));
      }
    }
  } else if (shows(0, begun) && shows(1, begun)) {
    entry.acknowledged = begun;
    for (int side = 0; side < 2; ++side) {
      entry.etags[side] =
          found[side].has_value() ? found[side]->etag.version() : 0;
    }
  } else {
    const bool torn = (shows(0, settled) && shows(1, begun)) ||
                      (shows(0, begun) && shows(1, settled));
    ledger_.Wrong(
        torn ? ledger_.torn : ledger_.lost,
        absl::StrCat(
            "slot ", slot, " holds ",
            found[0].has_value() ? found[0]->value.substr(0, 40) : "nothing",
            ", and acknowledged was ", settled));
  }
  entry.begun = entry.acknowledged.load();
}

void CutStore::Forget() {
  std::filesystem::remove_all(path_);
  // Or it would come back.
  const std::string parent = std::filesystem::path(path_).parent_path();
  const int fd = open(parent.c_str(), O_RDONLY);
  if (fd < 0 || syncfs(fd) != 0) std::abort();
  close(fd);
  ledger_.made = false;
  for (CutLedger::Slot& slot : ledger_.slots) {
    slot.begun = 0;
    slot.acknowledged = 0;
  }
}

}  // namespace statecpp
