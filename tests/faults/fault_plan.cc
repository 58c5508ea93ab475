// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/fault_plan.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace statecpp {
namespace {

using Kind = Fault::Kind;

// A kill cuts a write between pages at most.
constexpr size_t kPage = 4096;

// Whether success of the call says that something is on disk.
bool IsSync(const Call& call, int fd) {
  if (call.nature & Call::kSyncs) return true;
  return call.nature & Call::kWrites && fcntl(fd, F_GETFL) & O_DSYNC;
}

bool CanMeet(Kind kind, const Call& call, int fd) {
  switch (kind) {
    case Kind::kLateEio:
      return IsSync(call, fd);
    case Kind::kEnospc:
      return call.nature & (Call::kTakesRoom | Call::kSyncs | Call::kWrites);
    case Kind::kShort:
      return call.nature & (Call::kWrites | Call::kReads) && call.bytes > 1;
    case Kind::kKillWithin:
      return call.nature & Call::kWrites && call.bytes > kPage;
    case Kind::kSwallow:
      return call.nature & (Call::kSyncs | Call::kWrites);
    default:
      return true;
  }
}

void Trace(const Call& call, const std::string& path, uint64_t number) {
  if (number > CallRecord::kTraced) return;
  const bool is_below = path.size() > plan.folder.size() + 1;
  std::snprintf(plan.record->trace[number - 1], CallRecord::kLine, "%s %s",
                call.name,
                is_below ? path.c_str() + plan.folder.size() + 1 : ".");
}

}  // namespace

FaultPlan plan;

std::string PathOf(int fd) {
  char link[32];
  char path[PATH_MAX];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path));
  return size > 0 ? std::string(path, size) : "";
}

std::string PathAt(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return path;
  return absl::StrCat(PathOf(folder), "/", path);
}

Kind Decide(const Call& call, const std::string& path, int fd) {
  const Fault& fault = plan.fault;
  if (!absl::StartsWith(path, plan.folder) || !CanMeet(fault.kind, call, fd)) {
    return Kind::kNone;
  }
  const uint64_t number = ++plan.record->calls;
  Trace(call, path, number);
  const bool met =
      fault.at != 0 && (fault.sticky ? number >= fault.at : number == fault.at);
  if (!met) return Kind::kNone;
  ++plan.record->failed;
  if (fault.kind == Kind::kKillBefore) Die();
  const bool is_eio = fault.kind == Kind::kEio || fault.kind == Kind::kLateEio;
  if (is_eio && IsSync(call, fd) && absl::EndsWith(path, "/data.mdb")) {
    plan.record->sync_failed = true;
  }
  return fault.kind;
}

void Die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

std::string NameOf(Kind kind) {
  static constexpr const char* kNames[] = {
      "none",        "EIO",         "ENOSPC",     "late-EIO", "short",
      "kill-before", "kill-within", "kill-after", "swallow"};
  return kNames[static_cast<int>(kind)];
}

std::string Describe(const Fault& fault) {
  return absl::StrCat(NameOf(fault.kind), fault.sticky ? " sticky " : " once ",
                      fault.at);
}

void FailCalls(const std::string& folder, const Fault& fault,
               CallRecord& record) {
  plan.folder = folder;
  plan.fault = fault;
  plan.record = &record;
  plan.on = true;
}

void LeaveCalls() { plan.on = false; }

}  // namespace statecpp
