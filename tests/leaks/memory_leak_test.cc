// SPDX-License-Identifier: Apache-2.0
//
// Where keys are in the memory of a server that may be looked into: in locked
// pages that core files leave out, and nowhere else.
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/leaks/leak_fixture.h"
#include "tests/leaks/leak_scanner.h"
#include "tests/leaks/process_memory.h"
#include "tests/program/client.h"
#include "tests/program/program.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

class SealedMemoryTest : public SealedServerTest {
 protected:
  void InitAndUse() {
    Client client(socket_path());
    ASSERT_THAT(client.Init({}), Succeeds());
    UseStore(client, 0, 30);
  }

  std::vector<MemoryRegion> Memory() {
    const Stopped stopped(server());
    return PrivateMemoryOf(server().pid());
  }

  // Each key may be in memory of which neither a core file nor swap is made;
  // those that the server works with are.
  static void ExpectKeysAreGuarded(const LeakScanner& scanner,
                                   const std::vector<MemoryRegion>& memory) {
    std::set<std::string> found;
    for (const MemoryRegion& region : memory) {
      for (const Leak& leak : scanner.Scan(region.bytes)) {
        EXPECT_TRUE(region.locked && !region.dumped)
            << ::testing::PrintToString(leak) << " of " << region.name;
        found.insert(leak.what);
      }
    }
    EXPECT_THAT(found, IsSupersetOf({"the root key", "the subkey index",
                                     "the subkey acc", "data key 1"}));
  }

  void UseAndExpectKeysAreGuarded(std::vector<std::string> flags,
                                  const MasterKeys& master,
                                  std::vector<std::string> environment = {}) {
    Serve(std::move(flags), std::move(environment));
    InitAndUse();
    const std::vector<MemoryRegion> memory = Memory();
    End(SIGTERM);
    ExpectKeysAreGuarded(ScannerFor(master, {store_path()}), memory);
  }
};

TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromAFileOfBytes) {
  UseAndExpectKeysAreGuarded(
      {"--key-file", WriteFile("prod.key", Characters(key()))},
      MasterKeysOf(key()));
}

TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromAFileOfText) {
  UseAndExpectKeysAreGuarded(KeyFile(), MasterKeysOf(key()));
}

TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromAKeyring) {
  const std::string keyring = absl::StrCat(
      R"({"version":1,"primary":"prod","keys":[{"name":"prod","key":")",
      KeyText(), R"("}]})");
  UseAndExpectKeysAreGuarded(
      {"--keyring-file", WriteFile("keyring.json", keyring)},
      MasterKeysOf(key()));
}

TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromACommand) {
  UseAndExpectKeysAreGuarded(
      {"--key-command", "/bin/cat " + WriteFile("prod.key", KeyText())},
      MasterKeysOf(key()));
}

TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromAVariable) {
  UseAndExpectKeysAreGuarded({"--key-env", "STATE_KEY"}, MasterKeysOf(key()),
                             {"STATE_KEY=" + KeyText()});
}

TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromAPassphrase) {
  const std::string passphrase = KeyText();
  MasterKeys master;
  master.push_back(
      MasterKey::FromPassphrase("words", SecretBytes::Copy(passphrase)));
  UseAndExpectKeysAreGuarded(
      {"--passphrase-file", WriteFile("words", passphrase)}, master);
}

// By way of gRPC, whose memory is nobody's to lock.
TEST_F(SealedMemoryTest, KeysAreGuardedWhenTheyCameFromAComponent) {
  Serve({});
  Client client(socket_path());
  ASSERT_THAT(client.Init({{"encryptionKey", KeyText()}}), Succeeds());
  UseStore(client, 0, 30);
  const std::vector<MemoryRegion> memory = Memory();
  End(SIGTERM);
  ExpectKeysAreGuarded(ScannerForKeys(), memory);
}

TEST_F(SealedMemoryTest, AVariableIsGoneFromTheEnvironment) {
  Serve({"--key-env", "STATE_KEY"},
        {"FIRST=1", "STATE_KEY=" + KeyText(), "LAST=2"});
  const std::string environment = ReadFile(ProcFile(server().pid(), "environ"));
  const std::string arguments = ReadFile(ProcFile(server().pid(), "cmdline"));
  EXPECT_THAT(environment, HasSubstr("FIRST=1"));
  EXPECT_THAT(environment, HasSubstr("LAST=2"));
  LeakScanner scanner;
  scanner.AddSecret("the master key", key().RevealKeyBytes());
  EXPECT_THAT(scanner.Scan(environment), IsEmpty());
  EXPECT_THAT(scanner.Scan(arguments), IsEmpty());
  ExpectSeesKey(scanner, "the environment", environment, Characters(key()));
  ExpectSeesKey(scanner, "the arguments", arguments, Characters(key()));
}

// Where a crash leaves a file; else gdb's gcore makes one.
class CoreFileTest : public SealedMemoryTest {
 protected:
  // Ends the server. The path of its core file; empty where there is no way to
  // get one.
  std::string CrashAndFindCore() {
    // As it is by default: some process before us may have asked for the map,
    // which is as large as the store may become.
    std::ofstream(ProcFile(server().pid(), "coredump_filter")) << "0x33";
    if (absl::StartsWith(ReadFile("/proc/sys/kernel/core_pattern"), "core")) {
      End(SIGSEGV);
    } else {
      const std::string command =
          absl::StrCat("gcore -o ", dir_.Path("core"), " ", server().pid(),
                       " > ", dir_.Path("gcore.log"), " 2>&1");
      const bool made = std::system(command.c_str()) == 0;
      End(SIGKILL);
      if (!made) return "";
    }
    for (const auto& entry : fs::directory_iterator(dir_.path())) {
      const std::string name = entry.path().filename();
      if (absl::StartsWith(name, "core")) return entry.path();
    }
    ADD_FAILURE() << "no core file";
    return "";
  }

  void CrashAndExpectNoKeyInCore() {
    const std::string core = CrashAndFindCore();
    if (core.empty() && !HasFailure()) {
      GTEST_SKIP() << "neither core files in the working folder, by "
                      "/proc/sys/kernel/core_pattern, nor gdb's gcore";
    }
    LeakScanner scanner = ScannerForKeys();
    EXPECT_THAT(scanner.ScanFile(core), IsEmpty());
    ExpectSeesKey(scanner, core, ReadFile(core), Characters(key()));
    // It is the memory of that server.
    scanner.AddText("the data root", data_root());
    EXPECT_THAT(scanner.ScanFile(core),
                Contains(Field(&Leak::what, "the data root")));
  }
};

TEST_F(CoreFileTest, HoldsNoKeyOfAServerAtRest) {
  Serve(KeyFile());
  InitAndUse();
  CrashAndExpectNoKeyInCore();
}

// In the middle of sealing and opening, with what that leaves on stacks.
TEST_F(CoreFileTest, HoldsNoKeyOfAServerAtWork) {
  Serve(KeyFile());
  InitAndUse();
  std::vector<std::thread> clients;
  for (int first = 100; first < 500; first += 100) {
    clients.emplace_back([this, first] {
      Client client(socket_path());
      // Until it is answered no more.
      for (int i = 0; client.Set(SetRequestOf(first + i % 100)).status.ok() &&
                      client.GetKey(NameOf(first + i % 100)).status.ok();
           ++i) {
      }
    });
  }
  Client witness(socket_path());
  AwaitTrue([&] { return witness.ValueOf(NameOf(499)) != "(none)"; });
  CrashAndExpectNoKeyInCore();
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace statecpp
