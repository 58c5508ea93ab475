// SPDX-License-Identifier: Apache-2.0
//
// Shows ThreadSanitizer what abseil's locks order. Debian's library is not
// instrumented: a lock of its would be unknown, and all that is guarded by one
// a race. The functions here take the place of the library's, for it and gRPC,
// too, and tell before or after they call them.
//
// A condition that somebody waits for is evaluated by whoever lets go of the
// lock, after he told that he does; so what a condition reads is not looked at.
//
// Linked into every program of `--config=tsan` (--custom_malloc in .bazelrc).
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

// Function of the library, by its name for the linker.
template <typename Function>
Function Real(const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) {
    std::fprintf(stderr, "%s: abseil has no %s\n", __FILE__, name);
    std::abort();
  }
  return reinterpret_cast<Function>(found);
}

class IgnoreReads {
 public:
  IgnoreReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

template <typename Lock>
void Acquire(const Lock* lock) {
  __tsan_acquire(const_cast<Lock*>(lock));
}

template <typename Lock>
void Release(const Lock* lock) {
  __tsan_release(const_cast<Lock*>(lock));
}

using Duration = absl::Duration;
using Condition = absl::Condition;

}  // namespace

// NAME is what the linker calls a member function of absl::KIND.
#define REAL(KIND, NAME, RESULT, ...) \
  static const auto real = Real<RESULT (*)(__VA_ARGS__)>("_ZN" KIND NAME)
#define MUTEX "4absl7debian35Mutex"
#define COUNTER "4absl7debian315BlockingCounter"
#define NOTIFICATION "K4absl7debian312Notification"

// The analysis of clang has nothing to see here.
#pragma clang diagnostic ignored "-Wthread-safety-analysis"

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  REAL(MUTEX, "4LockEv", void, Mutex*);
  real(this);
  Acquire(this);
}

bool Mutex::TryLock() {
  REAL(MUTEX, "7TryLockEv", bool, Mutex*);
  const bool locked = real(this);
  if (locked) Acquire(this);
  return locked;
}

void Mutex::Unlock() {
  REAL(MUTEX, "6UnlockEv", void, Mutex*);
  Release(this);
  const IgnoreReads ignore;
  real(this);
}

// What readers did comes before a writer's lock, too.
void Mutex::ReaderLock() {
  REAL(MUTEX, "10ReaderLockEv", void, Mutex*);
  real(this);
  Acquire(this);
}

void Mutex::ReaderUnlock() {
  REAL(MUTEX, "12ReaderUnlockEv", void, Mutex*);
  Release(this);
  const IgnoreReads ignore;
  real(this);
}

void Mutex::Await(const Condition& condition) {
  REAL(MUTEX, "5AwaitERKNS0_9ConditionE", void, Mutex*, const Condition&);
  Release(this);
  {
    const IgnoreReads ignore;
    real(this, condition);
  }
  Acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  REAL(MUTEX, "16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE", bool,
       Mutex*, const Condition&, Duration);
  Release(this);
  bool held;
  {
    const IgnoreReads ignore;
    held = real(this, condition, timeout);
  }
  Acquire(this);
  return held;
}

void Notification::Notify() {
  static const auto real =
      Real<void (*)(Notification*)>("_ZN4absl7debian312Notification6NotifyEv");
  // Whoever asks HasBeenNotified, which is inline, reads this.
  Release(&notified_yet_);
  real(this);
}

void Notification::WaitForNotification() const {
  REAL(NOTIFICATION, "19WaitForNotificationEv", void, const Notification*);
  real(this);
  Acquire(&notified_yet_);
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  REAL(NOTIFICATION, "30WaitForNotificationWithTimeoutENS0_8DurationE", bool,
       const Notification*, Duration);
  const bool notified = real(this, timeout);
  Acquire(&notified_yet_);
  return notified;
}

bool BlockingCounter::DecrementCount() {
  REAL(COUNTER, "14DecrementCountEv", bool, BlockingCounter*);
  Release(this);
  const bool last = real(this);
  if (last) Acquire(this);
  return last;
}

void BlockingCounter::Wait() {
  REAL(COUNTER, "4WaitEv", void, BlockingCounter*);
  real(this);
  Acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl
