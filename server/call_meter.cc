// SPDX-License-Identifier: Apache-2.0
#include "server/call_meter.h"

#include <algorithm>
#include <utility>

#include "engine/error_payload.h"

namespace statecpp {

void CallMeter::Arrive() { arrived_ = CallTimes::Now(); }

void CallMeter::TakeUp() { taken_up_ = CallTimes::Now(); }

void CallMeter::AddValue(size_t bytes) {
  value_bytes_ += bytes;
  if (figures_ != nullptr) figures_->Of(operation_).value_bytes.Add(bytes);
}

void CallMeter::AddDamage(const absl::Status& why) {
  if (figures_ == nullptr) return;
  ++figures_->damaged;
  fault_ = error::ReasonOf(why);
}

// The text is as long as its sender likes, and a valid one is not.
void CallMeter::SetTraceParent(absl::string_view text) {
  constexpr size_t kLongest = 256;
  trace_parent_ = std::string(text.substr(0, kLongest));
}

void CallMeter::Assign(std::shared_ptr<InstanceFigures> figures,
                       Operation operation, CallLog* call_log) {
  figures_ = std::move(figures);
  operation_ = operation;
  call_log_ = call_log;
  figures_->calls_in_flight.fetch_add(1, std::memory_order_relaxed);
}

void CallMeter::Answer(const absl::Status& status) {
  if (figures_ == nullptr) return;
  if (!status.ok()) {
    result_ = ResultOf(status);
    if (absl::IsDataLoss(status)) {
      AddDamage(status);
    } else if (result_ == Result::kError) {
      // Its text is for the caller, and may name his key.
      fault_ = absl::StatusCodeToString(status.code());
    }
  }
  // Whoever answers on the loop's thread is sent at once, and needs no look.
  if (taken_up_ != 0) answered_ = CallTimes::Now();
}

bool CallMeter::End() {
  if (figures_ == nullptr) return false;
  ended_ = CallTimes::Now();
  OperationFigures& figures = figures_->Of(operation_);
  figures.results[static_cast<size_t>(result_)].fetch_add(
      1, std::memory_order_relaxed);
  figures.duration.Add(ended_ - arrived_);
  if (HasItems(operation_)) figures.items.Add(items_);
  figures_->calls_in_flight.fetch_sub(1, std::memory_order_relaxed);
  return !fault_.empty() || call_log_->IsSlow(ended_ - arrived_);
}

void CallMeter::Report(absl::string_view component,
                       absl::string_view trace_parent) {
  if (!fault_.empty()) {
    call_log_->Add(FailedCall{
        .component = std::string(component),
        .operation = kOperationNames[static_cast<size_t>(operation_)],
        .reason = std::move(fault_),
        .trace_id = TraceIdOf(trace_parent)});
  }
  if (!call_log_->IsSlow(ended_ - arrived_)) return;
  SlowCall call = {
      .component = std::string(component),
      .operation = kOperationNames[static_cast<size_t>(operation_)],
      .result = kResultNames[static_cast<size_t>(result_)],
      .items = items_,
      .value_bytes = value_bytes_,
      .trace_id = TraceIdOf(trace_parent),
      .duration = ended_ - arrived_};
  // From one end to the next; what a call never came to takes no time.
  int64_t at = arrived_;
  const auto until = [&at](int64_t end) {
    if (end <= at) return int64_t{0};
    return end - std::exchange(at, end);
  };
  call.wait = until(taken_up_);
  if (times_.submitted != 0) {
    call.decide = until(times_.submitted);
    call.queue = until(times_.taken);
    call.commit = until(times_.judged);
  } else {
    call.decide = until(answered_ != 0 ? answered_ : ended_);
  }
  call.reply = until(ended_);
  call_log_->Add(std::move(call));
}

}  // namespace statecpp
