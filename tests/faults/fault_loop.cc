// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/fault_loop.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/keys_status.h"
#include "engine/store_keys.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

// Between the making of the store and the runs: some items expire, and not so
// long that a store would doubt its clock.
constexpr absl::Duration kPause = absl::Seconds(200);
constexpr absl::Duration kPatience = absl::Seconds(30);
// On a busy machine.
constexpr unsigned kLongestRunSeconds = 60;
constexpr uint64_t kRoomy = uint64_t{64} << 20;

// Does it in a process of its own. Empty, or how that ended otherwise than by
// itself; "killed" by a SIGKILL.
template <typename Function>
std::string InChild(Function function) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return absl::StrCat("no process: ", std::strerror(errno));
  if (child == 0) {
    // Ends what would not.
    alarm(kLongestRunSeconds);
    function();
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return "a process was lost";
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGKILL) return "killed";
    return absl::StrCat("the process ended by ", strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) == 0) return "";
  return absl::StrCat("the process ended with ", WEXITSTATUS(status));
}

ino_t InodeOf(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

// Folders that a store was made in, or is.
int CountAside(const std::string& folder) {
  int count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    count += absl::StartsWith(entry.path().filename().string(), ".new-");
  }
  return count;
}

// As they will be in a minute.
void AgeAside(const std::string& folder) {
  const timespec long_ago[2] = {};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (absl::StartsWith(entry.path().filename().string(), ".new-")) {
      utimensat(AT_FDCWD, entry.path().c_str(), long_ago, 0);
    }
  }
}

std::string TraceOf(const CallRecord& record) {
  std::string trace;
  for (uint64_t i = 0; i < record.calls && i < CallRecord::kTraced; ++i) {
    absl::StrAppend(&trace, i + 1, " ", record.trace[i], "\n");
  }
  return trace;
}

// With whichever keys open it.
absl::StatusOr<std::unique_ptr<Store>> OpenAny(const std::string& path,
                                               Clock& clock) {
  Options options = {.path = path,
                     .create = false,
                     .keys = TestKeys(),
                     .max_size = kRoomy,
                     .cleanup_interval = absl::ZeroDuration(),
                     .clock = &clock};
  absl::StatusOr<std::unique_ptr<Store>> store = Store::Open(options);
  if (!absl::IsPermissionDenied(store.status())) return store;
  options.keys = options.keys == nullptr ? NewTestKeys() : nullptr;
  return Store::Open(options);
}

// A caller is answered before the owner of the store is told.
void AwaitStop(const Store& store, const RunRecord& record) {
  constexpr absl::Duration kPatience = absl::Seconds(5);
  if (!absl::IsUnavailable(store.Get("item0").status())) return;
  const absl::Time deadline = absl::Now() + kPatience;
  while (record.stopped == 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(1));
  }
}

}  // namespace

std::string FaultLoop::Prepare() {
  std::error_code failed;
  fs::create_directories(Template(), failed);
  const SharedRunRecord made = NewRunRecord();
  std::string wrong = InChild([&] {
    Stage stage(Template(), *made, Stage::Sabotage::kNone);
    if (operation_.prepare == nullptr) return;
    const absl::Status status = operation_.prepare(stage);
    if (!status.ok()) made->Complain(status.ToString());
    stage.Close();
  });
  if (wrong.empty()) wrong = made->complaint;
  if (!wrong.empty()) return absl::StrCat("preparing: ", wrong);

  // What it begins with, and what it leaves.
  CopyTemplate();
  const SharedRunRecord before = NewRunRecord();
  wrong = InChild([&] { Look(*before); });
  if (wrong.empty()) wrong = before->complaint;
  if (!wrong.empty()) return absl::StrCat("before: ", wrong);
  judgement_.before = TakeFacts(before->found);
  judgement_.each = operation_.leaves == Operation::Leaves::kEach;

  CopyTemplate();
  const SharedRunRecord clean = NewRunRecord();
  wrong = InChild([&] { Run({}, Stage::Sabotage::kNone, *clean); });
  if (wrong.empty()) wrong = InChild([&] { Look(*clean); });
  if (wrong.empty()) wrong = clean->complaint;
  if (!wrong.empty()) return absl::StrCat("with no fault: ", wrong);
  if (clean->answer != Answer::kYes) {
    return absl::StrCat("with no fault: ", clean->status);
  }
  judgement_.after = TakeFacts(clean->found);
  calls_ = clean->calls.calls;
  return "";
}

FaultLoop::Outcome FaultLoop::RunOnce(const Fault& fault,
                                      const std::optional<Fault>& second) {
  CopyTemplate();
  const SharedRunRecord record = NewRunRecord();
  std::string ended = InChild([&] { Run(fault, sabotage_, *record); });
  Outcome outcome = {.reached = record->calls.failed > 0,
                     .second_reached = false,
                     .answer = record->answer,
                     .wrong = "",
                     .status = record->status,
                     .call = "",
                     .trace = TraceOf(record->calls)};
  if (outcome.reached && fault.at <= CallRecord::kTraced) {
    outcome.call = record->calls.trace[fault.at - 1];
  }
  if (fault.kills() && outcome.reached && ended == "killed") ended = "";
  if (ended.empty()) ended = record->complaint;
  // A disk that fails now is no damage, for which the remedy is a backup. What
  // reads too little cannot tell.
  if (ended.empty() && absl::StartsWith(outcome.status, "DATA_LOSS") &&
      fault.kind != Fault::Kind::kShort) {
    ended = "false: a fault is called damage";
  }
  const Facts live = TakeFacts(record->live);
  if (ended.empty() && !live.empty()) {
    ended = judgement_.WrongWith(*record, live);
    if (!ended.empty()) absl::StrAppend(&ended, " (before it was closed)");
  }
  if (ended.empty() && second.has_value()) {
    const SharedRunRecord opened = NewRunRecord();
    ended = InChild([&] { OpenUnder(*second, *opened); });
    outcome.second_reached = opened->calls.failed > 0;
    outcome.trace = TraceOf(opened->calls);
    if (second->kills() && ended == "killed") ended = "";
  }
  if (ended.empty()) {
    ended = InChild([&] { Look(*record); });
    if (!ended.empty()) absl::StrAppend(&ended, ", looking at what is left");
  }
  if (ended.empty()) ended = record->complaint;
  if (ended.empty()) {
    ended = judgement_.WrongWith(*record, TakeFacts(record->found));
  }
  outcome.wrong = ended;
  return outcome;
}

void FaultLoop::CopyTemplate() {
  std::error_code failed;
  fs::remove_all(RunFolder(), failed);
  fs::copy(Template(), RunFolder(), fs::copy_options::recursive, failed);
  if (failed) std::abort();
  inode_ = InodeOf(RunFolder() + "/store");
}

void FaultLoop::Run(const Fault& fault, Stage::Sabotage sabotage,
                    RunRecord& record) const {
  Stage stage(RunFolder(), record, sabotage);
  stage.clock().Advance(kPause);
  if (operation_.opens) {
    if (operation_.arrange != nullptr) operation_.arrange(stage);
  } else if (absl::Status opened = stage.Open(); !opened.ok()) {
    return record.Complain(absl::StrCat("opening: ", opened.ToString()));
  }
  FailCalls(RunFolder(), fault, record.calls);
  operation_.run(stage);
  LeaveCalls();
  if (stage.is_open()) AfterRun(stage, fault, record);
}

// What an open store must answer behind a fault, which is over.
void FaultLoop::AfterRun(Stage& stage, const Fault& fault,
                         RunRecord& record) const {
  Store& store = stage.store();
  AwaitStop(store, record);
  if (record.stopped == 0) {
    if (record.answer == Answer::kMaybe && !judgement_.each) {
      return record.Complain("an unknown outcome did not stop the store");
    }
    if (record.calls.sync_failed) {
      return record.Complain("false: the store goes on after a failed sync");
    }
    PutFacts(WithFolder(FactsOf(store)), record.live);
    // Not always, so that it is also opened again as the fault left it.
    if (fault.sticky && fault.kind != Fault::Kind::kEnospc) return;
    const absl::Status set = store.Set({.key = "probe", .value = "v"}).status();
    const absl::Status deleted = store.Delete({.key = "probe"});
    if (!set.ok() || !deleted.ok()) {
      record.Complain(absl::StrCat("no write after the fault is over: ",
                                   set.ToString(), " ", deleted.ToString()));
    }
    return;
  }
  if (record.stopped > 1) record.Complain("it stopped twice");
  for (const absl::Status& late :
       {store.Set({.key = "probe", .value = "late"}).status(),
        store.Delete({.key = "item0"}), store.Get("item0").status(),
        store.Sweep().status(), store.DeleteWithPrefix("p").status()}) {
    if (!absl::IsUnavailable(late)) {
      record.Complain(
          absl::StrCat("false: after the store stopped: ", late.ToString()));
    }
  }
}

void FaultLoop::OpenUnder(const Fault& fault, RunRecord& record) const {
  Stage stage(RunFolder(), record, Stage::Sabotage::kNone);
  stage.clock().Advance(kPause);
  FailCalls(RunFolder(), fault, record.calls);
  stage.Open().IgnoreError();
  LeaveCalls();
}

Facts FaultLoop::WithFolder(Facts facts) const {
  const ino_t inode = InodeOf(RunFolder() + "/store");
  if (inode != 0) facts["folder"] = inode == inode_ ? "former" : "new";
  return facts;
}

// With nothing failed: what is there, whether it is whole, and whether the
// operation can be done now.
void FaultLoop::Look(RunRecord& record) const {
  FakeClock clock;
  clock.Advance(kPause);
  const std::string path = RunFolder() + "/store";
  absl::StatusOr<std::unique_ptr<Store>> store = OpenAny(path, clock);
  if (absl::IsNotFound(store.status())) {
    PutFacts({{"store", "none"}}, record.found);
    return RunAgain({{"store", "none"}}, record);
  }
  if (!store.ok()) {
    return record.Complain(
        absl::StrCat("lost: it does not open: ", store.status().ToString()));
  }
  StoreKeys& keys = (*store)->keys();
  if (!keys.WaitForResealer(kPatience) || keys.GetStatus()->resealer.left > 0) {
    record.Complain("records are left under a former data key");
  }
  const Facts facts = WithFolder(FactsOf(**store));
  PutFacts(facts, record.found);
  if (absl::Status whole = (*store)->CheckIntegrity(); !whole.ok()) {
    record.Complain(absl::StrCat("false: ", whole.ToString()));
  }
  *store = nullptr;
  if (CountAside(RunFolder()) > 0) {
    AgeAside(RunFolder());
    store = OpenAny(path, clock);
    if (!store.ok()) {
      return record.Complain(absl::StrCat("lost: it does not open again: ",
                                          store.status().ToString()));
    }
    *store = nullptr;
  }
  if (CountAside(RunFolder()) > 0) {
    record.Complain("a folder stays aside for good");
  }
  RunAgain(facts, record);
}

void FaultLoop::RunAgain(const Facts& found, RunRecord& record) const {
  if (judgement_.after.empty() || judgement_.IsDone(found)) return;
  const SharedRunRecord again = NewRunRecord();
  Stage stage(RunFolder(), *again, Stage::Sabotage::kNone);
  stage.clock().Advance(kPause);
  const absl::Status opened =
      operation_.opens ? absl::OkStatus() : stage.Open();
  if (opened.ok()) operation_.run(stage);
  if (!opened.ok() || again->answer != Answer::kYes) {
    return record.Complain(absl::StrCat(
        "it cannot be done again: ", opened.ToString(), again->status));
  }
  bool done;
  if (stage.is_open()) {
    done = judgement_.IsDone(WithFolder(FactsOf(stage.store())));
  } else {
    const auto store = OpenAny(stage.path(), stage.clock());
    done = store.ok() && judgement_.IsDone(WithFolder(FactsOf(**store)));
  }
  if (!done) record.Complain("done again, it did not leave what it does");
}

}  // namespace statecpp
