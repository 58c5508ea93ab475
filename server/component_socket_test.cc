// SPDX-License-Identifier: Apache-2.0
//
// What daprd and an operator may rely on, with real sockets in real folders.
// Each folder is a short one below /tmp, because a socket's path may have 107
// bytes. Servers that die are child processes; this process has one thread.

#include "server/component_socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using SocketOr = absl::StatusOr<std::unique_ptr<ComponentSocket>>;

constexpr uid_t kNobody = 65534;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

bool Connects(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0;
  close(fd);
  return connected;
}

// Somebody else's listening socket.
class Stranger {
 public:
  explicit Stranger(const std::string& path, int backlog = 16) {
    const sockaddr_un address = AddressOf(path);
    EXPECT_EQ(
        bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    EXPECT_EQ(listen(fd_, backlog), 0);
  }
  ~Stranger() { Die(); }

  // Leaves the socket in the folder, as a process does that is killed.
  void Die() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// Acts as another user while it lives, where that is possible.
class AsNobody {
 public:
  AsNobody() : possible_(geteuid() == 0 && seteuid(kNobody) == 0) {}
  ~AsNobody() {
    if (possible_ && seteuid(0) != 0) abort();
  }

  bool possible() const { return possible_; }

 private:
  const bool possible_;
};

#define SKIP_UNLESS(nobody)                                               \
  if (!(nobody).possible())                                               \
  GTEST_SKIP() << "needs root outside of Bazel's sandbox, to become uid " \
               << kNobody

class ComponentSocketTest : public ::testing::Test {
 protected:
  ComponentSocketTest() {
    char root[] = "/tmp/socket-XXXXXX";
    root_ = mkdtemp(root);
    chmod(root_.c_str(), 0777);
    folder_ = root_ + "/sockets";
    path_ = folder_ + "/cpp.sock";
  }

  ~ComponentSocketTest() override { std::filesystem::remove_all(root_); }

  SocketOr Bind() { return ComponentSocket::Bind({.folder = folder_}); }

  // The socket that Bind() returns where it must succeed.
  std::unique_ptr<ComponentSocket> Bound() {
    SocketOr socket = Bind();
    EXPECT_TRUE(socket.ok()) << socket.status();
    return std::move(socket).value();
  }

  void MakeFolder(mode_t mode = 0770) {
    mkdir(folder_.c_str(), mode);
    chmod(folder_.c_str(), mode);
  }

  // What daprd looks at in the folder: everything but folders.
  std::vector<std::string> SeenByDaprd() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (!entry.is_directory()) names.push_back(entry.path().filename());
    }
    return names;
  }

  static mode_t ModeOf(const std::string& path) {
    struct stat info = {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  // Runs `body` in a process of its own and returns what it returns.
  static int InChild(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  static void ExpectFails(const absl::Status& status, absl::StatusCode code,
                          const std::string& text) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  std::string root_;
  std::string folder_;
  std::string path_;
};

TEST(ChooseSocketFolderTest, TakesTheFlagThenDaprsNamesInOrderThenTheDefault) {
  unsetenv("DAPR_COMPONENTS_SOCKETS_FOLDER");
  unsetenv("DAPR_COMPONENT_SOCKETS_FOLDER");
  unsetenv("DAPR_COMPONENT_SOCKET_FOLDER");
  EXPECT_EQ(ChooseSocketFolder("").path, "/tmp/dapr-components-sockets");
  EXPECT_EQ(ChooseSocketFolder("").source, "default");

  setenv("DAPR_COMPONENT_SOCKET_FOLDER", "/legacy", 1);
  EXPECT_EQ(ChooseSocketFolder("").path, "/legacy");
  setenv("DAPR_COMPONENT_SOCKETS_FOLDER", "/injector", 1);
  EXPECT_EQ(ChooseSocketFolder("").path, "/injector");
  EXPECT_THAT(ChooseSocketFolder("").warning,
              HasSubstr("set DAPR_COMPONENTS_SOCKETS_FOLDER to it for daprd"));
  setenv("DAPR_COMPONENTS_SOCKETS_FOLDER", "", 1);
  EXPECT_EQ(ChooseSocketFolder("").path, "/injector") << "empty is not set";
  setenv("DAPR_COMPONENTS_SOCKETS_FOLDER", "/daprd", 1);
  EXPECT_EQ(ChooseSocketFolder("").path, "/daprd");
  EXPECT_EQ(ChooseSocketFolder("").source, "DAPR_COMPONENTS_SOCKETS_FOLDER");
  EXPECT_EQ(ChooseSocketFolder("").warning, "");

  EXPECT_EQ(ChooseSocketFolder("/flag").path, "/flag");
  EXPECT_EQ(ChooseSocketFolder("/flag").source, "--socket-folder");
}

TEST_F(ComponentSocketTest, IsSeenByDaprdFromPublishToUnlink) {
  const auto socket = Bound();
  EXPECT_EQ(socket->path(), path_);
  EXPECT_THAT(SeenByDaprd(), IsEmpty());

  ASSERT_TRUE(socket->Publish().ok());
  EXPECT_THAT(SeenByDaprd(), ElementsAre("cpp.sock"));
  EXPECT_TRUE(Connects(path_));

  socket->Unlink();
  EXPECT_THAT(SeenByDaprd(), IsEmpty());
}

TEST_F(ComponentSocketTest, ConnectionsReachTheListenerThatWasTaken) {
  const auto socket = Bound();
  const int listener = socket->TakeListener();
  ASSERT_TRUE(socket->Publish().ok());
  EXPECT_EQ(accept(listener, nullptr, nullptr), -1);
  EXPECT_EQ(errno, EAGAIN) << "it does not block";

  EXPECT_TRUE(Connects(path_));
  const int connection = accept(listener, nullptr, nullptr);
  EXPECT_GE(connection, 0);
  EXPECT_TRUE(fcntl(listener, F_GETFD) & FD_CLOEXEC);
  EXPECT_EQ(socket->TakeListener(), -1) << "it can be taken once";
  close(connection);
  close(listener);
}

TEST_F(ComponentSocketTest, PublishesAndUnlinksOnce) {
  const auto socket = Bound();
  ASSERT_TRUE(socket->Publish().ok());
  EXPECT_TRUE(socket->Publish().ok());
  socket->Unlink();
  socket->Unlink();

  ExpectFails(socket->Publish(), absl::StatusCode::kInternal, path_);
  EXPECT_THAT(SeenByDaprd(), IsEmpty());
}

TEST_F(ComponentSocketTest, IsUnlinkedWhenDestroyed) {
  ASSERT_TRUE(Bound()->Publish().ok());
  EXPECT_THAT(SeenByDaprd(), IsEmpty());
}

// --- The folder.

TEST_F(ComponentSocketTest, MakesAFolderThatDaprdCanEnter) {
  const mode_t before = umask(0077);
  const auto socket = Bound();
  umask(before);

  EXPECT_EQ(ModeOf(folder_), geteuid() == 0 ? 0775 : 0770);
}

TEST_F(ComponentSocketTest, ServesTheGroupWhenNotRoot) {
  const AsNobody nobody;
  SKIP_UNLESS(nobody);
  const auto socket = Bound();

  ASSERT_TRUE(socket->Publish().ok());
  EXPECT_EQ(ModeOf(folder_), 0770);
  EXPECT_EQ(ModeOf(path_), 0660);
  EXPECT_THAT(socket->warnings(), IsEmpty());
}

// daprd is seldom root. Whatever the store is run as, daprd has to get at it.
TEST_F(ComponentSocketTest, ServesOtherUsersWhenRootAndWarns) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto socket = Bound();
  ASSERT_TRUE(socket->Publish().ok());

  EXPECT_EQ(ModeOf(path_), 0666);
  EXPECT_THAT(socket->warnings(),
              ElementsAre(AllOf(HasSubstr("runs as root"), HasSubstr(path_))));
  const int result = InChild([&] {
    if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 ||
        setuid(kNobody) != 0) {
      return 2;
    }
    return Connects(path_) ? 0 : 1;
  });
  if (result == 2) GTEST_SKIP() << "cannot become uid " << kNobody;
  EXPECT_EQ(result, 0);
}

TEST_F(ComponentSocketTest, TakesTheModeItIsGivenWhateverTheUmask) {
  const mode_t before = umask(0077);
  SocketOr socket = ComponentSocket::Bind({.folder = folder_, .mode = 0606});
  umask(before);
  ASSERT_TRUE(socket.ok());

  ASSERT_TRUE((*socket)->Publish().ok());
  EXPECT_EQ(ModeOf(path_), 0606);
  EXPECT_THAT((*socket)->warnings(), IsEmpty());
}

TEST_F(ComponentSocketTest, TakesAFolderAsItIsAndWarnsIfOthersCanWriteIt) {
  MakeFolder(01777);
  SocketOr socket = ComponentSocket::Bind({.folder = folder_, .mode = 0600});
  ASSERT_TRUE(socket.ok());

  EXPECT_EQ(ModeOf(folder_), 01777);
  EXPECT_THAT((*socket)->warnings(),
              ElementsAre(AllOf(HasSubstr("chmod o-w " + folder_),
                                HasSubstr("mode 01777"))));
}

TEST_F(ComponentSocketTest, FollowsALinkAsFolder) {
  const std::string real = root_ + "/real";
  mkdir(real.c_str(), 0770);
  ASSERT_EQ(symlink(real.c_str(), folder_.c_str()), 0);
  std::unique_ptr<ComponentSocket> socket = Bound();
  ASSERT_TRUE(socket->Publish().ok());

  EXPECT_TRUE(std::filesystem::is_socket(real + "/cpp.sock"));
  EXPECT_TRUE(Connects(path_));
  // By whichever name: there is one server to a folder.
  ExpectFails(ComponentSocket::Bind({.folder = real}).status(),
              absl::StatusCode::kAlreadyExists, "another server holds");
  socket->Unlink();
  EXPECT_FALSE(std::filesystem::exists(real + "/cpp.sock"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder_));
}

TEST_F(ComponentSocketTest, RefusesALinkToNowhereAsFolder) {
  ASSERT_EQ(symlink("absent", folder_.c_str()), 0);

  ExpectFails(Bind().status(), absl::StatusCode::kNotFound,
              "cannot use the folder " + folder_);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/absent"));
}

TEST_F(ComponentSocketTest, RefusesAFileAsFolder) {
  close(open(folder_.c_str(), O_CREAT | O_WRONLY, 0600));

  ExpectFails(Bind().status(), absl::StatusCode::kInvalidArgument,
              folder_ + " is not a folder");
}

TEST_F(ComponentSocketTest, RefusesAFolderWithoutAParent) {
  folder_ = root_ + "/absent/sockets";

  ExpectFails(Bind().status(), absl::StatusCode::kNotFound,
              "cannot make the folder " + folder_);
}

TEST_F(ComponentSocketTest, RefusesAFolderThatItMayNotWrite) {
  MakeFolder(0755);
  const AsNobody nobody;
  SKIP_UNLESS(nobody);

  ExpectFails(Bind().status(), absl::StatusCode::kPermissionDenied,
              "has to be writable for this process");
}

TEST_F(ComponentSocketTest, RefusesAHiddenFolderThatAnotherUserPrepared) {
  MakeFolder(0777);
  ASSERT_EQ(mkdir((folder_ + "/.statecpp").c_str(), 0777), 0);
  chmod((folder_ + "/.statecpp").c_str(), 0777);
  const AsNobody nobody;
  SKIP_UNLESS(nobody);

  ExpectFails(Bind().status(), absl::StatusCode::kPermissionDenied,
              "it belongs to uid 0");
}

TEST_F(ComponentSocketTest, RefusesALinkAsHiddenFolder) {
  MakeFolder();
  ASSERT_EQ(symlink(root_.c_str(), (folder_ + "/.statecpp").c_str()), 0);

  ExpectFails(Bind().status(), absl::StatusCode::kInvalidArgument,
              ".statecpp is not a folder");
}

TEST_F(ComponentSocketTest, TakesTheLongestFolderAndRefusesALongerOne) {
  const size_t rest = std::string("/.statecpp/cpp.sock").size();
  folder_ = root_ + "/";
  folder_.resize(107 - rest, 'x');
  path_ = folder_ + "/cpp.sock";
  const auto socket = Bound();
  EXPECT_TRUE(socket->Publish().ok());
  EXPECT_TRUE(Connects(path_));

  folder_ += "x";
  ExpectFails(Bind().status(), absl::StatusCode::kInvalidArgument,
              "a --socket-folder of at most 88 bytes");
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

// --- What is in the socket's place.

TEST_F(ComponentSocketTest, ReplacesAStaleSocketWhenItPublishes) {
  MakeFolder();
  Stranger(path_).Die();
  const auto socket = Bound();
  EXPECT_FALSE(Connects(path_)) << "not before";
  EXPECT_THAT(socket->warnings(), Contains(HasSubstr("nobody answers on")));

  ASSERT_TRUE(socket->Publish().ok());
  EXPECT_TRUE(Connects(path_));
}

TEST_F(ComponentSocketTest, RefusesToReplaceAServerThatAnswers) {
  MakeFolder();
  const Stranger stranger(path_);

  ExpectFails(Bind().status(), absl::StatusCode::kAlreadyExists,
              "another server answers on " + path_);
  EXPECT_TRUE(Connects(path_));
}

TEST_F(ComponentSocketTest, RefusesToReplaceAServerWithAFullBacklog) {
  MakeFolder();
  // A backlog of 0 holds one connection.
  const Stranger stranger(path_, /*backlog=*/0);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path_);
  ASSERT_EQ(
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);

  ExpectFails(Bind().status(), absl::StatusCode::kAlreadyExists, path_);
  close(fd);
}

TEST_F(ComponentSocketTest, RefusesToReplaceAServerThatCameBeforePublishing) {
  const auto socket = Bound();
  const Stranger stranger(path_);

  ExpectFails(socket->Publish(), absl::StatusCode::kAlreadyExists, path_);
  socket->Unlink();
  EXPECT_TRUE(Connects(path_));
}

TEST_F(ComponentSocketTest, RefusesToReplaceASocketThatItMayNotProbe) {
  MakeFolder(0777);
  const Stranger stranger(path_);
  chmod(path_.c_str(), 0600);
  const AsNobody nobody;
  SKIP_UNLESS(nobody);

  ExpectFails(Bind().status(), absl::StatusCode::kPermissionDenied,
              "cannot find out whether a server answers on " + path_);
}

TEST_F(ComponentSocketTest, LeavesWhatIsNoSocketAlone) {
  MakeFolder();
  const std::string target = root_ + "/target";
  const Stranger stranger(target);
  const std::pair<const char*, std::function<void()>> obstacles[] = {
      {"a regular file",
       [&] { close(open(path_.c_str(), O_CREAT | O_WRONLY, 0600)); }},
      {"a folder", [&] { mkdir(path_.c_str(), 0700); }},
      {"a symbolic link", [&] { EXPECT_EQ(symlink("x", path_.c_str()), 0); }},
      {"a symbolic link",
       [&] { EXPECT_EQ(symlink(target.c_str(), path_.c_str()), 0); }},
      {"no socket", [&] { EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0); }},
  };
  for (const auto& [what, make] : obstacles) {
    make();
    ExpectFails(Bind().status(), absl::StatusCode::kInvalidArgument,
                path_ + " should be is " + what);
    struct stat info;
    EXPECT_EQ(lstat(path_.c_str(), &info), 0) << what << " is gone";
    std::filesystem::remove(path_);
  }
  EXPECT_TRUE(Connects(target));

  const auto socket = Bound();
  close(open(path_.c_str(), O_CREAT | O_WRONLY, 0600));
  ExpectFails(socket->Publish(), absl::StatusCode::kInvalidArgument,
              "a regular file");
}

TEST_F(ComponentSocketTest, UnlinksNothingButItsOwnSocket) {
  const auto socket = Bound();
  ASSERT_TRUE(socket->Publish().ok());
  ASSERT_EQ(unlink(path_.c_str()), 0);
  const Stranger stranger(path_);

  socket->Unlink();
  EXPECT_TRUE(Connects(path_));
}

// --- Two servers.

TEST_F(ComponentSocketTest, RefusesASecondServerAlsoBeforePublishing) {
  const auto first = Bound();
  const std::string us = "pid " + std::to_string(getpid()) + " on ";

  ExpectFails(Bind().status(), absl::StatusCode::kAlreadyExists, us);
  ASSERT_TRUE(first->Publish().ok());
  ExpectFails(Bind().status(), absl::StatusCode::kAlreadyExists, us);
  EXPECT_TRUE(Connects(path_));
}

TEST_F(ComponentSocketTest, GivesTheNameUpWhenItUnlinks) {
  const auto first = Bound();
  ASSERT_TRUE(first->Publish().ok());
  first->Unlink();

  const auto second = Bound();
  ASSERT_TRUE(second->Publish().ok());
  first->Unlink();
  EXPECT_TRUE(Connects(path_));
}

TEST_F(ComponentSocketTest, TwoNamesShareAFolder) {
  const auto first = Bound();
  SocketOr second =
      ComponentSocket::Bind({.folder = folder_, .name = "other.sock"});
  ASSERT_TRUE(second.ok());

  EXPECT_TRUE(first->Publish().ok());
  EXPECT_TRUE((*second)->Publish().ok());
  EXPECT_EQ(SeenByDaprd().size(), 2u);
}

TEST_F(ComponentSocketTest, OneOfManyThatStartTogetherWins) {
  constexpr int kServers = 16;
  int start[2];
  int outcome[2];
  int stop[2];
  ASSERT_EQ(pipe(start) + pipe(outcome) + pipe(stop), 0);
  for (int i = 0; i < kServers; ++i) {
    if (fork() != 0) continue;
    close(start[1]);
    close(stop[1]);
    char end;
    // A read ends when the test closes its end of the pipe. The winner serves
    // until everybody else was refused.
    if (read(start[0], &end, 1) != 0) _exit(1);
    SocketOr socket = Bind();
    const bool won = socket.ok() && (*socket)->Publish().ok();
    const bool lost = absl::IsAlreadyExists(socket.status());
    if (write(outcome[1], won ? "w" : lost ? "l" : "?", 1) != 1) _exit(1);
    _exit(read(stop[0], &end, 1) == 0 ? 0 : 1);
  }
  close(start[1]);
  std::string outcomes(kServers, ' ');
  for (char& letter : outcomes) ASSERT_EQ(read(outcome[0], &letter, 1), 1);
  close(stop[1]);
  while (wait(nullptr) > 0) {
  }
  std::sort(outcomes.begin(), outcomes.end());
  EXPECT_EQ(outcomes, std::string(kServers - 1, 'l') + "w");
  for (int fd : {start[0], outcome[0], outcome[1], stop[0]}) close(fd);
}

// A server that is killed removes nothing. The next one takes over all the
// same, and leaves no trace of it.
TEST_F(ComponentSocketTest, TakesOverFromAKilledServer) {
  for (const bool published : {false, true}) {
    EXPECT_EQ(InChild([&] {
                SocketOr socket = Bind();
                if (published && !(*socket)->Publish().ok()) return 1;
                return raise(SIGKILL);
              }),
              128 + SIGKILL);

    const auto socket = Bound();
    ASSERT_TRUE(socket->Publish().ok());
    EXPECT_TRUE(Connects(path_));
    std::vector<std::string> hidden;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_ + "/.statecpp")) {
      hidden.push_back(entry.path().filename());
    }
    EXPECT_THAT(hidden, ElementsAre("cpp.sock.lock"));
  }
}

}  // namespace
}  // namespace statecpp
