// SPDX-License-Identifier: Apache-2.0
//
// The admin socket and those who come to it, with real sockets in real folders:
// honest ones, broken ones, and ones that must not be there.
#include "server/admin_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/admin_address.h"
#include "server/admin_client.h"
#include "server/errors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;
// What should happen does so long before; what should not is not waited for.
constexpr absl::Duration kPatience = absl::Seconds(30);
// Of servers whose patience is put to the test.
constexpr absl::Duration kLittlePatience = absl::Milliseconds(20);

const AdminRequest kRequest = {.data_dir = "orders",
                               .verb = AdminRequest::RotateDataKey{}};

// Keeps what it is told, and leaves when it has heard enough.
class Listener final : public AdminListener {
 public:
  explicit Listener(size_t enough = 1000) : enough_(enough) {}

  bool Tell(const AdminReply& reply) override {
    told.push_back(reply);
    return told.size() < enough_;
  }
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return leave;
  }

  std::vector<AdminReply> told;
  std::atomic<bool> leave = false;

 private:
  const size_t enough_;
};

// Runs `body` in a process that is forked now, while this one has no other
// thread, and that waits until it is asked for.
class Child {
 public:
  explicit Child(std::function<int()> body) {
    EXPECT_EQ(pipe(ends_), 0);
    pid_ = fork();
    if (pid_ != 0) return;
    char go;
    _exit(read(ends_[0], &go, 1) == 1 ? body() : 126);
  }

  // What `body` returned.
  int Run() {
    EXPECT_EQ(write(ends_[1], "", 1), 1);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    for (const int end : ends_) close(end);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  int ends_[2];
};

constexpr int kCannotBecomeNobody = 125;

bool BecomeNobody() {
  return setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 &&
         setuid(kNobody) == 0;
}

class AdminSocketTest : public ::testing::Test {
 protected:
  using Handler = AdminSocket::Handler;

  AdminSocketTest() { fs::create_directory(root_); }

  // Answers once, with what it was asked for.
  static absl::Status Echo(const AdminRequest& request,
                           AdminListener& listener) {
    const auto verb = static_cast<uint32_t>(request.verb.index());
    listener.Tell(AdminDataKey{verb});
    return absl::OkStatus();
  }

  std::unique_ptr<AdminSocket> Listen(Handler handler = Echo,
                                      absl::Duration patience = kPatience) {
    absl::StatusOr<std::unique_ptr<AdminSocket>> socket =
        AdminSocket::Listen(root_, std::move(handler), patience);
    EXPECT_THAT(socket, IsOk());
    return *std::move(socket);
  }

  // One that has not said anything yet.
  AdminConnection Connect() const {
    return *std::move(*AdminConnection::To(root_));
  }

  absl::Status Ask(Listener& listener) const {
    return AskServer(root_, kRequest, listener);
  }
  absl::Status Ask() const {
    Listener listener;
    return Ask(listener);
  }

  // The status that an answer ends with; whatever else, when there is none.
  static absl::Status EndOf(AdminConnection& connection) {
    const absl::StatusOr<std::string> bytes = connection.Receive(kPatience);
    if (!bytes.ok()) return bytes.status();
    const AdminReply reply = AdminReplyFromProto(*bytes).value();
    const AdminEnd* const end = std::get_if<AdminEnd>(&reply);
    return end != nullptr ? end->status : absl::InternalError("no end");
  }

  std::string SocketPath() const { return root_ + "/.admin.sock"; }

  TempDir dir_;
  std::string root_ = dir_.Path("root");
};

TEST_F(AdminSocketTest, AnswersARequestBitByBit) {
  const auto socket =
      Listen([](const AdminRequest& request, AdminListener& listener) {
        EXPECT_EQ(request.data_dir, "orders");
        for (uint32_t i = 0; i < 3; ++i) listener.Tell(AdminDataKey{i});
        return absl::AlreadyExistsError("at last");
      });
  Listener listener;
  EXPECT_THAT(Ask(listener),
              StatusIs(absl::StatusCode::kAlreadyExists, "at last"));
  ASSERT_EQ(listener.told.size(), 3u);
  EXPECT_EQ(std::get<AdminDataKey>(listener.told[2]).id, 2u);
}

TEST_F(AdminSocketTest, AnswersSeveralAtATime) {
  std::atomic<int> inside = 0;
  const auto socket = Listen([&](const AdminRequest&, AdminListener&) {
    ++inside;
    while (inside < AdminSocket::kMaxConnections) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    return absl::OkStatus();
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < AdminSocket::kMaxConnections; ++i) {
    clients.emplace_back([this] { EXPECT_THAT(Ask(), IsOk()); });
  }
  for (std::thread& client : clients) client.join();
}

// --- The file.

TEST_F(AdminSocketTest, IsForItsUserAloneWhateverTheUmask) {
  for (const mode_t mask : {0, 0777}) {
    const mode_t before = umask(mask);
    const auto socket = Listen();
    umask(before);
    struct stat info = {};
    ASSERT_EQ(lstat(SocketPath().c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 07777, mode_t{0600}) << mask;
  }
}

TEST_F(AdminSocketTest, IsReachedAtAnyLengthOfPath) {
  for (const size_t length : {60, 95, 96, 97, 98, 200}) {
    root_ = dir_.Path("r");
    root_ += std::string(length - root_.size(), 'r');
    fs::create_directory(root_);
    const auto socket = Listen();
    EXPECT_THAT(Ask(), IsOk()) << length;
    EXPECT_TRUE(fs::is_socket(SocketPath())) << length;
    socket->Unlink();
    EXPECT_FALSE(fs::exists(SocketPath())) << length;
  }
}

// /proc/self belongs to root in a process that may not be dumped, as the
// program is.
TEST_F(AdminSocketTest, IsReachedThroughALongPathByWhoMayNotBeDumped) {
  chmod(dir_.path().c_str(), 0777);
  Child child([this] {
    if (!BecomeNobody()) return kCannotBecomeNobody;
    prctl(PR_SET_DUMPABLE, 0);
    root_ += std::string(150, 'r');
    fs::create_directory(root_);
    const auto socket = AdminSocket::Listen(root_, Echo);
    if (!socket.ok()) return 1;
    return Ask().ok() ? 0 : 2;
  });
  const int result = child.Run();
  if (result == kCannotBecomeNobody) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  EXPECT_EQ(result, 0);
}

TEST_F(AdminSocketTest, ReplacesWhatAKilledServerLeft) {
  Child child([this]() -> int {
    const auto socket = AdminSocket::Listen(root_, Echo);
    _exit(socket.ok() ? 0 : 1);  // without a destructor
  });
  ASSERT_EQ(child.Run(), 0);
  ASSERT_TRUE(fs::exists(SocketPath()));
  EXPECT_THAT(AdminConnection::To(root_), IsOkAndHolds(IsMissing()));
  const auto socket = Listen();
  EXPECT_THAT(Ask(), IsOk());
}

TEST_F(AdminSocketTest, LeavesAloneWhatIsNoSocket) {
  close(open(SocketPath().c_str(), O_CREAT | O_CLOEXEC, 0600));
  EXPECT_THAT(AdminSocket::Listen(root_, Echo),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is a regular file")));
  EXPECT_TRUE(fs::exists(SocketPath()));
}

TEST_F(AdminSocketTest, TakesAwayItsOwnFileAlone) {
  const auto first = Listen();
  const auto second = Listen();
  first->Unlink();
  EXPECT_THAT(Ask(), IsOk());
  second->Unlink();
  EXPECT_FALSE(fs::exists(SocketPath()));
}

TEST_F(AdminSocketTest, UnlinkLetsConnectionsGoOn) {
  const auto socket = Listen();
  AdminConnection connection = Connect();
  socket->Unlink();
  EXPECT_THAT(AdminConnection::To(root_), IsOkAndHolds(IsMissing()));
  ASSERT_THAT(connection.Send(AdminRequestToProto(kRequest), kPatience),
              IsOk());
  EXPECT_THAT(connection.Receive(kPatience), IsOk());
  EXPECT_THAT(EndOf(connection), IsOk());
}

// --- Those who come.

TEST_F(AdminSocketTest, RefusesAnotherUserEvenIfTheFileLetsIn) {
  chmod(dir_.path().c_str(), 0755);
  Child stranger([this] {
    if (!BecomeNobody()) return kCannotBecomeNobody;
    const absl::Status status = Ask();
    return error::IsUnreachable(status) ? 0 : 1;
  });
  std::atomic<int> asked = 0;
  const auto socket = Listen([&](const AdminRequest&, AdminListener&) {
    ++asked;
    return absl::OkStatus();
  });
  chmod(root_.c_str(), 0755);
  chmod(SocketPath().c_str(), 0666);
  const int result = stranger.Run();
  if (result == kCannotBecomeNobody) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  EXPECT_EQ(result, 0);
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(Ask(), IsOk());
}

TEST_F(AdminSocketTest, TellsAnotherUserWhoToBe) {
  chmod(dir_.path().c_str(), 0755);
  chmod(root_.c_str(), 0755);
  Child stranger([this] {
    if (!BecomeNobody()) return kCannotBecomeNobody;
    const absl::Status status = Ask();
    const bool told = status.message().find("run this as the server's user") !=
                      absl::string_view::npos;
    return error::IsUnreachable(status) && told ? 0 : 1;
  });
  const auto socket = Listen();
  const int result = stranger.Run();
  if (result == kCannotBecomeNobody) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  EXPECT_EQ(result, 0);
}

TEST_F(AdminSocketTest, LetsRootAskWhoeverServes) {
  chmod(dir_.path().c_str(), 0777);
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Child server([this, &ends] {
    close(ends[0]);
    if (!BecomeNobody()) return kCannotBecomeNobody;
    root_ += "-nobody";
    fs::create_directory(root_);
    const auto socket = AdminSocket::Listen(root_, Echo);
    if (!socket.ok() || write(ends[1], "", 1) != 1) return 1;
    char end;
    return read(ends[1], &end, 1) == 0 ? 0 : 2;
  });
  close(ends[1]);
  if (geteuid() != 0) {
    EXPECT_NE(server.Run(), 0);
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  int result = 0;
  std::thread run([&] { result = server.Run(); });
  char serving;
  if (read(ends[0], &serving, 1) == 1) {
    root_ += "-nobody";
    EXPECT_THAT(Ask(), IsOk());
  }
  close(ends[0]);
  run.join();
  if (result == kCannotBecomeNobody) {
    GTEST_SKIP() << "needs root outside of Bazel's sandbox";
  }
  EXPECT_EQ(result, 0);
}

TEST_F(AdminSocketTest, AnswersGarbageAndGoesOn) {
  const auto socket = Listen();
  AdminConnection garbage = Connect();
  ASSERT_THAT(garbage.Send("\xFF\xFF\xFF", kPatience), IsOk());
  EXPECT_THAT(EndOf(garbage), HasCode(absl::StatusCode::kInvalidArgument));
  AdminConnection nothing = Connect();
  ASSERT_THAT(nothing.Send("", kPatience), IsOk());
  EXPECT_THAT(EndOf(nothing), HasCode(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(Ask(), IsOk());
}

TEST_F(AdminSocketTest, ReadsAMessageOfTheLimitAndNoneBeyond) {
  const auto socket = Listen();
  AdminConnection longest = Connect();
  ASSERT_THAT(longest.Send(std::string(kMaxAdminMessage, '\xFF'), kPatience),
              IsOk());
  EXPECT_THAT(EndOf(longest), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("no message")));
  AdminConnection longer = Connect();
  // Answered before it is read, so it may be cut off.
  (void)longer.Send(std::string(kMaxAdminMessage + 1, '\xFF'), kPatience);
  EXPECT_THAT(EndOf(longer), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("it was not read")));
}

TEST_F(AdminSocketTest, HangsUpOnWhoIsSilent) {
  const auto socket = Listen(Echo, kLittlePatience);
  AdminConnection silent = Connect();
  EXPECT_TRUE(error::IsUnreachable(silent.Receive(kPatience).status()));
}

TEST_F(AdminSocketTest, HangsUpOnWhoStopsInAMessage) {
  const auto socket = Listen(Echo, kLittlePatience);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const AdminAddress address = AdminAddress::In(root_).value();
  ASSERT_EQ(connect(fd, address.get(), AdminAddress::size()), 0);
  AdminConnection connection(fd);
  ASSERT_EQ(write(fd, "\x10\x00\x00", 3), 3);
  EXPECT_TRUE(error::IsUnreachable(connection.Receive(kPatience).status()));
}

TEST_F(AdminSocketTest, IsNotHeldUpByThoseWhoDoNotReadTheirAnswers) {
  absl::Notification gave_up;
  const auto socket = Listen(
      [&](const AdminRequest&, AdminListener& listener) {
        const std::string much(100'000, 'x');
        while (listener.Tell(AdminStore{much, true, true})) {
        }
        gave_up.Notify();
        return absl::OkStatus();
      },
      kLittlePatience);
  AdminConnection deaf = Connect();
  ASSERT_THAT(deaf.Send(AdminRequestToProto(kRequest), kPatience), IsOk());
  EXPECT_TRUE(gave_up.WaitForNotificationWithTimeout(kPatience));
}

TEST_F(AdminSocketTest, RefusesTheNinthAndHasRoomWhenOneHasLeft) {
  const auto socket = Listen();
  std::vector<AdminConnection> silent;
  for (int i = 0; i < AdminSocket::kMaxConnections; ++i) {
    silent.push_back(Connect());
  }
  const absl::Status refused = Ask();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable,
                                HasSubstr("try again when one")));
  EXPECT_TRUE(error::IsUnreachable(refused));
  silent.pop_back();
  // Once: the one who has been answered takes room until it is seen to be gone.
  const absl::Time end = absl::Now() + kPatience;
  absl::Status answered = Ask();
  while (!answered.ok() && absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(1));
    answered = Ask();
  }
  EXPECT_THAT(answered, IsOk());
}

TEST_F(AdminSocketTest, NoticesThatAWatcherLeft) {
  absl::Notification left;
  const auto socket = Listen([&](const AdminRequest&, AdminListener& listener) {
    listener.Tell(AdminDataKey{1});
    if (listener.LeavesWithin(kPatience)) left.Notify();
    return absl::OkStatus();
  });
  Listener listener(/*enough=*/1);
  EXPECT_THAT(Ask(listener), HasCode(absl::StatusCode::kCancelled));
  EXPECT_TRUE(left.WaitForNotificationWithTimeout(kPatience));
}

TEST_F(AdminSocketTest, LetsAListenerLeaveWhileTheServerWorks) {
  absl::Notification leave;
  const auto socket = Listen([&](const AdminRequest&, AdminListener&) {
    leave.WaitForNotification();
    return absl::OkStatus();
  });
  Listener listener;
  listener.leave = true;
  EXPECT_THAT(Ask(listener), HasCode(absl::StatusCode::kCancelled));
  leave.Notify();
}

TEST_F(AdminSocketTest, StopHasWatchersLeave) {
  absl::Notification watching;
  const auto socket = Listen([&](const AdminRequest&, AdminListener& listener) {
    watching.Notify();
    EXPECT_TRUE(listener.LeavesWithin(kPatience));
    return absl::OkStatus();
  });
  std::thread client([this] { EXPECT_TRUE(error::IsUnreachable(Ask())); });
  watching.WaitForNotification();
  socket->Stop();
  client.join();
  EXPECT_FALSE(fs::exists(SocketPath()));
}

// --- Where there is no server.

TEST_F(AdminSocketTest, AskingNobodyIsAnError) {
  EXPECT_TRUE(error::IsUnreachable(Ask()));
  root_ += "/none";
  EXPECT_TRUE(error::IsUnreachable(Ask()));
  root_ += std::string(200, 'r');
  EXPECT_TRUE(error::IsUnreachable(Ask()));
}

}  // namespace
}  // namespace statecpp
