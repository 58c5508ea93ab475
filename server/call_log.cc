// SPDX-License-Identifier: Apache-2.0
#include "server/call_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "server/log.h"

namespace statecpp {
namespace {

// Where the parts of a traceparent stand.
constexpr size_t kTraceParentSize = 55;
constexpr size_t kTraceIdAt = 3;
constexpr size_t kTraceIdSize = 32;
constexpr size_t kSpanIdAt = 36;

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  });
}

std::string Milliseconds(int64_t nanoseconds) {
  return absl::StrFormat("%.3f", static_cast<double>(nanoseconds) / 1e6);
}

void Write(const SlowCall& call, uint64_t left_out) {
  LogInfo("slow operation", {{"component", call.component},
                             {"operation", call.operation},
                             {"result", call.result},
                             {"duration_ms", Milliseconds(call.duration)},
                             {"wait_ms", Milliseconds(call.wait)},
                             {"decide_ms", Milliseconds(call.decide)},
                             {"queue_ms", Milliseconds(call.queue)},
                             {"commit_ms", Milliseconds(call.commit)},
                             {"reply_ms", Milliseconds(call.reply)},
                             {"items", absl::StrCat(call.items)},
                             {"bytes", absl::StrCat(call.value_bytes)},
                             {"trace_id", call.trace_id},
                             {"left_out", absl::StrCat(left_out)}});
}

void Write(const FailedCall& call, uint64_t left_out) {
  LogError("operation failed", {{"component", call.component},
                                {"operation", call.operation},
                                {"error", call.reason},
                                {"trace_id", call.trace_id},
                                {"left_out", absl::StrCat(left_out)}});
}

}  // namespace

std::string TraceIdOf(absl::string_view trace_parent) {
  // A later version may go on behind a further dash.
  if (trace_parent.size() < kTraceParentSize || trace_parent[2] != '-' ||
      trace_parent[kSpanIdAt - 1] != '-' || trace_parent[52] != '-' ||
      !IsLowerHex(trace_parent.substr(0, 2)) ||
      absl::StartsWith(trace_parent, "ff")) {
    return "";
  }
  const absl::string_view id = trace_parent.substr(kTraceIdAt, kTraceIdSize);
  const bool all_zero = id.find_first_not_of('0') == absl::string_view::npos;
  return IsLowerHex(id) && !all_zero ? std::string(id) : "";
}

// version(1) = 0, then fields, each under its number: 0 trace id(16),
// 1 span id(8), 2 options(1).
std::string TraceParentFromBinary(absl::string_view bytes) {
  constexpr size_t kSize = 29;
  if (bytes.size() < kSize || bytes[0] != 0 || bytes[1] != 0 ||
      bytes[18] != 1 || bytes[27] != 2) {
    return "";
  }
  return absl::StrCat("00-", absl::BytesToHexString(bytes.substr(2, 16)), "-",
                      absl::BytesToHexString(bytes.substr(19, 8)), "-",
                      absl::BytesToHexString(bytes.substr(28, 1)));
}

std::optional<uint64_t> CallLog::Lines::Take() {
  const int64_t second = absl::ToUnixSeconds(absl::Now());
  absl::MutexLock lock(&mutex_);
  if (second != second_) {
    second_ = second;
    taken_ = 0;
  }
  if (taken_ == kLinesPerSecond) {
    ++left_out_;
    return std::nullopt;
  }
  ++taken_;
  return std::exchange(left_out_, 0);
}

void CallLog::Add(SlowCall call) {
  const std::optional<uint64_t> left_out = slow_.Take();
  if (!left_out.has_value()) return;
  workers_.Run([call = std::move(call), left_out] { Write(call, *left_out); });
}

void CallLog::Add(FailedCall call) {
  const std::optional<uint64_t> left_out = failed_.Take();
  if (!left_out.has_value()) return;
  workers_.Run([call = std::move(call), left_out] { Write(call, *left_out); });
}

}  // namespace statecpp
