// SPDX-License-Identifier: Apache-2.0
#include "cli/store_faults.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/exit_code.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

char Read(const void* place) {
  return *static_cast<const volatile char*>(place);
}

// Behind the end of its file.
void ReadAPageThatTheFileLost() {
  const int fd = memfd_create("file", MFD_CLOEXEC);
  Read(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
}

void ReadWhereNothingIs() {
  Read(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

TEST(StoreFaultsDeathTest, APageThatCannotBeReadIsAnErrorOfTheDisk) {
  EndOnMemoryFaults();
  EXPECT_EXIT(ReadAPageThatTheFileLost(), ExitedWithCode(kExitIo), "SIGBUS");
}

TEST(StoreFaultsDeathTest, WhereADamagedPageLeadsIsSaidAndExits74) {
  EndOnMemoryFaults();
  EXPECT_EXIT(
      {
        prctl(PR_SET_DUMPABLE, 0);
        ReadWhereNothingIs();
      },
      ExitedWithCode(kExitIo), "SIGSEGV.*statecpp verify");
}

TEST(StoreFaultsDeathTest, AProcessThatMayBeDumpedDiesOfTheFault) {
  EndOnMemoryFaults();
  EXPECT_EXIT(ReadWhereNothingIs(), KilledBySignal(SIGSEGV), "SIGSEGV");
}

TEST(StoreFaultsDeathTest, ASignalThatSomebodySentIsNoFault) {
  EndOnMemoryFaults();
  EXPECT_EXIT(
      {
        prctl(PR_SET_DUMPABLE, 0);
        kill(getpid(), SIGSEGV);
      },
      KilledBySignal(SIGSEGV), "^$");
}

}  // namespace
}  // namespace statecpp
