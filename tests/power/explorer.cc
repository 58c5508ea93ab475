// SPDX-License-Identifier: Apache-2.0
#include "tests/power/explorer.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/store.h"
#include "tests/power/noted_store.h"
#include "tests/power/recorder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

// Enough for every workload. Space is set aside by it, which takes time.
constexpr uint64_t kMaxSize = uint64_t{8} << 20;
// One state in so many is written to and opened again.
constexpr uint64_t kWrittenTo = 8;

// What a worker has found, in memory that outlives it.
struct Findings {
  std::atomic<uint64_t> next;  // the state in hand, or the one after the last
  std::atomic<uint64_t> wrong[3];
  uint64_t first;  // state
  char first_text[1000];

  void Add(uint64_t state, Wrong kind, const std::string& text) {
    if (first_text[0] == '\0') {
      first = state;
      std::snprintf(first_text, sizeof(first_text), "%s", text.c_str());
    }
    ++wrong[static_cast<int>(kind)];
  }
};

Findings* ShareFindings() {
  void* const memory = mmap(nullptr, sizeof(Findings), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  return static_cast<Findings*>(memory);
}

absl::StatusOr<std::unique_ptr<Store>> OpenFound(const RecordedWork& work,
                                                 size_t cut,
                                                 const std::string& folder,
                                                 FakeClock& clock) {
  const KeySet& set = work.keys[work.notes.Keys(cut)];
  Options options = {.path = folder + "/store",
                     // What was made is there, and is not made again.
                     .create = !work.notes.IsMade(cut),
                     .keys = set.keys,
                     .max_size = kMaxSize,
                     .cleanup_interval = absl::ZeroDuration(),
                     .on_assertion = [](const char*) { _exit(70); },
                     .clock = &clock};
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(options);
  if (set.may_be_plain && absl::IsInvalidArgument(store.status())) {
    options.keys = nullptr;
    return Store::Open(options);
  }
  return store;
}

void RunWorker(const RecordedWork& work, const Exploration& exploration,
               const std::vector<CrashState>& states, size_t step,
               const std::string& folder, Findings& findings) {
  Disk disk(work.recording, exploration.promises);
  for (uint64_t i = findings.next; i < states.size(); i += step) {
    findings.next = i;
    disk.GoOn(states[i].cut);
    fs::remove_all(folder);
    fs::create_directory(folder);
    DiskImage::Of(disk, exploration.seed, states[i].choice).WriteTo(folder);
    const std::vector<Violation> violations =
        CheckState(work, states[i].cut, folder,
                   /*goes_on=*/states[i].choice % kWrittenTo == 0);
    if (!violations.empty()) {
      findings.Add(i, violations.front().wrong, violations.front().text);
    }
  }
  findings.next = ~uint64_t{0};
}

// One that goes on where the last one ended, until all is done.
void RunWorkers(const RecordedWork& work, const Exploration& exploration,
                const std::vector<CrashState>& states, size_t step,
                Findings& findings) {
  const MemoryDir dir;
  while (findings.next < states.size()) {
    const pid_t worker = fork();
    if (worker < 0) std::abort();
    if (worker == 0) {
      RunWorker(work, exploration, states, step, dir.Path("found"), findings);
      _exit(0);
    }
    int status = 0;
    waitpid(worker, &status, 0);
    if (findings.next == ~uint64_t{0}) return;
    findings.Add(findings.next, Wrong::kLost,
                 WIFSIGNALED(status)
                     ? absl::StrCat("the process that opened the store was "
                                    "ended by ",
                                    strsignal(WTERMSIG(status)))
                     : "LMDB found its own structures broken");
    findings.next += step;
  }
}

}  // namespace

std::vector<CrashState> StatesOf(const RecordedWork& work,
                                 const Exploration& exploration) {
  std::vector<CrashState> states;
  Disk disk(work.recording, exploration.promises);
  const std::vector<DiskEvent>& events = work.recording.events;
  for (size_t cut = 1; cut <= events.size() + 1; ++cut) {
    disk.GoOn(cut);
    if (cut <= events.size() &&
        events[cut - 1].kind != DiskEvent::Kind::kSync &&
        !events[cut - 1].is_synced) {
      continue;
    }
    uint64_t on_its_way = disk.renames().size();
    for (const auto& [node, file] : disk.files()) {
      on_its_way += file.pieces.size() + file.resizes.size();
    }
    const uint64_t choices =
        on_its_way == 0 ? 1 : std::min(exploration.choices, 4 + 8 * on_its_way);
    for (uint64_t choice = 0; choice < choices; ++choice) {
      states.push_back({cut, choice});
    }
  }
  return states;
}

DiskImage ImageOf(const RecordedWork& work, const Exploration& exploration,
                  const CrashState& state) {
  Disk disk(work.recording, exploration.promises);
  disk.GoOn(state.cut);
  return DiskImage::Of(disk, exploration.seed, state.choice);
}

absl::StatusOr<RecordedWork> RecordAfter(const RecordedWork& work,
                                         const Exploration& exploration,
                                         const CrashState& state) {
  const MemoryDir dir;
  ImageOf(work, exploration, state).WriteTo(dir.path());
  NotedStore store(dir.Path("store"), work.notes, state.cut);
  Recorder::Get().Start(dir.path());
  absl::Status done = store.Open(work.keys.front().keys);
  if (done.ok()) done = store.ReadAll();
  if (done.ok()) done = store.Transact({"k0", "k1", "later"}, 900);
  store.Close();
  Recording recording = Recorder::Get().Stop();
  if (!done.ok()) return done;
  return RecordedWork{.workload = absl::StrCat("after ", work.workload),
                      .seed = work.seed,
                      .recording = std::move(recording),
                      .notes = store.notes(),
                      .keys = work.keys};
}

std::vector<Violation> CheckState(const RecordedWork& work, size_t cut,
                                  const std::string& folder, bool goes_on) {
  FakeClock clock;
  clock.Advance(
      std::max(absl::ZeroDuration(), work.notes.Now(cut) - clock.Now()));
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenFound(work, cut, folder, clock);
  if (!store.ok()) {
    return {{Wrong::kLost, absl::StrCat("the store does not open: ",
                                        store.status().ToString())}};
  }
  const std::vector<Violation> violations =
      FindViolations(work.notes, cut, **store);
  if (!violations.empty() || !goes_on) return violations;
  // It is written to as any other, and opened again.
  if (const auto written = (*store)->Set({.key = "after", .value = "all"});
      !written.ok()) {
    return {{Wrong::kLost, absl::StrCat("nothing can be written: ",
                                        written.status().ToString())}};
  }
  store->reset();
  store = OpenFound(work, cut, folder, clock);
  if (!store.ok()) {
    return {{Wrong::kLost, absl::StrCat("the store opens only once: ",
                                        store.status().ToString())}};
  }
  const auto after = (*store)->Get("after");
  if (!after.ok() || !after->has_value()) {
    return {{Wrong::kLost, "a write after the cut is not there"}};
  }
  return FindViolations(work.notes, cut, **store);
}

Explored Explore(const RecordedWork& work, const Exploration& exploration) {
  const std::vector<CrashState> states = StatesOf(work, exploration);
  Explored explored;
  explored.states = states.size();
  for (size_t i = 0; i < states.size(); ++i) {
    if (i == 0 || states[i].cut != states[i - 1].cut) ++explored.cuts;
    explored.acknowledged += work.notes.Acknowledged(states[i].cut);
  }
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  std::vector<Findings*> findings;
  // Forked from this one, which has no other threads.
  std::vector<pid_t> runners;
  for (size_t i = 0; i < processors; ++i) {
    findings.push_back(ShareFindings());
    findings.back()->next = i;
    runners.push_back(fork());
    if (runners.back() < 0) std::abort();
    if (runners.back() == 0) {
      RunWorkers(work, exploration, states, processors, *findings.back());
      _exit(0);
    }
  }
  for (const pid_t runner : runners) waitpid(runner, nullptr, 0);
  for (Findings* of_one : findings) {
    explored.lost += of_one->wrong[static_cast<int>(Wrong::kLost)];
    explored.torn += of_one->wrong[static_cast<int>(Wrong::kTorn)];
    explored.false_answers += of_one->wrong[static_cast<int>(Wrong::kFalse)];
    if (explored.first_text.empty() && of_one->first_text[0] != '\0') {
      explored.first = states[of_one->first];
      explored.first_text = of_one->first_text;
    }
    munmap(of_one, sizeof(Findings));
  }
  return explored;
}

}  // namespace statecpp
