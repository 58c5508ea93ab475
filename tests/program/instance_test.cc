// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a component's configuration: daprd sends it once, with Init,
// and never again, whatever happens to the server.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/held_store.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::_;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr grpc::StatusCode kUnavailable = grpc::StatusCode::UNAVAILABLE;

class InstanceTest : public ServedStoreTest {
 protected:
  void SetUp() override { Serve(); }

  // Everything that the server has written to files, and to its log.
  std::string AllThatIsKept() {
    std::ostringstream text;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
      if (entry.is_regular_file()) {
        text << std::ifstream(entry.path()).rdbuf();
      }
    }
    return text.str() + server().err() + server().out();
  }
};

// --- Before Init.

TEST_F(InstanceTest, WhatDaprdAsksOfTheProgramNeedsNoInit) {
  Client client(socket_path());
  EXPECT_THAT(client.Ping(), Succeeds());
  const auto features = client.Features();
  ASSERT_THAT(features, Succeeds());
  EXPECT_THAT(features.message.features(),
              ElementsAre("ETAG", "TRANSACTIONAL", "TTL", "QUERY_API"));
  const auto max_size = client.MultiMaxSize();
  ASSERT_THAT(max_size, Succeeds());
  EXPECT_EQ(max_size.message.max_size(), 0);
}

TEST_F(InstanceTest, EveryOtherCallSaysHowToHaveItConfigured) {
  Client client(socket_path());
  const wire::GetRequest get = Text(R"(key: "a")");
  for (const grpc::Status& status :
       {client.Get(get).status,
        client.Set(Text(R"(key: "a" value: "1")")).status,
        client.Set(Text("key: 'a' value: '" + std::string(1 << 20, 'v') + "'"))
            .status,
        client.Delete(Text(R"(key: "a")")).status,
        client.BulkGet(Text(R"(items { key: "a" })")).status,
        client.BulkSet(Text(R"(items { key: "a" value: "1" })")).status,
        client.BulkDelete(Text(R"(items { key: "a" })")).status,
        client.Transact(Text(R"(operations { delete { key: "a" } })"))
            .status}) {
    EXPECT_THAT(status,
                FailsWith(kUnavailable, AllOf(HasSubstr("\"orders\""),
                                              HasSubstr("restart daprd"))));
    EXPECT_THAT(status, ShowsHttp(503));
  }
  EXPECT_TRUE(fs::is_empty(data_root() + "/stores"));
}

// --- Init.

// However the user spells it.
MATCHER_P(Names, field, "names a field") {
  return absl::StrContains(absl::AsciiStrToLower(arg),
                           absl::StrCat("\"", absl::AsciiStrToLower(field)));
}

TEST_F(InstanceTest, ABadFieldIsNamedWithItsValueAndWhatWasExpected) {
  Client client(socket_path());
  struct Case {
    const char* field;
    const char* value;
    const char* expected;
  };
  for (const Case& bad : {Case{"maxSize", "10 gigabytes", "10Gi"},
                          {"MAXSIZE", "12kB", "10Gi"},
                          {"maxValueSize", "5Mi", "4090Ki"},
                          {"ttlInSeconds", "5m", "3600"},
                          {"cleanupInterval", "5 minutes", "5m"},
                          {"timeout", "0s", "20s"},
                          {"bulkMode", "sometimes", "atomic"},
                          {"maxTxnOps", "-1", "0 for no limit"},
                          {"lockTimeout", "-3s", "500ms"},
                          {"encryption", "false", "in quotes"},
                          {"dataDir", "../orders", "orders"},
                          {"dataDir", "/var/lib", "orders"}}) {
    Client::Metadata properties = {{"encryption", TestEncryption()}};
    properties[bad.field] = bad.value;
    const auto reply = client.Init(properties);
    EXPECT_THAT(
        reply, FailsWith(kInvalid, AllOf(Names(bad.field), HasSubstr(bad.value),
                                         HasSubstr(bad.expected),
                                         HasSubstr("was not initialised"))))
        << bad.field;
    EXPECT_THAT(reply, ShowsHttp(400));
  }
  EXPECT_TRUE(fs::is_empty(data_root() + "/stores"));
  EXPECT_TRUE(fs::is_empty(data_root() + "/instances"));
}

TEST_F(InstanceTest, FieldsOfDaprAndMisspeltOnesDoNoHarm) {
  Client client(socket_path());
  client.MustInit({{"actorStateStore", "true"},
                   {"keyPrefix", "none"},
                   {"outboxPublishPubsub", "pubsub"},
                   {"maxsise", "20Gi"}});
  EXPECT_THAT(server().err(), HasSubstr("did you mean \\\"maxSize\\\"?"));
  EXPECT_THAT(client.Init({{"encryption", TestEncryption()},
                           {"strictMetadata", "true"},
                           {"maxsise", "20Gi"}}),
              FailsWith(kInvalid, HasSubstr("did you mean \"maxSize\"?")));
  EXPECT_THAT(client.SetKey("a", "1"), Succeeds());
}

// What is configured once lives long; what came with it as a secret does not.
TEST_F(InstanceTest, NoSecretIsWrittenAnywhere) {
  Client client(socket_path());
  client.MustInit({{"primaryEncryptionKey", "hunter2-primary"},
                   {"mistypedPassword", "hunter2-mistyped"}});
  ASSERT_THAT(client.SetKey("the-users-key", "1"), Succeeds());
  ASSERT_THAT(client.Init({{"encryption", "hunter2-in-the-wrong-field"}}),
              FailsWith(kInvalid, Not(HasSubstr("hunter2"))));
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  EXPECT_THAT(AllThatIsKept(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(server().err(), Not(HasSubstr("the-users-key")));
}

TEST_F(InstanceTest, TheLastInitWinsAndItsChangesAreLogged) {
  Client client(socket_path());
  client.MustInit({{"maxTxnOps", "1"}});
  EXPECT_EQ(client.MultiMaxSize().message.max_size(), 1);
  client.MustInit({{"maxTxnOps", "1"}});
  EXPECT_THAT(server().err(), Not(HasSubstr("configured anew")));

  client.MustInit({{"maxTxnOps", "2"}});
  EXPECT_EQ(client.MultiMaxSize().message.max_size(), 2);
  EXPECT_THAT(server().err(), HasSubstr("maxTxnOps: 1 -> 2"));
  EXPECT_FALSE(
      client.Init({{"encryption", TestEncryption()}, {"maxTxnOps", "x"}})
          .status.ok());
  EXPECT_EQ(client.MultiMaxSize().message.max_size(), 2);
}

// --- Which instance.

TEST_F(InstanceTest, EveryInstanceHasAStoreOfItsOwn) {
  Client orders(socket_path(), "orders");
  Client carts(socket_path(), "carts");
  orders.MustInit();
  EXPECT_THAT(carts.GetKey("a"), FailsWith(kUnavailable, _));
  carts.MustInit();
  ASSERT_THAT(orders.SetKey("a", "1"), Succeeds());
  EXPECT_EQ(carts.ValueOf("a"), "(none)");
  EXPECT_TRUE(fs::exists(data_root() + "/stores/orders/data.mdb"));
  EXPECT_TRUE(fs::exists(data_root() + "/stores/carts/data.mdb"));
}

TEST_F(InstanceTest, WhoNamesNoneGetsTheDefault) {
  Client absent(socket_path(), std::nullopt);
  Client empty(socket_path(), "");
  Client named(socket_path(), "default");
  absent.MustInit();
  ASSERT_THAT(empty.SetKey("a", "1"), Succeeds());
  EXPECT_EQ(absent.ValueOf("a"), "1");
  EXPECT_EQ(named.ValueOf("a"), "1");
}

TEST_F(InstanceTest, OtherMetadataOfACallIsIgnored) {
  Client client(socket_path());
  client.AddMetadata("traceparent", "00-0af7651916cd43dd8448eb211c80319c-01");
  client.AddMetadata("x-component-instance-2", "carts");
  client.AddMetadata("blob-bin", std::string("\0\xff\n", 3));
  client.MustInit();
  ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  EXPECT_EQ(client.ValueOf("a"), "1");
}

TEST_F(InstanceTest, ANameThatFitsNoFileIsRefusedAtInit) {
  for (const bool with_folder : {false, true}) {
    Client client(socket_path(), std::string(300, 'n'));
    Client::Metadata properties = {{"encryption", TestEncryption()}};
    if (with_folder) properties["dataDir"] = "short";
    EXPECT_THAT(client.Init(properties),
                FailsWith(kInvalid, HasSubstr("shorter name")));
    EXPECT_FALSE(client.GetKey("a").status.ok());
  }
  EXPECT_TRUE(fs::is_empty(data_root() + "/stores"));
}

// --- After a restart.

TEST_F(InstanceTest, IsRecalledWithoutInit) {
  {
    Client client(socket_path());
    client.MustInit({{"maxTxnOps", "7"}, {"dataDir", "shop/orders"}});
    ASSERT_THAT(client.SetKey("a", "1"), Succeeds());
  }
  Restart();
  Client client(socket_path());
  EXPECT_EQ(client.ValueOf("a"), "1");
  EXPECT_EQ(client.MultiMaxSize().message.max_size(), 7);
  EXPECT_TRUE(server().AwaitLog("instance recalled"));
  EXPECT_THAT(Client(socket_path(), "carts").GetKey("a"),
              FailsWith(kUnavailable, HasSubstr("\"carts\"")));
}

TEST_F(InstanceTest, TheFirstCallOfEveryKindRecalls) {
  using Call = std::function<grpc::Status(Client&)>;
  const std::vector<Call> calls = {
      [](Client& client) { return client.GetKey("a").status; },
      [](Client& client) { return client.SetKey("a", "1").status; },
      [](Client& client) { return client.Delete(Text(R"(key: "b")")).status; },
      [](Client& client) {
        return client.BulkGet(Text(R"(items { key: "a" })")).status;
      },
      [](Client& client) {
        return client.BulkSet(Text(R"(items { key: "a" value: "1" })")).status;
      },
      [](Client& client) {
        return client.BulkDelete(Text(R"(items { key: "b" })")).status;
      },
      [](Client& client) {
        return client.Transact(Text(R"(operations { delete { key: "b" } })"))
            .status;
      }};
  Client(socket_path()).MustInit();
  for (const Call& call : calls) {
    Restart();
    Client client(socket_path());
    EXPECT_THAT(call(client), Succeeds());
    EXPECT_TRUE(server().AwaitLog("instance recalled"));
  }
}

TEST_F(InstanceTest, WhatWasRememberedBadlyIsMendedByInit) {
  Client(socket_path()).MustInit();
  Kill();
  std::ofstream(data_root() + "/instances/orders.json") << "{";
  Serve();
  Client client(socket_path());
  const auto reply = client.GetKey("a");
  EXPECT_THAT(reply,
              FailsWith(kUnavailable, AllOf(HasSubstr("\"orders\""),
                                            HasSubstr("restart daprd"))));
  EXPECT_THAT(reply, ShowsHttp(503));
  client.MustInit();
  EXPECT_THAT(client.GetKey("a"), Succeeds());
  Restart();
  EXPECT_THAT(Client(socket_path()).GetKey("a"), Succeeds());
}

// --- A store that cannot be opened.

TEST_F(InstanceTest, InitWaitsForAnotherProcessAndNamesIt) {
  Client(socket_path()).MustInit();
  Restart();
  HeldStore held(data_root() + "/stores/orders", "pid 77 on elsewhere");
  Client client(socket_path());
  const absl::Time start = absl::Now();
  const auto reply =
      client.Init({{"encryption", TestEncryption()}, {"lockTimeout", "200ms"}});
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
  EXPECT_THAT(reply,
              FailsWith(kUnavailable, AllOf(HasSubstr("pid 77 on elsewhere"),
                                            HasSubstr("waited 200ms"))));
  EXPECT_THAT(reply, ShowsHttp(503));

  const auto waiting = client.StartInit(
      {{"encryption", TestEncryption()}, {"lockTimeout", "1h"}});
  ASSERT_THAT(client.Ping(), Succeeds());
  EXPECT_FALSE(waiting->answered());
  held.Release();
  EXPECT_THAT(waiting->status(), Succeeds());
}

// Its callers may come again; meanwhile nobody else waits for them.
TEST_F(InstanceTest, ACallDoesNotWaitForAnotherProcess) {
  Client(socket_path()).MustInit({{"lockTimeout", "1h"}});
  Restart();
  HeldStore held(data_root() + "/stores/orders", "pid 77 on elsewhere");
  Client client(socket_path());
  const auto reply = client.SetKey("a", "1");
  EXPECT_THAT(reply, FailsWith(kUnavailable, HasSubstr("pid 77 on elsewhere")));
  EXPECT_THAT(reply, ShowsHttp(503));
  held.Release();
  EXPECT_EQ(client.ValueOf("a"), "(none)");
}

// One component's trouble is not the others'.
TEST_F(InstanceTest, AnInitThatWaitsDoesNotHoldUpOtherInstances) {
  Client(socket_path(), "carts").MustInit();
  Client(socket_path(), "held").MustInit();
  Restart();
  Client carts(socket_path(), "carts");
  ASSERT_THAT(carts.GetKey("a"), Succeeds());
  HeldStore held(data_root() + "/stores/held");
  Client other(socket_path(), "held");
  std::vector<std::unique_ptr<PendingInit>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(other.StartInit(
        {{"encryption", TestEncryption()}, {"lockTimeout", "1h"}}));
  }
  ASSERT_THAT(other.Ping(), Succeeds());  // behind them

  EXPECT_THAT(carts.SetKey("small", "1"), Succeeds());
  EXPECT_THAT(carts.SetKey("large", std::string(1 << 20, 'v')), Succeeds());
  EXPECT_EQ(carts.ValueOf("small"), "1");
  held.Release();
  for (const auto& init : waiting) EXPECT_THAT(init->status(), Succeeds());
}

TEST_F(InstanceTest, ADamagedStoreIsNeverTakenForAnEmptyOne) {
  Client(socket_path()).MustInit();
  Kill();
  const std::string file = data_root() + "/stores/orders/data.mdb";
  fs::resize_file(file, fs::file_size(file) / 2);
  Serve();
  Client client(socket_path());
  EXPECT_THAT(client.GetKey("a"), FailsWith(grpc::StatusCode::DATA_LOSS,
                                            HasSubstr("orders/data.mdb")));
  EXPECT_THAT(client.Init({{"encryption", TestEncryption()}}),
              FailsWith(grpc::StatusCode::DATA_LOSS, HasSubstr("backup")));
  EXPECT_THAT(client.Ping(), Succeeds());
}

}  // namespace
}  // namespace statecpp
