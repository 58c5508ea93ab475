// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_CALL_METER_H_
#define STATECPP_SERVER_CALL_METER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/write.h"
#include "server/call_log.h"
#include "server/instance_figures.h"

namespace statecpp {

// What is measured of one call, from its arrival to its reply.
//
//   meter.Arrive();                        // the loop
//   meter.Assign(figures, Operation::kGet, &call_log);      // the handler
//   meter.AddValue(item.value.size());
//   meter.Answer(status);                  // whoever answers
//   meter.End();                           // the loop, as it sends the reply
//
// A call that was never assigned, as one of the health service, counts nowhere.
// It costs a Get two looks at the clock and some additions
// (bench/instructions.py counts them by these functions' names). For one thread
// at a time, like the call.
class CallMeter {
 public:
  void Arrive();
  // The call waited for one of the worker threads, and is taken up now.
  void TakeUp();

  // From now on it counts as one of that instance. `call_log` outlives the
  // call.
  void Assign(std::shared_ptr<InstanceFigures> figures, Operation operation,
              CallLog* call_log);

  // How many items it is about, where there may be several.
  void SetItems(size_t items) { items_ = items; }
  // One more value that is written or returned.
  void AddValue(size_t bytes);
  void SetMiss() { result_ = Result::kMiss; }
  // A record that it came for did not open, as DATA_LOSS says.
  void AddDamage(const absl::Status& why);
  // As somebody sent it, valid or not.
  void SetTraceParent(absl::string_view text);
  const std::string& trace_parent() const { return trace_parent_; }

  InstanceFigures* figures() { return figures_.get(); }
  CallTimes* times() { return &times_; }

  // What came of it.
  void Answer(const absl::Status& status);
  // The answer could not be sent, for want of room.
  void Refuse() { result_ = Result::kUnavailable; }

  // The reply goes out: counts the call. True where it was slow or met a fault
  // of ours, and Report is wanted.
  bool End();
  // Has the log tell of it; `component` and `trace_parent` as the call brought
  // them.
  void Report(absl::string_view component, absl::string_view trace_parent);

 private:
  int64_t arrived_ = 0;
  int64_t taken_up_ = 0;
  int64_t answered_ = 0;
  int64_t ended_ = 0;
  CallTimes times_;
  std::shared_ptr<InstanceFigures> figures_;
  CallLog* call_log_ = nullptr;
  Operation operation_ = Operation::kGet;
  Result result_ = Result::kOk;
  size_t items_ = 1;
  uint64_t value_bytes_ = 0;
  std::string trace_parent_;
  // The fault of ours that it met; empty if none.
  std::string fault_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_CALL_METER_H_
