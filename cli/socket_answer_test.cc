// SPDX-License-Identifier: Apache-2.0
//
// What daprd hears at a socket.
#include "cli/socket_answer.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "server/socket_dial.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using State = SocketAnswer::State;

// Long for who answers, and short for who does not.
constexpr absl::Duration kPatience = absl::Seconds(2);

class SocketAnswerTest : public ::testing::Test {
 protected:
  // Every server of this process lists its services.
  static void SetUpTestSuite() {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }

  ~SocketAnswerTest() override {
    if (fd_ >= 0) close(fd_);
  }

  SocketAnswer Ask() const { return AskSocket(path_, kPatience); }

  void Bind(bool listening) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = SocketAddressOf(path_);
    ASSERT_EQ(
        bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    ASSERT_EQ(listening ? listen(fd_, 8) : 0, 0);
  }

  std::unique_ptr<grpc::Server> Serve(grpc::Service& service) const {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("unix:", path_),
                             grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    return builder.BuildAndStart();
  }

  const TempDir dir_;
  const std::string path_ = dir_.Path("cpp.sock");
  int fd_ = -1;
};

TEST_F(SocketAnswerTest, AStateStoreIsOne) {
  dapr::proto::components::v1::StateStore::Service store;
  const std::unique_ptr<grpc::Server> server = Serve(store);
  ASSERT_NE(server, nullptr);
  const SocketAnswer answer = Ask();
  EXPECT_EQ(answer.state, State::kServices) << answer.why;
  EXPECT_THAT(answer.services, Contains("dapr.proto.components.v1.StateStore"));
  EXPECT_TRUE(answer.is_state_store());
}

TEST_F(SocketAnswerTest, AnotherServiceIsNone) {
  grpc::health::v1::Health::Service health;
  const std::unique_ptr<grpc::Server> server = Serve(health);
  ASSERT_NE(server, nullptr);
  const SocketAnswer answer = Ask();
  EXPECT_EQ(answer.state, State::kServices) << answer.why;
  EXPECT_THAT(answer.services, Contains("grpc.health.v1.Health"));
  EXPECT_FALSE(answer.is_state_store());
}

TEST_F(SocketAnswerTest, WhoListensIsKnown) {
  Bind(/*listening=*/true);
  const SocketListener listener = Ask().listener;
  EXPECT_EQ(listener.uid, geteuid());
  EXPECT_EQ(listener.pid, getpid());
  EXPECT_EQ(listener.command, std::string("socket_answer_test").substr(0, 15));
}

TEST_F(SocketAnswerTest, ANameIsNoAddressInTheWeb) {
  dapr::proto::components::v1::StateStore::Service store;
  const std::unique_ptr<grpc::Server> server = Serve(store);
  ASSERT_NE(server, nullptr);
  for (const char* name : {"%41.sock", "a?b.sock", "a#b.sock", "a b.sock"}) {
    const std::string other = dir_.Path(name);
    ASSERT_EQ(link(path_.c_str(), other.c_str()), 0);
    const SocketAnswer answer = AskSocket(other, kPatience);
    EXPECT_TRUE(answer.is_state_store()) << name << ": " << answer.why;
  }
}

TEST_F(SocketAnswerTest, SomebodyHangsUpOnWhoeverComes) {
  Bind(/*listening=*/true);
  std::thread host([this] {
    for (int fd; (fd = accept(fd_, nullptr, nullptr)) >= 0;) close(fd);
  });
  EXPECT_EQ(Ask().state, State::kHungUp);
  shutdown(fd_, SHUT_RDWR);
  host.join();
}

TEST_F(SocketAnswerTest, SomebodySpeaksAnotherLanguage) {
  Bind(/*listening=*/true);
  std::thread host([this] {
    for (int fd; (fd = accept(fd_, nullptr, nullptr)) >= 0;) {
      EXPECT_EQ(send(fd, "220 mail\r\n", 10, MSG_NOSIGNAL), 10);
      close(fd);
    }
  });
  EXPECT_EQ(Ask().state, State::kNoServices);
  shutdown(fd_, SHUT_RDWR);
  host.join();
}

TEST_F(SocketAnswerTest, SomebodyListensAndAcceptsNobody) {
  Bind(/*listening=*/true);
  std::vector<int> queue;
  do {
    queue.push_back(DialSocket(path_));
  } while (queue.back() >= 0);
  EXPECT_EQ(queue.back(), -EAGAIN);
  EXPECT_EQ(Ask().state, State::kSilent);
  for (const int fd : queue) close(fd);
}

TEST_F(SocketAnswerTest, NobodyListens) {
  Bind(/*listening=*/false);
  EXPECT_EQ(Ask().state, State::kRefused);
  EXPECT_THAT(Ask().services, IsEmpty());
}

TEST_F(SocketAnswerTest, SomebodyListensAndSaysNothing) {
  Bind(/*listening=*/true);
  EXPECT_EQ(Ask().state, State::kSilent);
}

TEST_F(SocketAnswerTest, WhatIsNotThereIsNotKnown) {
  EXPECT_EQ(Ask().state, State::kUnknown);
  EXPECT_THAT(Ask().why, Not(IsEmpty()));
  EXPECT_EQ(AskSocket("/" + std::string(200, 'a'), kPatience).state,
            State::kUnknown);
}

TEST(FoldersListenedInTest, AreThoseOfOurHiddenSockets) {
  EXPECT_THAT(
      FoldersListenedIn(
          "Num       RefCount Protocol Flags    Type St Inode Path\n"
          "0000: 00000002 00000000 00010000 0001 01 23 "
          "/b/sockets/.statecpp/cpp.sock\n"
          "0000: 00000003 00000000 00000000 0001 03 24 "
          "/b/sockets/.statecpp/cpp.sock\n"
          "0000: 00000002 00000000 00010000 0001 01 25 "
          "/a folder/.statecpp/cpp.sock\n"
          "0000: 00000002 00000000 00010000 0001 01 26 /run/other.sock\n"
          "0000: 00000002 00000000 00010000 0001 01 27 @abstract\n"
          "0000: 00000002 00000000 00000000 0001 01 28\n"),
      ElementsAre("/a folder", "/b/sockets"));
  EXPECT_THAT(FoldersListenedIn(""), IsEmpty());
}

}  // namespace
}  // namespace statecpp
