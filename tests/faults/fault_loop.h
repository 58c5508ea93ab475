// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_FAULT_LOOP_H_
#define STATECPP_TESTS_FAULTS_FAULT_LOOP_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "tests/faults/fault.h"
#include "tests/faults/run_record.h"
#include "tests/faults/stage.h"
#include "tests/faults/stored_facts.h"

namespace statecpp {

// One operation, run again and again from the same store with another call
// failed each time, and looked at afterwards:
//
//   FaultLoop loop(operation, "/dev/shm/x", Sabotage::kNone);
//   std::string wrong = loop.Prepare();
//   FaultLoop::Outcome outcome = loop.RunOnce({Fault::Kind::kEio, false, 7});
//
// A run is a process of its own, forked from this one, and so is each look at
// what it left: what kills them kills nothing else. This process must have no
// other threads.
class FaultLoop {
 public:
  FaultLoop(Operation operation, std::string folder, Stage::Sabotage sabotage)
      : operation_(std::move(operation)),
        folder_(std::move(folder)),
        sabotage_(sabotage) {}

  const Operation& operation() const { return operation_; }

  // Makes the store and runs the operation once with no call failed. Empty, or
  // what went wrong.
  std::string Prepare();

  // How many calls that one made.
  uint64_t calls() const { return calls_; }

  struct Outcome {
    // Whether there was such a call, and one for the second fault.
    bool reached = false;
    bool second_reached = false;
    Answer answer = Answer::kNone;
    // Empty, or what is wrong. Begins with "lost", "torn" or "false" where it
    // is one of these.
    std::string wrong;
    std::string status;
    // What was failed first, as "fsync store".
    std::string call;
    // All calls that the fault could be done to, a line each: of the opening,
    // where there is a second fault.
    std::string trace;
  };
  // With `second`, that happens to who opens the store after this.
  Outcome RunOnce(const Fault& fault,
                  const std::optional<Fault>& second = std::nullopt);

 private:
  std::string RunFolder() const { return folder_ + "/run"; }
  std::string Template() const { return folder_ + "/template"; }
  void CopyTemplate();

  void Run(const Fault& fault, Stage::Sabotage sabotage,
           RunRecord& record) const;
  void AfterRun(Stage& stage, const Fault& fault, RunRecord& record) const;
  void OpenUnder(const Fault& fault, RunRecord& record) const;
  Facts WithFolder(Facts facts) const;
  void Look(RunRecord& record) const;
  void RunAgain(const Facts& found, RunRecord& record) const;

  const Operation operation_;
  const std::string folder_;
  const Stage::Sabotage sabotage_;
  Judgement judgement_;
  uint64_t calls_ = 0;
  // Of the store's folder before the run; 0: there is none.
  ino_t inode_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_FAULT_LOOP_H_
