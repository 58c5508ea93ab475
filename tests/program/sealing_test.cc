// SPDX-License-Identifier: Apache-2.0
//
// Sealed stores, as those who run the server meet them: where its key comes
// from, what is refused, what a restart forgets, and what is never seen.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::grpc::health::v1::HealthCheckResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kUsage = 2;
constexpr int kKeyRefused = 7;
constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr grpc::StatusCode kDenied = grpc::StatusCode::PERMISSION_DENIED;
constexpr grpc::StatusCode kUnavailable = grpc::StatusCode::UNAVAILABLE;

constexpr char kOtherKey[] =
    "7f3e2d1c0b9a88776655443322110fedcba98765432100112233445566778899";
constexpr char kStateStore[] = "dapr.proto.components.v1.StateStore";

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class SealingTest : public ServedStoreTest {
 protected:
  std::vector<std::string> WithKey() const {
    return {"--key-file", key_file()};
  }

  // A file that its owner alone can read, in a folder of its owner's.
  std::string WriteFile(const std::string& name, absl::string_view text,
                        mode_t mode = 0600) {
    const std::string path = dir_.Path(name);
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  // That `serve` ends so with these flags, and that nobody saw a socket.
  void ExpectNotServed(const std::vector<std::string>& flags, int exit_code,
                       absl::string_view text) {
    const Outcome outcome = RunToEnd(ServeOptions(flags));
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(std::string(text)));
    EXPECT_THAT(outcome.err, Not(HasSubstr("ready: ")));
    EXPECT_FALSE(fs::exists(socket_path()));
  }

  HealthCheckResponse::ServingStatus HealthOf(const std::string& service) {
    return Client(socket_path()).Check(service).message.status();
  }
};

// --- The straight line.

TEST_F(SealingTest, AComponentThatSaysNothingIsSealed) {
  Serve(WithKey());
  {
    Client client(socket_path());
    ASSERT_THAT(client.Init({}), Succeeds());
    ASSERT_THAT(client.SetKey("the-users-key", "the-users-value"), Succeeds());
  }
  Restart();
  Client client(socket_path());
  EXPECT_EQ(client.ValueOf("the-users-key"), "the-users-value");
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  for (const auto& entry : fs::recursive_directory_iterator(data_root())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(Contents(entry.path()), Not(HasSubstr("the-users")))
        << entry.path();
  }
  EXPECT_THAT(server().err(), Not(HasSubstr("the-users")));
}

TEST_F(SealingTest, TheLogSaysWhereTheKeyIsAndNotWhatItIs) {
  const std::string path = WriteFile("prod.key", kOtherKey);
  Serve({"--key-file", path});
  EXPECT_THAT(server().err(),
              AllOf(HasSubstr("key=\"key file " + path + "\""),
                    Not(HasSubstr("level=warning msg=\"stores are sealed"))));
  EXPECT_THAT(server().err(), Not(HasSubstr(kOtherKey)));
  Serve();
  EXPECT_THAT(server().err(), HasSubstr("key=\"none\""));
}

// --- Where the server's key comes from.

TEST_F(SealingTest, EverySourceGivesTheSameKey) {
  const std::string file = WriteFile("prod.key", kOtherKey);
  const std::string ring = WriteFile(
      "ring.json",
      absl::StrCat(R"({"version": 1, "primary": "prod", "keys": )",
                   R"([{"name": "prod", "key": ")", kOtherKey, R"("}]})"));
  Serve({"--key-file", file});
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  ASSERT_THAT(Client(socket_path()).SetKey("a", "1"), Succeeds());
  Kill();
  fs::create_directory(dir_.Path("credentials"));
  WriteFile("credentials/statecpp.key", kOtherKey, 0400);

  const std::string as_variable = absl::StrCat("KEY=", kOtherKey);
  struct Source {
    std::vector<std::string> flags;
    std::vector<std::string> environment;
  };
  for (const Source& source : std::vector<Source>{
           {{"--keyring-file", ring}, {}},
           {{"--key-env", "KEY"}, {as_variable}},
           {{"--key-command", "/bin/cat '" + file + "'"}, {}},
           {{}, {"STATECPP_KEY_FILE=" + file}},
           {{}, {"CREDENTIALS_DIRECTORY=" + dir_.Path("credentials")}}}) {
    ProgramOptions options = ServeOptions(source.flags);
    options.environment = source.environment;
    Program program(options);
    ASSERT_TRUE(program.AwaitLog("ready: "));
    EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
    EXPECT_THAT(program.err(), Not(HasSubstr(kOtherKey)));
    EXPECT_THAT(Contents(absl::StrCat("/proc/", program.pid(), "/environ")),
                Not(HasSubstr(kOtherKey)));
  }
}

TEST_F(SealingTest, APassphraseSealsAndOpens) {
  const std::string file = WriteFile("phrase", "correct horse battery\n");
  Serve({"--passphrase-file", file});
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  ASSERT_THAT(Client(socket_path()).SetKey("a", "1"), Succeeds());
  Restart();
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
  WriteFile("phrase", "correct horse\n");
  Restart();
  EXPECT_THAT(Client(socket_path()).Init({}), FailsWith(kDenied, testing::_));
}

TEST_F(SealingTest, AKeyThatIsNoneIsRefusedBeforeTheSocketIsShown) {
  for (const std::string text : {"", "too short", "not a key\n"}) {
    ExpectNotServed({"--key-file", WriteFile("bad.key", text)}, kUsage,
                    "bad.key");
  }
  const std::string good = WriteFile("good.key", kOtherKey);
  ExpectNotServed({"--key-file", good, "--passphrase-file", good}, kUsage,
                  "--passphrase-file");
  ExpectNotServed({"--key-command", "/bin/echo no key"}, kUsage, "echo");
}

TEST_F(SealingTest, AKeyThatIsNotGivenOutIsRefusedWithACodeOfItsOwn) {
  ExpectNotServed({"--key-file", dir_.Path("absent.key")}, kKeyRefused,
                  "absent.key");
  ExpectNotServed({"--key-file", WriteFile("loose.key", kOtherKey, 0644)},
                  kKeyRefused, "chmod");
  ExpectNotServed({"--key-env", "UNSET"}, kKeyRefused, "UNSET");
  ExpectNotServed({"--key-command", "/bin/false"}, kKeyRefused, "/bin/false");
  EXPECT_FALSE(fs::exists(data_root())) << "without a key nothing is made";
  Serve({"--key-file", dir_.Path("loose.key"), "--allow-loose-key-file"});
  EXPECT_THAT(server().err(),
              AllOf(HasSubstr("level=warning"), HasSubstr("loose.key")));
}

TEST_F(SealingTest, TheFolderOfComponentsKeysHasToBeThere) {
  ExpectNotServed({"--key-dir", dir_.Path("absent")}, kUsage, "--key-dir");
}

// --- A key beside what it seals.

TEST_F(SealingTest, AKeyInTheDataRootIsRefused) {
  fs::create_directory(data_root());
  const std::string path = WriteFile("data/prod.key", kOtherKey);
  ExpectNotServed({"--key-file", path}, kKeyRefused, "in the data root");
  ExpectNotServed({"--key-dir", data_root()}, kKeyRefused, "in the data root");
}

TEST_F(SealingTest, DevMakesAKeyOfItsOwnAndSaysWhatItIsWorth) {
  Serve({"--dev"});
  EXPECT_THAT(server().err(),
              AllOf(HasSubstr("level=warning"), HasSubstr("protects nothing"),
                    HasSubstr(data_root() + "/dev.key")));
  struct stat info = {};
  ASSERT_EQ(stat((data_root() + "/dev.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, mode_t{0600});
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  ASSERT_THAT(Client(socket_path()).SetKey("a", "the-value"), Succeeds());
  EXPECT_THAT(Contents(data_root() + "/stores/orders/data.mdb"),
              Not(HasSubstr("the-value")));
  Restart();
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "the-value");

  // What was begun so is refused in earnest, and goes on so.
  Serve();
  EXPECT_THAT(
      Client(socket_path()).GetKey("a"),
      FailsWith(kDenied, AllOf(HasSubstr("dev.key"), HasSubstr("--dev"))));
  EXPECT_THAT(Client(socket_path()).Init({}), FailsWith(kDenied, testing::_));
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  ExpectNotServed({"--key-file", data_root() + "/dev.key"}, kKeyRefused,
                  "in the data root");
  Serve({"--dev"});
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "the-value");
}

// --- Without a key, and with the wrong one.

TEST_F(SealingTest, WithoutAKeyInitSaysHowToMakeOne) {
  Serve();
  Client client(socket_path());
  const auto reply = client.Init({});
  EXPECT_THAT(reply,
              FailsWith(kDenied, AllOf(HasSubstr("statecpp keygen"),
                                       HasSubstr("--key-file"),
                                       HasSubstr("encryption: \"off\""))));
  EXPECT_THAT(reply, ShowsHttp(403));
  EXPECT_TRUE(fs::is_empty(data_root() + "/stores"));
  EXPECT_THAT(client.Ping(), Succeeds());
  EXPECT_EQ(HealthOf(kStateStore), HealthCheckResponse::SERVING);
}

TEST_F(SealingTest, AnotherKeyIsRefusedAndNamed) {
  Serve(WithKey());
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  Serve({"--key-file", WriteFile("wrong.key", kOtherKey)});
  Client client(socket_path());
  const auto reply = client.Init({});
  EXPECT_THAT(reply, FailsWith(kDenied, AllOf(HasSubstr("sealed for: test ("),
                                              HasSubstr("configured: wrong ("),
                                              HasSubstr("nothing was"))));
  EXPECT_THAT(reply, ShowsHttp(403));
  EXPECT_THAT(client.Ping(), Succeeds());
}

TEST_F(SealingTest, EncryptionOffDoesNotOpenASealedStore) {
  Serve(WithKey());
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  Restart();
  Client client(socket_path());
  EXPECT_THAT(
      client.Init({{"encryption", "off"}}),
      FailsWith(kInvalid, AllOf(HasSubstr("is sealed"), HasSubstr("\"off\""))));
  EXPECT_EQ(client.ValueOf("a"), "(none)");
}

// --- Keys of components.

TEST_F(SealingTest, AComponentMayNameAKeyFileInTheFolderForThem) {
  const std::string keys = dir_.Path("keys");
  ASSERT_EQ(mkdir(keys.c_str(), 0700), 0);
  WriteFile("keys/orders.key", kOtherKey);
  const std::string outside = WriteFile("outside.key", kOtherKey);
  Serve({"--key-file", key_file(), "--key-dir", keys});
  Client client(socket_path());
  for (const std::string& file :
       {std::string("../outside.key"), outside, std::string("/etc/passwd")}) {
    EXPECT_THAT(client.Init({{"encryptionKeyFile", file}}),
                FailsWith(kInvalid, HasSubstr("--key-dir")))
        << file;
  }
  ASSERT_THAT(client.Init({{"encryptionKeyFile", "orders.key"}}), Succeeds());
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  // It is the store's key, not the server's.
  EXPECT_THAT(client.Init({}), FailsWith(kDenied, testing::_));
  EXPECT_EQ(client.ValueOf("a"), "1");
  Restart();
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

TEST_F(SealingTest, AComponentHasOneKeyAndRunsNoCommand) {
  Serve(WithKey());
  Client client(socket_path());
  EXPECT_THAT(client.Init({{"encryptionKey", kOtherKey},
                           {"encryptionKeyFile", "orders.key"}}),
              FailsWith(kInvalid, HasSubstr("remove one")));
  const auto reply = client.Init({{"encryptionKeyCommand", "/bin/hunter2"}});
  EXPECT_THAT(reply, FailsWith(kInvalid, AllOf(HasSubstr("whoever can connect"),
                                               Not(HasSubstr("hunter2")))));
  EXPECT_THAT(reply, ShowsHttp(400));
}

// Sources may be slow. Meanwhile calls of other instances are answered.
TEST_F(SealingTest, AKeyThatTakesLongHoldsUpNobodyElse) {
  const std::string pipe = dir_.Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto give_key = [&pipe] {
    int fd = -1;
    AwaitTrue([&] {  // that someone reads
      fd = open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      return fd >= 0;
    });
    EXPECT_EQ(write(fd, kOtherKey, sizeof(kOtherKey) - 1), 64);
    close(fd);
  };
  Program program(ServeOptions({"--key-command", "/bin/cat " + pipe}));
  give_key();
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client plain(socket_path(), "plain");
  ASSERT_THAT(plain.Init({{"encryption", "off"}}), Succeeds());

  Client client(socket_path());
  const auto init = client.StartInit({});
  ASSERT_THAT(client.Ping(), Succeeds());  // behind it
  EXPECT_THAT(plain.SetKey("a", std::string(1 << 20, 'v')), Succeeds());
  EXPECT_THAT(plain.GetKey("a"), Succeeds());
  EXPECT_FALSE(init->answered());
  give_key();
  EXPECT_THAT(init->status(), Succeeds());
}

// --- A key that came with Init alone.

class ForgottenKeyTest : public SealingTest {
 protected:
  // A server, restarted, whose one instance was given its key by Init.
  void SetUp() override {
    Serve();
    Client client(socket_path());
    ASSERT_THAT(client.Init({{"encryptionKey", kOtherKey}}), Succeeds());
    EXPECT_THAT(server().err(), AllOf(HasSubstr("level=warning"),
                                      HasSubstr("\\\"encryptionKey\\\" is "
                                                "remembered nowhere")));
    ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
    Restart();
  }
};

TEST_F(ForgottenKeyTest, CallsAreToldWhatToDo) {
  Client client(socket_path());
  for (int i = 0; i < 2; ++i) {
    for (const grpc::Status& status :
         {client.GetKey("a").status, client.SetKey("a", "2").status,
          client.Transact(Text(R"(operations { delete { key: "a" } })"))
              .status}) {
      EXPECT_THAT(status,
                  FailsWith(kUnavailable, AllOf(HasSubstr("encryptionKey"),
                                                HasSubstr("restart daprd"),
                                                HasSubstr("--key-file"))));
      EXPECT_THAT(status, ShowsHttp(503));
    }
  }
  EXPECT_THAT(client.Ping(), Succeeds());
  EXPECT_THAT(client.Features(), Succeeds());
  EXPECT_THAT(client.MultiMaxSize(), Succeeds());
}

TEST_F(ForgottenKeyTest, HealthSaysSoWithoutEndingTheProcess) {
  // From the start, before any call.
  EXPECT_EQ(HealthOf(kStateStore), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthOf(""), HealthCheckResponse::SERVING);
  const Outcome health =
      RunToEnd({.arguments = {"health", "--socket-folder", socket_folder()}});
  EXPECT_EQ(health.exit_code, 0) << health.err;

  Client client(socket_path());
  EXPECT_THAT(client.Init({{"encryptionKey", std::string(63, '0') + "1"}}),
              FailsWith(kDenied, testing::_));
  EXPECT_EQ(HealthOf(kStateStore), HealthCheckResponse::NOT_SERVING);
  ASSERT_THAT(client.Init({{"encryptionKey", kOtherKey}}), Succeeds());
  EXPECT_EQ(HealthOf(kStateStore), HealthCheckResponse::SERVING);
  EXPECT_EQ(client.ValueOf("a"), "1");
}

TEST_F(ForgottenKeyTest, TheServerMayHaveItInstead) {
  Serve({"--key-file", WriteFile("prod.key", kOtherKey)});
  EXPECT_EQ(HealthOf(kStateStore), HealthCheckResponse::SERVING);
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

TEST_F(ForgottenKeyTest, ItIsWrittenNowhere) {
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_THAT(Contents(entry.path()), Not(HasSubstr(kOtherKey)));
  }
  EXPECT_THAT(server().err(), Not(HasSubstr(kOtherKey)));
}

// How often a process has the bytes anywhere in its memory; -1 where its memory
// may not be read.
int CountInMemory(pid_t pid, absl::string_view bytes) {
  const std::string maps = Contents(absl::StrCat("/proc/", pid, "/maps"));
  int count = 0;
  int read_regions = 0;
  for (const absl::string_view line : absl::StrSplit(maps, '\n')) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char readable = '-';
    if (std::sscanf(std::string(line).c_str(), "%" SCNxPTR "-%" SCNxPTR " %c",
                    &begin, &end, &readable) != 3 ||
        readable != 'r' || absl::StrContains(line, "[v") ||
        absl::StrContains(line, "data.mdb")) {
      continue;
    }
    std::string region(end - begin, '\0');
    const iovec local = {region.data(), region.size()};
    const iovec remote = {reinterpret_cast<void*>(begin), end - begin};
    const ssize_t size = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    if (size <= 0) continue;
    ++read_regions;
    region.resize(size);
    for (size_t at = region.find(bytes.data(), 0, bytes.size());
         at != region.npos;
         at = region.find(bytes.data(), at + 1, bytes.size())) {
      ++count;
    }
  }
  return read_regions == 0 ? -1 : count;
}

// daprd sends the key in clear; what it was sent in must not outlive Init.
TEST_F(SealingTest, AKeyThatInitBringsIsWipedFromMemory) {
  Serve();
  if (CountInMemory(server().pid(), "nothing") < 0) {
    GTEST_SKIP() << "needs leave to read another process's memory (root)";
  }
  Client client(socket_path());
  ASSERT_THAT(client.Init({{"dataDir", "a-name-to-be-found"},
                           {"primaryEncryptionKey", "hunter2-of-daprds-own"},
                           {"encryptionKey", kOtherKey}}),
              Succeeds());
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  EXPECT_GT(CountInMemory(server().pid(), "a-name-to-be-found"), 0);
  EXPECT_EQ(CountInMemory(server().pid(), kOtherKey), 0);
  EXPECT_EQ(CountInMemory(server().pid(), "hunter2-of-daprds-own"), 0);
  // Nor half of it, which another copy of a part would leave.
  const absl::string_view key = kOtherKey;
  EXPECT_EQ(CountInMemory(server().pid(), key.substr(0, 24)), 0);
  EXPECT_EQ(CountInMemory(server().pid(), key.substr(40)), 0);
}

}  // namespace
}  // namespace statecpp
