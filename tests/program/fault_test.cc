// SPDX-License-Identifier: Apache-2.0
//
// What may befall the machine around a server: a disk that fills up or can no
// longer be written, a clock that jumps, a file that somebody removes.
#include <glob.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"
#include "tests/support/small_disk.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr int kUsage = 2;
constexpr int kIo = 74;

// Serves a data root on a disk of its own.
class DiskFaultTest : public ServedStoreTest {
 protected:
  void MountOr(SmallDisk::Kind kind) {
    absl::StatusOr<std::unique_ptr<SmallDisk>> disk =
        SmallDisk::Mount(kind, /*mib=*/24);
    if (!disk.ok()) GTEST_SKIP() << disk.status().message();
    disk_ = *std::move(disk);
  }
  std::string root() const { return disk_->Path("data"); }
  ProgramOptions Options() const {
    ProgramOptions options = ServeOptions();
    options.arguments[2] = root();
    return options;
  }
  void Start() {
    program_.reset();
    program_ = std::make_unique<Program>(Options());
    ASSERT_TRUE(program_->AwaitLog("ready: "));
    client_ = std::make_unique<Client>(socket_path());
  }
  void Stop() {
    program_->Signal(SIGTERM);
    EXPECT_EQ(program_->Wait(), 0) << program_->err();
  }

  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<Client> client_;
};

// --- A full disk, and a full store.

class FullTest : public DiskFaultTest {
 protected:
  static std::string Key(int i) { return absl::StrCat("k", i); }
  static std::string Value(int i) {
    return std::string(40'000, static_cast<char>('a' + i % 26));
  }
  // How many fitted.
  int Fill(absl::string_view why) {
    for (int i = 0;; ++i) {
      const auto set = client_->SetKey(Key(i), Value(i));
      if (set.status.ok()) continue;
      EXPECT_THAT(set, ShowsHttp(507));
      EXPECT_THAT(set, FailsWith(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                 AllOf(HasSubstr(std::string(why)),
                                       HasSubstr("deletes still work"))));
      return i;
    }
  }
  // Reads go on, deletes are done, and then everything else, too.
  void ExpectNothingIsWedged(int count) {
    ASSERT_GT(count, 20);
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(client_->ValueOf(Key(i)), Value(i)) << i;
    }
    for (int i = 0; i < count; ++i) {
      wire::DeleteRequest request;
      request.set_key(Key(i));
      ASSERT_THAT(client_->Delete(request), Succeeds()) << i;
    }
    EXPECT_THAT(client_->SetKey(Key(0), Value(0)), Succeeds());
    EXPECT_THAT(client_->Query(Text("")), Succeeds());
    EXPECT_THAT(client_->Transact(Text(R"(
                    operations { set { key: "a" value: "1" } }
                    operations { delete { key: "k0" } })")),
                Succeeds());
    EXPECT_EQ(client_->ValueOf("a"), "1");
  }
  void FillTwiceAndOpenAgain(absl::string_view why) {
    for (int round = 0; round < 2; ++round) {
      ASSERT_NO_FATAL_FAILURE(ExpectNothingIsWedged(Fill(why)));
    }
    const int count = Fill(why);
    program_->Signal(SIGKILL);
    EXPECT_EQ(program_->Wait(), 128 + SIGKILL);
    Start();
    ASSERT_NO_FATAL_FAILURE(ExpectNothingIsWedged(count));
    Stop();
  }
};

TEST_F(FullTest, ADiskTakesDeletesAndThenPutsAgain) {
  MountOr(SmallDisk::Kind::kExt4);
  if (IsSkipped()) return;
  Start();
  client_->MustInit();
  FillTwiceAndOpenAgain("the disk of ");
}

TEST_F(FullTest, ADiskInMemoryTakesDeletesAndThenPutsAgain) {
  MountOr(SmallDisk::Kind::kTmpfs);
  if (IsSkipped()) return;
  Start();
  client_->MustInit();
  FillTwiceAndOpenAgain("the disk of ");
}

TEST_F(FullTest, AStoreTakesDeletesAndThenPutsAgain) {
  MountOr(SmallDisk::Kind::kTmpfs);
  if (IsSkipped()) return;
  Start();
  client_->MustInit({{"maxSize", "4Mi"}});
  FillTwiceAndOpenAgain("the store is full");
}

// --- A disk that cannot be written.

class ReadOnlyDiskTest : public DiskFaultTest {
 protected:
  void SetUp() override { MountOr(SmallDisk::Kind::kExt4); }

  std::string Point() const { return disk_->Path("."); }
  void Remount(unsigned long flags, const char* data) {
    ASSERT_EQ(
        mount(nullptr, Point().c_str(), nullptr, MS_REMOUNT | flags, data), 0);
  }
  // As ext4 does by itself when it finds that it is damaged.
  void BreakDown() {
    Remount(0, "errors=remount-ro");
    struct stat info = {};
    ASSERT_EQ(stat(Point().c_str(), &info), 0);
    const fs::path device = fs::read_symlink(absl::StrCat(
        "/sys/dev/block/", major(info.st_dev), ":", minor(info.st_dev)));
    std::ofstream(absl::StrCat("/sys/fs/ext4/", device.filename().string(),
                               "/trigger_fs_error"))
        << "a test";
  }
};

TEST_F(ReadOnlyDiskTest, IsNoPlaceToStartOn) {
  Start();
  client_->MustInit();
  ASSERT_THAT(client_->SetKey("a", "1"), Succeeds());
  Stop();
  Remount(MS_RDONLY, "");
  EXPECT_THAT(RunToEnd(Options()),
              Exits(kUsage, AllOf(HasSubstr(root() + "/LOCK"),
                                  HasSubstr("Read-only file system"),
                                  HasSubstr("so that it can be written"))));
  EXPECT_FALSE(fs::exists(socket_path()));
  Remount(0, "");
  Start();
  EXPECT_EQ(client_->ValueOf("a"), "1");
}

// What is read is still right, and what was to be written is in doubt: the
// server ends, as with any disk that fails, and starts only where it can write.
TEST_F(ReadOnlyDiskTest, ThatItBecomesUnderTheServerEndsIt) {
  Start();
  client_->MustInit();
  ASSERT_THAT(client_->SetKey("a", "1"), Succeeds());
  BreakDown();
  EXPECT_EQ(client_->ValueOf("a"), "1");
  EXPECT_THAT(client_->SetKey("a", "2"),
              AnyOf(FailsWith(grpc::StatusCode::UNKNOWN,
                              HasSubstr("Read-only file system")),
                    FailsWith(grpc::StatusCode::UNAVAILABLE, HasSubstr(""))));
  EXPECT_EQ(program_->Wait(), kIo);
  EXPECT_THAT(program_->err(), AllOf(HasSubstr("level=error"),
                                     HasSubstr("Read-only file system")));
  EXPECT_THAT(RunToEnd(Options()),
              Exits(kUsage, HasSubstr("Read-only file system")));
}

// --- lock.mdb, in which LMDB keeps its readers.

class LockFileTest : public ServedStoreTest {
 protected:
  void SetUp() override {
    Serve();
    Client client(socket_path());
    client.MustInit();
    ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  }
  std::string file() const { return data_root() + "/stores/orders/lock.mdb"; }
  Outcome Verify() const {
    return RunToEnd({.arguments = {"verify", "--data-root", data_root()}});
  }
};

TEST_F(LockFileTest, IsMadeAgainWhereItWasRemovedBeforeAStart) {
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  ASSERT_TRUE(fs::remove(file()));
  Serve();
  Client client(socket_path());
  EXPECT_EQ(client.ValueOf("a"), "1");
  EXPECT_THAT(client.SetKey("a", "2"), Succeeds());
  EXPECT_TRUE(fs::exists(file()));
  EXPECT_THAT(Verify(), Exits(0, HasSubstr("")));
}

TEST_F(LockFileTest, IsNotMissedByAServerThatRuns) {
  ASSERT_TRUE(fs::remove(file()));
  Client client(socket_path());
  for (int i = 0; i < 100; ++i) {
    const std::string value = absl::StrCat(i);
    ASSERT_THAT(client.SetKey("a", value), Succeeds());
    ASSERT_EQ(client.ValueOf("a"), value);
  }
  Restart();
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "99");
  EXPECT_THAT(Verify(), Exits(0, HasSubstr("")));
}

// A walk that the server cannot see would take pages that are written anew for
// damaged ones.
TEST_F(LockFileTest, IsMissedByWhoWouldReadBesideTheServer) {
  ASSERT_TRUE(fs::remove(file()));
  EXPECT_THAT(Verify(), Exits(1, AllOf(HasSubstr(file()),
                                       HasSubstr("restart the server"))));
  EXPECT_FALSE(fs::exists(file()));
  std::ofstream(file()) << "another";
  EXPECT_THAT(Verify(), Exits(1, HasSubstr("restart the server")));
  Restart();
  EXPECT_THAT(Verify(), Exits(0, HasSubstr("")));
}

// --- The clock.

// Serves by a clock that a file sets, for the wall clock alone.
class ClockTest : public ServedStoreTest {
 protected:
  void SetUp() override {
    glob_t found = {};
    if (glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, nullptr, &found) ==
        0) {
      library_ = found.gl_pathv[0];
    }
    globfree(&found);
    if (library_.empty()) GTEST_SKIP() << "needs libfaketime";
    SetClock("+0");
    Start();
    Client(socket_path()).MustInit({{"cleanupInterval", "10ms"}});
  }

  // Kills the one before.
  void Start() {
    ProgramOptions options = ServeOptions();
    options.environment = {"LD_PRELOAD=" + library_,
                           "FAKETIME_TIMESTAMP_FILE=" + dir_.Path("clock"),
                           "FAKETIME_NO_CACHE=1",
                           "FAKETIME_DONT_FAKE_MONOTONIC=1",
                           // Where the program is built with it, it wants to be
                           // loaded first.
                           "ASAN_OPTIONS=verify_asan_link_order=0"};
    program_.reset();
    program_ = std::make_unique<Program>(options);
    ASSERT_TRUE(program_->AwaitLog("ready: "));
  }

  // From the true time: "+12y", "-2d".
  void SetClock(absl::string_view offset) const {
    std::ofstream(dir_.Path("new-clock")) << offset << "\n";
    fs::rename(dir_.Path("new-clock"), dir_.Path("clock"));
  }

  // A program may look at the clock only now and then.
  static void AwaitValue(Client& client, const char* key,
                         const std::string& value) {
    std::string last;
    EXPECT_TRUE(AwaitTrue([&] {
      last = client.ValueOf(key);
      return last == value;
    })) << key
        << " is " << last;
  }

  static void SetFor(Client& client, const char* key, int seconds) {
    wire::SetRequest set;
    set.set_key(key);
    set.set_value("1");
    (*set.mutable_metadata())["ttlInSeconds"] = absl::StrCat(seconds);
    EXPECT_THAT(client.Set(set), Succeeds());
  }
  // Lets the sweeper come by, and shows that the server answers meanwhile.
  static void PassSomeSweeps(Client& client) {
    const absl::Time end = absl::Now() + absl::Milliseconds(300);
    while (absl::Now() < end) {
      ASSERT_THAT(client.SetKey("busy", "1"), Succeeds());
    }
  }

  std::string library_;
  std::unique_ptr<Program> program_;
};

TEST_F(ClockTest, ThatJumpsAheadHidesAndRemovesNothing) {
  Client client(socket_path());
  SetFor(client, "hour", 3600);
  ASSERT_THAT(client.SetKey("ever", "1"), Succeeds());
  for (const char* ahead : {"+2d", "+12y"}) {
    SetClock(ahead);
    AwaitValue(client, "hour", "(none)");
    EXPECT_EQ(client.ValueOf("ever"), "1") << ahead;
    PassSomeSweeps(client);
    SetClock("+0");
    AwaitValue(client, "hour", "1");
    SetFor(client, "after", 3600);
    EXPECT_EQ(client.ValueOf("after"), "1") << ahead;
  }
}

TEST_F(ClockTest, ThatIsSetBackResurrectsNothing) {
  Client client(socket_path());
  SetFor(client, "second", 1);
  SetFor(client, "hour", 3600);
  AwaitValue(client, "second", "(none)");
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());  // which keeps the time
  SetClock("-20h");
  EXPECT_EQ(client.ValueOf("second"), "(none)");
  EXPECT_EQ(client.ValueOf("hour"), "1");
  PassSomeSweeps(client);
  Start();
  Client again(socket_path());
  EXPECT_EQ(again.ValueOf("second"), "(none)");
  EXPECT_EQ(again.ValueOf("hour"), "1");
  SetClock("+0");
  EXPECT_EQ(again.ValueOf("second"), "(none)");
  EXPECT_EQ(again.ValueOf("hour"), "1");
}

// gRPC tells a call's deadline by the wall clock.
TEST_F(ClockTest, ThatJumpsEndsNoCallBeforeItsTime) {
  Client client(socket_path());
  for (const char* offset : {"-20h", "+12y", "-2d", "+0", "+3h", "-1h"}) {
    SetClock(offset);
    PassSomeSweeps(client);
  }
}

// Between two starts, too, where no other clock tells of it.
TEST_F(ClockTest, ThatIsWrongDuringAStartRemovesNothing) {
  {
    Client client(socket_path());
    SetFor(client, "hour", 3600);
  }
  SetClock("+12y");
  Start();
  {
    Client client(socket_path());
    AwaitValue(client, "hour", "(none)");
    PassSomeSweeps(client);
  }
  SetClock("+0");
  Start();
  EXPECT_EQ(Client(socket_path()).ValueOf("hour"), "1");
}

}  // namespace
}  // namespace statecpp
