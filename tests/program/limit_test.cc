// SPDX-License-Identifier: Apache-2.0
//
// What is too large, too many, too late, or not for this caller: refused with a
// reason, while everybody else is served.
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr size_t kMaxValueSize = 4090 << 10;
constexpr size_t kMaxMessageSize = 64 << 20;

class LimitTest : public ServedStoreTest {
 protected:
  // What was refused left nothing behind in the server.
  void ExpectServesAndStops(Client& client) {
    EXPECT_THAT(client.SetKey("still there", "1"), Succeeds());
    EXPECT_EQ(client.ValueOf("still there"), "1");
    server().Signal(SIGTERM);
    EXPECT_EQ(server().Wait(absl::Seconds(4)), 0);
  }
};

// --- Sizes.

TEST_F(LimitTest, AValueMayHaveWhatDaprdCanReceive) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  const std::string value(kMaxValueSize - 1, 'v');
  EXPECT_THAT(client.SetKey("k", value), Succeeds());
  EXPECT_EQ(client.ValueOf("k"), value);

  const auto reply = client.SetKey("k", value + "w");
  EXPECT_THAT(reply, FailsWith(grpc::StatusCode::INVALID_ARGUMENT,
                               AllOf(HasSubstr("\"k\""),
                                     HasSubstr("maxValueSize is 4188160"),
                                     HasSubstr("nothing was written"))));
  EXPECT_THAT(reply, ShowsHttp(413));
  EXPECT_EQ(client.ValueOf("k"), value);
}

TEST_F(LimitTest, AKeyMayHave64Kibibytes) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  const std::string key(size_t{64} << 10, 'k');
  EXPECT_THAT(client.SetKey(key, "1"), Succeeds());
  EXPECT_EQ(client.ValueOf(key), "1");

  wire::TransactionalStateRequest transaction;
  wire::SetRequest& set = *transaction.add_operations()->mutable_set();
  set.set_key(key + "k");
  wire::BulkSetRequest bulk;
  *bulk.add_items() = set;
  wire::DeleteRequest erase;
  erase.set_key(key + "k");
  for (const grpc::Status& status :
       {client.Set(set).status, client.Delete(erase).status,
        client.BulkSet(bulk).status, client.Transact(transaction).status}) {
    EXPECT_THAT(status, FailsWith(grpc::StatusCode::INVALID_ARGUMENT,
                                  HasSubstr("65537 bytes; the limit is 65536"
                                            "; use a shorter one")));
    EXPECT_THAT(status, ShowsHttp(400));
  }
  EXPECT_EQ(client.ValueOf(key + "k"), "(none)");

  erase.set_key(key);
  EXPECT_THAT(client.Delete(erase), Succeeds());
  EXPECT_EQ(client.ValueOf(key), "(none)");
}

TEST_F(LimitTest, AContentTypeMayHave65535Bytes) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  wire::SetRequest set = Text(R"(key: "k" value: "1")");
  set.set_content_type(std::string(65535, 't'));
  EXPECT_THAT(client.Set(set), Succeeds());
  EXPECT_EQ(client.GetKey("k").message.content_type(), set.content_type());

  set.set_value("2");
  set.set_content_type(std::string(65536, 't'));
  const auto reply = client.Set(set);
  EXPECT_THAT(reply, FailsWith(grpc::StatusCode::INVALID_ARGUMENT,
                               HasSubstr("65536 bytes; the limit is 65535")));
  EXPECT_THAT(reply, ShowsHttp(400));
  EXPECT_EQ(client.ValueOf("k"), "1");
}

TEST_F(LimitTest, ATimeToLiveMayHaveWhatASignedWordHolds) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  wire::SetRequest set = Text(R"(key: "k" value: "1")");
  std::string& ttl = (*set.mutable_metadata())["ttlInSeconds"];
  ttl = "2147483647";
  EXPECT_THAT(client.Set(set), Succeeds());
  EXPECT_THAT(client.GetKey("k").message.metadata().at("ttlExpireTime"),
              StartsWith("209"));
  for (const char* never : {"0", "-1"}) {
    ttl = never;
    EXPECT_THAT(client.Set(set), Succeeds());
    EXPECT_THAT(client.GetKey("k").message.metadata(), IsEmpty());
  }
  set.set_value("2");
  for (const char* beyond : {"2147483648", "-2"}) {
    ttl = beyond;
    const auto reply = client.Set(set);
    EXPECT_THAT(reply, FailsWith(grpc::StatusCode::INVALID_ARGUMENT,
                                 HasSubstr("up to 2147483647")));
    EXPECT_THAT(reply, ShowsHttp(400));
  }
  EXPECT_EQ(client.ValueOf("k"), "1");
}

// Ours have 16 digits; whatever else comes is an ETag of nobody's, and no more.
TEST_F(LimitTest, AnETagOfAnyLengthIsAMismatch) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  ASSERT_THAT(client.SetKey("k", "1"), Succeeds());
  wire::SetRequest set = Text(R"(key: "k" value: "2")");
  for (const size_t size : {1, 15, 16, 17, 64, 65, 1 << 20}) {
    set.mutable_etag()->set_value(std::string(size, 'f'));
    EXPECT_THAT(client.Set(set),
                IsMismatch(AllOf(HasSubstr("expected "),
                                 HasSubstr("found " + client.ETagOf("k")))));
  }
  EXPECT_EQ(client.ValueOf("k"), "1");
}

TEST_F(LimitTest, AnInstancesNameMayHave240Bytes) {
  Serve();
  for (const bool names_a_folder : {false, true}) {
    // What no file name may hold takes three bytes.
    for (const std::string& name :
         {std::string(240, 'n'), std::string(80, '/')}) {
      Client longest(socket_path(), name);
      Client::Metadata properties = {{"encryption", TestEncryption()}};
      if (names_a_folder) properties["dataDir"] = std::string(240, 'd');
      EXPECT_THAT(longest.Init(properties), Succeeds());
      EXPECT_THAT(longest.SetKey("k", "1"), Succeeds());

      const auto reply = Client(socket_path(), name + name[0]).Init(properties);
      EXPECT_THAT(reply, FailsWith(grpc::StatusCode::INVALID_ARGUMENT,
                                   HasSubstr("the limit is 240; give the "
                                             "component a shorter name")));
      EXPECT_THAT(reply, ShowsHttp(400));
    }
  }
  EXPECT_THAT(
      Client(socket_path(), "short")
          .Init({{"encryption", TestEncryption()},
                 {"dataDir", std::string(241, 'd')}}),
      FailsWith(grpc::StatusCode::INVALID_ARGUMENT, HasSubstr("\"dataDir\"")));
}

// Of operations there may be any number, where the component says nothing: a
// workflow saves thousands at once.
TEST_F(LimitTest, ATransactionMayHaveThousandsOfOperations) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  wire::TransactionalStateRequest transaction;
  for (int i = 0; i < 100'000; ++i) {
    wire::SetRequest& set = *transaction.add_operations()->mutable_set();
    set.set_key(absl::StrCat("k", i));
    set.set_value("1");
  }
  EXPECT_THAT(client.Transact(transaction), Succeeds());
  EXPECT_EQ(client.ValueOf("k99999"), "1");
}

TEST_F(LimitTest, AnInstanceMayAllowLess) {
  Serve();
  Client client(socket_path());
  client.MustInit({{"maxValueSize", "10"}});
  EXPECT_THAT(client.SetKey("k", "123456789"), Succeeds());
  EXPECT_THAT(client.SetKey("k", "1234567890"), ShowsHttp(413));
  // The content type counts, too, and so does the key.
  EXPECT_THAT(
      client.Set(Text(R"(key: "k" value: "123456" content_type: "text")")),
      ShowsHttp(413));
  EXPECT_THAT(client.SetKey("12345678901", ""), ShowsHttp(413));
  EXPECT_EQ(client.ValueOf("k"), "123456789");
}

TEST_F(LimitTest, ABulkReadFitsIntoWhatDaprdCanReceive) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  const std::string value(3 << 20, 'v');
  for (const char* key : {"a", "b"}) {
    ASSERT_THAT(client.SetKey(key, value), Succeeds());
  }
  ASSERT_THAT(client.SetKey("c", "small"), Succeeds());
  const auto reply = client.BulkGet(
      Text(R"(items { key: "a" } items { key: "b" } items { key: "c" })"));
  ASSERT_THAT(reply, Succeeds());
  EXPECT_LE(reply.message.ByteSizeLong(), size_t{4} << 20);
  EXPECT_EQ(reply.message.items(0).data(), value);
  EXPECT_THAT(reply.message.items(1).error(),
              AllOf(HasSubstr("left out"), HasSubstr("fewer keys")));
  EXPECT_EQ(reply.message.items(2).data(), "small");
}

// daprd sends bulks of any size, since each item alone is small enough.
TEST_F(LimitTest, AMessageMayHave64MebibytesAndNoMore) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  wire::BulkSetRequest bulk;
  while (bulk.ByteSizeLong() < kMaxMessageSize - kMaxValueSize) {
    wire::SetRequest& item = *bulk.add_items();
    item.set_key(absl::StrCat(bulk.items_size()));
    item.set_value(std::string(kMaxValueSize - 100, 'v'));
  }
  wire::SetRequest& last = *bulk.add_items();
  last.set_key("last");
  last.set_value(std::string(kMaxValueSize / 2, 'v'));
  last.mutable_value()->resize(last.value().size() + kMaxMessageSize -
                               bulk.ByteSizeLong());
  ASSERT_EQ(bulk.ByteSizeLong(), kMaxMessageSize);
  EXPECT_THAT(client.BulkSet(bulk), Succeeds());
  EXPECT_EQ(client.ValueOf("last"), last.value());

  const std::string before = last.value();
  last.mutable_value()->push_back('w');
  EXPECT_THAT(client.BulkSet(bulk),
              FailsWith(grpc::StatusCode::RESOURCE_EXHAUSTED,
                        absl::StrCat("Received message larger than max (",
                                     kMaxMessageSize + 1, " vs. ",
                                     kMaxMessageSize, ")")));
  EXPECT_EQ(client.ValueOf("last"), before);
  ExpectServesAndStops(client);
}

// Not even Dapr's messages: the server must outlive it, and serve on.
TEST_F(LimitTest, WhatIsNoMessageIsRefused) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  wire::GetRequest garbage = Text(R"(key: "a")");
  garbage.GetReflection()->MutableUnknownFields(&garbage)->AddLengthDelimited(
      2, "\xff\xff\xff\xff");
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(client.Get(garbage), FailsWith(grpc::StatusCode::INTERNAL, _));
  }
  ExpectServesAndStops(client);
}

TEST_F(LimitTest, AMethodThatIsNotThereIsUnimplemented) {
  Serve();
  Client client(socket_path());
  const std::unique_ptr<grpc::ClientContext> context = client.NewContext();
  wire::PingResponse response;
  const grpc::Status status =
      grpc::internal::BlockingUnaryCall<wire::PingRequest, wire::PingResponse>(
          client.channel().get(),
          grpc::internal::RpcMethod(
              "/dapr.proto.components.v1.StateStore/ListKeys",
              grpc::internal::RpcMethod::NORMAL_RPC),
          context.get(), wire::PingRequest(), &response);
  EXPECT_THAT(status, FailsWith(grpc::StatusCode::UNIMPLEMENTED, _));
}

// --- Connections.

// Bare connections, as of clients that never say a word.
class Crowd {
 public:
  Crowd(const std::string& path, int count) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    for (int i = 0; i < count; ++i) {
      fds_.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      EXPECT_EQ(connect(fds_.back(), reinterpret_cast<sockaddr*>(&address),
                        sizeof(address)),
                0);
    }
  }
  ~Crowd() {
    for (const int fd : fds_) close(fd);
  }

  // How many bytes come first to one of them: 0 where it is closed without a
  // word, -1 where nothing happens.
  ssize_t FirstBytes(size_t which) const {
    pollfd wait = {.fd = fds_[which], .events = POLLIN, .revents = 0};
    const auto patience =
        static_cast<int>(absl::ToInt64Milliseconds(kPatience));
    if (poll(&wait, 1, patience) != 1) return -1;
    char buffer[256];
    return std::max<ssize_t>(0, read(fds_[which], buffer, sizeof(buffer)));
  }

 private:
  std::vector<int> fds_;
};

// gRPC's own listener would be deaf from then on, without a word.
TEST_F(LimitTest, MoreConnectionsThanDescriptorsAreSurvived) {
  ProgramOptions options = ServeOptions();
  options.limits = {{RLIMIT_NOFILE, 60}};
  Program program(options);
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client early(socket_path());
  early.MustInit();
  {
    const Crowd crowd(socket_path(), 120);
    ASSERT_TRUE(program.AwaitLog("LimitNOFILE"));
    EXPECT_THAT(early.SetKey("a", "1"), Succeeds());
  }
  EXPECT_EQ(Client(socket_path()).ValueOf("a"), "1");
}

TEST_F(LimitTest, ConnectionsBeyondTheCapAreClosedAndOthersServed) {
  Serve({"--max-connections", "2"});
  Client client(socket_path());
  ASSERT_THAT(client.Ping(), Succeeds());
  {
    const Crowd crowd(socket_path(), 2);
    EXPECT_GT(crowd.FirstBytes(0), 0);
    EXPECT_EQ(crowd.FirstBytes(1), 0);
    EXPECT_TRUE(server().AwaitLog("all of the 2 connections"));
    EXPECT_THAT(client.Ping(), Succeeds());
  }
  ASSERT_TRUE(
      AwaitTrue([this] { return Client(socket_path()).Ping().status.ok(); }));
}

// --- Users.

TEST_F(LimitTest, OnlyTheUsersThatAreAllowedAreServed) {
  Serve({"--allow-uid", absl::StrCat(getuid() + 1), "--allow-uid",
         absl::StrCat(getuid())});
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());

  Serve({"--allow-uid", absl::StrCat(getuid() + 1)});
  const Crowd crowd(socket_path(), 1);
  EXPECT_EQ(crowd.FirstBytes(0), 0) << "bytes of HTTP/2 came first";
  EXPECT_TRUE(server().AwaitLog(absl::StrCat("uid ", getuid(), ", pid ")));
  EXPECT_THAT(Client(socket_path()).Ping(),
              FailsWith(grpc::StatusCode::UNAVAILABLE, _));
}

TEST_F(LimitTest, AnotherUsersProcessIsTurnedAway) {
  if (!CanBecomeNobody()) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox, to become uid "
                 << kNobody;
  }
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  Serve({"--allow-uid", absl::StrCat(getuid())});
  ProgramOptions health = {
      .arguments = {"health", "--socket-folder", socket_folder()},
      .uid = kNobody};
  EXPECT_EQ(RunToEnd(health).exit_code, 6);
  EXPECT_TRUE(server().AwaitLog(absl::StrCat("uid ", kNobody, ", pid ")));
  EXPECT_THAT(Client(socket_path()).Ping(), Succeeds());

  Serve();
  EXPECT_EQ(RunToEnd(health).exit_code, 0) << "root's socket is for all";
}

// --- Time.

class OutcomeTest : public ServedStoreTest {
 protected:
  void SetUp() override {
    Serve();
    held_ = HoldUpCalls();
    client_ = std::make_unique<Client>(socket_path());
    ASSERT_THAT(client_->Ping(), Succeeds());
  }

  // Lets the server go on with what it has in hand, and waits until all of it
  // was judged.
  void GoOn() {
    held_->Release();
    EXPECT_THAT(client_->SetKey("after", "1"), Succeeds());
  }

  std::unique_ptr<HeldStore> held_;
  std::unique_ptr<Client> client_;
};

TEST_F(OutcomeTest, ACallThatIsWaitedForIsDone) {
  const auto set = client_->StartSet("a", "1");
  GoOn();
  EXPECT_THAT(set->status(), Succeeds());
  EXPECT_EQ(client_->ValueOf("a"), "1");
}

TEST_F(OutcomeTest, AWriteWhoseDeadlineHasPassedIsNotDone) {
  const auto set = client_->StartSet("a", "1", absl::Milliseconds(100));
  EXPECT_THAT(set->status(), FailsWith(grpc::StatusCode::DEADLINE_EXCEEDED, _));
  GoOn();
  EXPECT_EQ(client_->ValueOf("a"), "(none)");
}

TEST_F(OutcomeTest, AWriteThatWasCancelledIsNotDone) {
  const auto set = client_->StartSet("a", "1");
  ASSERT_THAT(client_->Ping(), Succeeds());  // behind the Set
  set->Cancel();
  EXPECT_THAT(set->status(), FailsWith(grpc::StatusCode::CANCELLED, _));
  ASSERT_THAT(client_->Ping(), Succeeds());  // behind the cancellation
  GoOn();
  EXPECT_EQ(client_->ValueOf("a"), "(none)");
}

TEST_F(OutcomeTest, AWriteWhoseClientIsGoneIsNotDone) {
  {
    Client gone(socket_path());
    ASSERT_THAT(gone.Ping(), Succeeds());
    const auto set = gone.StartSet("a", "1");
    ASSERT_THAT(gone.Ping(), Succeeds());  // behind the Set
    set->Cancel();
  }
  ASSERT_THAT(client_->Ping(), Succeeds());
  GoOn();
  EXPECT_EQ(client_->ValueOf("a"), "(none)");
}

}  // namespace
}  // namespace statecpp
