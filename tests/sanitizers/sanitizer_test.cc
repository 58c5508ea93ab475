// SPDX-License-Identifier: Apache-2.0
//
// That the sanitizers of this build see planted mistakes, and ThreadSanitizer
// none where abseil's locks forbid them. Of the usual build it is no test.
#include <limits>
#include <string>
#include <thread>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#error "of --config=clang and --config=tsan alone"
#endif

namespace statecpp {
namespace {

#if __has_feature(address_sanitizer)

TEST(AddressSanitizerTest, SeesAReadPastTheEnd) {
  volatile size_t past = 4;
  EXPECT_DEATH(
      {
        const std::string* const text = new std::string(100, 'x');
        const char* const bytes = text->data();
        delete text;
        if (bytes[past] == 'x') abort();
      },
      "heap-use-after-free");
}

TEST(UndefinedBehaviorSanitizerTest, SeesAnOverflow) {
  volatile int most = std::numeric_limits<int>::max();
  EXPECT_DEATH(
      {
        volatile int more = most + 1;
        (void)more;
      },
      "signed integer overflow");
}

#else

// Two threads add to a number, each within what `guard` puts around it.
template <typename Guard>
void AddFromTwoThreads(Guard guard) {
  int count = 0;
  const auto add = [&] {
    for (int i = 0; i < 1000; ++i) guard([&] { ++count; });
  };
  std::thread other(add);
  add();
  other.join();
}

TEST(ThreadSanitizerTest, SeesARace) {
  EXPECT_EXIT(
      {
        AddFromTwoThreads([](auto step) { step(); });
        std::exit(0);
      },
      ::testing::ExitedWithCode(66), "data race");
}

TEST(ThreadSanitizerTest, SeesWhatAMutexOrders) {
  absl::Mutex mutex;
  AddFromTwoThreads([&](auto step) {
    absl::MutexLock lock(&mutex);
    step();
  });
}

TEST(ThreadSanitizerTest, SeesARaceThatAnotherMutexDoesNotOrder) {
  EXPECT_EXIT(
      {
        AddFromTwoThreads([](auto step) {
          absl::Mutex mutex;
          absl::MutexLock lock(&mutex);
          step();
        });
        std::exit(0);
      },
      ::testing::ExitedWithCode(66), "data race");
}

TEST(ThreadSanitizerTest, SeesWhatACounterOrders) {
  int made[2] = {0, 0};
  absl::BlockingCounter counter(2);
  std::thread one([&] { made[0] = 1, counter.DecrementCount(); });
  std::thread other([&] { made[1] = 1, counter.DecrementCount(); });
  counter.Wait();
  EXPECT_EQ(made[0] + made[1], 2);
  one.join();
  other.join();
}

TEST(ThreadSanitizerTest, SeesWhatANotificationOrders) {
  int made = 0;
  absl::Notification done;
  std::thread maker([&] { made = 1, done.Notify(); });
  done.WaitForNotification();
  EXPECT_EQ(made, 1);
  maker.join();
}

TEST(ThreadSanitizerTest, SeesWhatAnAwaitedConditionOrders) {
  absl::Mutex mutex;
  int made = 0;
  std::thread maker([&] {
    for (int i = 0; i < 100; ++i) {
      absl::MutexLock lock(&mutex);
      ++made;
    }
  });
  {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(
        +[](int* n) { return *n == 100; }, &made));
    made = 0;
  }
  maker.join();
}

#endif

}  // namespace
}  // namespace statecpp
