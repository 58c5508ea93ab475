// SPDX-License-Identifier: Apache-2.0
//
// `statecpp doctor` on daprd's side: the folder, and the sockets in it. Each
// test provokes one finding.
#include <fcntl.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/doctored_store.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// A socket in place, on which nobody answers: there is nobody, or nobody who
// says a word.
class MuteSocket {
 public:
  explicit MuteSocket(const std::string& path, bool listening = true)
      : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = AddressOf(path);
    EXPECT_EQ(
        bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    EXPECT_EQ(listening ? listen(fd_, 8) : 0, 0);
  }
  ~MuteSocket() { close(fd_); }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Who listens, and hangs up on whoever comes.
class HangingUp {
 public:
  explicit HangingUp(const std::string& path) : socket_(path) {
    thread_ = std::thread([this] {
      for (int fd; (fd = accept(socket_.fd(), nullptr, nullptr)) >= 0;) {
        close(fd);
      }
    });
  }
  ~HangingUp() {
    shutdown(socket_.fd(), SHUT_RDWR);
    thread_.join();
  }

 private:
  const MuteSocket socket_;
  std::thread thread_;
};

class DoctorSocketTest : public DoctoredStoreTest {
 protected:
  void MakeSocketFolder(mode_t mode = 0700) const {
    ASSERT_TRUE(fs::create_directory(socket_folder()));
    ASSERT_EQ(chmod(socket_folder().c_str(), mode), 0);
  }

  // As the kernel calls it, whatever links led there.
  std::string Real(const std::string& name) const {
    return fs::canonical(dir_.path()).string() + "/" + name;
  }

  // Takes the name of our socket as a server does, until the descriptor is
  // closed.
  int HoldName(const std::string& text) const {
    const std::string hidden = socket_folder() + "/.statecpp";
    fs::create_directory(hidden);
    const std::string lock = hidden + "/cpp.sock.lock";
    std::ofstream(lock) << text;
    const int fd = open(lock.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
  }

  // Connections to our socket until nobody can make another.
  std::vector<int> FillQueue() const {
    std::vector<int> queue;
    for (;;) {
      const int fd =
          socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      queue.push_back(fd);
      const sockaddr_un address = AddressOf(socket_path());
      if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) != 0) {
        EXPECT_EQ(errno, EAGAIN);
        return queue;
      }
    }
  }

  // A state store in the place of ours, which nothing says that it is.
  std::unique_ptr<grpc::Server> ServeUnnamed() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&unnamed_);
    builder.AddListeningPort(absl::StrCat("unix:", socket_path()),
                             grpc::InsecureServerCredentials());
    return builder.BuildAndStart();
  }

 private:
  wire::StateStore::Service unnamed_;
};

TEST_F(DoctorSocketTest, AServerThatAnswersIsWell) {
  Serve();
  const Outcome outcome = Doctor();
  EXPECT_THAT(outcome, Finds("ok", "socket", "type state.cpp", ""));
  EXPECT_THAT(outcome, Finds("ok", "socket-folder",
                             "export DAPR_COMPONENTS_SOCKETS_FOLDER=", ""));
  EXPECT_THAT(outcome, Finds("ok", "socket-access", "may enter it", ""));
  EXPECT_EQ(outcome.exit_code, 0);
}

// --- The folder.

TEST_F(DoctorSocketTest, AFolderThatIsNotThere) {
  EXPECT_THAT(Doctor(), Finds("fault", "socket-folder-absent",
                              "couldn't find state store state.cpp/v1",
                              "statecpp serve --data-root "));
}

TEST_F(DoctorSocketTest, AFolderThatIsNotThereAndAServerWithAnother) {
  Serve();
  const Outcome outcome = DoctorWith({"--socket-folder", dir_.Path("others")});
  EXPECT_THAT(
      outcome,
      Finds("fault", "socket-folder-absent", "in another folder",
            "export DAPR_COMPONENTS_SOCKETS_FOLDER=" + Real("sockets")));
}

TEST_F(DoctorSocketTest, AServerWithAFolderThatCannotBeNamed) {
  Serve();
  ASSERT_EQ(chmod(socket_folder().c_str(), 01777), 0);
  const Outcome outcome = DoctorWith({"--socket-folder", dir_.Path("others")});
  // A second server of the data root would be no help.
  EXPECT_THAT(outcome,
              Finds("fault", "socket-folder-absent", "more say that",
                    "--socket-folder DIR, the one that its serve has"));
  EXPECT_THAT(Found(outcome, "socket-folder-absent"),
              Not(HasSubstr(Real("sockets"))));
}

TEST_F(DoctorSocketTest, AFolderThatIsAFile) {
  std::ofstream(socket_folder()) << "";
  EXPECT_THAT(Doctor(), Finds("fault", "socket-folder-absent", "not a folder",
                              "rm " + socket_folder()));
}

TEST_F(DoctorSocketTest, AFolderThatIsNoWholePath) {
  EXPECT_THAT(DoctorWith({}, {"DAPR_COMPONENTS_SOCKETS_FOLDER=some/sockets"}),
              Finds("fault", "socket-folder-relative", "is not a whole path",
                    "export DAPR_COMPONENTS_SOCKETS_FOLDER=/some/sockets"));
}

TEST_F(DoctorSocketTest, AFolderThatDaprdIsNotTold) {
  EXPECT_THAT(
      DoctorWith({}, {"DAPR_COMPONENT_SOCKETS_FOLDER=" + socket_folder()}),
      Finds("warning", "socket-folder-variable", "which daprd does not read",
            "export DAPR_COMPONENTS_SOCKETS_FOLDER=" + socket_folder()));
}

TEST_F(DoctorSocketTest, AFolderOtherThanDaprds) {
  EXPECT_THAT(
      DoctorWith({"--socket-folder", socket_folder()},
                 {"DAPR_COMPONENTS_SOCKETS_FOLDER=/elsewhere"}),
      Finds("warning", "socket-folder-variable", "looks in /elsewhere",
            "export DAPR_COMPONENTS_SOCKETS_FOLDER=" + socket_folder()));
}

TEST_F(DoctorSocketTest, AFolderThatAllMayWrite) {
  MakeSocketFolder(0777);
  EXPECT_THAT(Doctor(),
              Finds("warning", "socket-folder-mode", "every local user",
                    "\"chmod o-w " + socket_folder()));
}

TEST_F(DoctorSocketTest, AFolderThatAllMayWriteAndIsAnothers) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  MakeSocketFolder(0777);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ProgramOptions options = DoctorOptions();
  options.uid = kNobody;
  EXPECT_THAT(RunToEnd(options),
              Finds("warning", "socket-folder-mode", "every local user",
                    "\"sudo chmod o-w " + socket_folder()));
}

TEST_F(DoctorSocketTest, AVolumeIsOpenToItsContainerAlone) {
  SKIP_UNLESS_NOBODY_CAN_BE();  // and mount
  MakeSocketFolder(02777);
  fs::create_directory(data_root());
  ProgramOptions options = DoctorOptions();
  options.environment = {"KUBERNETES_SERVICE_HOST=10.0.0.1"};
  ASSERT_EQ(chmod(data_root().c_str(), 02775), 0);
  // A folder, however open, is no volume yet.
  const Outcome folders = RunToEnd(options);
  EXPECT_THAT(folders, Finds("warning", "socket-folder-mode", "every local",
                             "\"chmod o-w "));
  EXPECT_THAT(folders, Finds("warning", "data-root-mode", "every local",
                             "\"chmod o-rwx "));
  options.writable = {socket_folder(), data_root()};
  const Outcome volumes = RunToEnd(options);
  EXPECT_THAT(Found(volumes, "socket-folder-mode"), IsEmpty());
  EXPECT_THAT(Found(volumes, "data-root-mode"), IsEmpty());
  EXPECT_THAT(Found(volumes, "data-root"), HasSubstr("\"level\":\"ok\""));
}

TEST_F(DoctorSocketTest, AFolderThatAStrangerMadeWhereAnybodyMay) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  MakeSocketFolder();
  ASSERT_EQ(chown(socket_folder().c_str(), kNobody, kNobody), 0);
  EXPECT_THAT(Found(Doctor(), "socket-owner"), IsEmpty());
  ASSERT_EQ(chmod(dir_.path().c_str(), 01777), 0);
  EXPECT_THAT(Doctor(), Finds("fault", "socket-owner",
                              absl::StrCat("belongs to uid ", kNobody),
                              "export DAPR_COMPONENTS_SOCKETS_FOLDER=/run/"));
  // Unless the data root is his as well.
  fs::create_directory(data_root());
  ASSERT_EQ(chown(data_root().c_str(), kNobody, kNobody), 0);
  EXPECT_THAT(Found(Doctor(), "socket-owner"), IsEmpty());
}

TEST_F(DoctorSocketTest, ASocketThatAStrangerPutWhereAnybodyMay) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Serve();
  ASSERT_EQ(chown(socket_path().c_str(), kNobody, kNobody), 0);
  EXPECT_THAT(Found(Doctor(), "socket-owner"), IsEmpty());
  ASSERT_EQ(chmod(socket_folder().c_str(), 0777), 0);
  EXPECT_THAT(Doctor(), Finds("fault", "socket-owner",
                              absl::StrCat("belongs to uid ", kNobody),
                              "mv " + socket_path()));
}

// --- daprd's user.

TEST_F(DoctorSocketTest, AFolderThatDaprdMayNotEnter) {
  Serve();
  const std::string other = absl::StrCat(geteuid() + 1);
  // The test's own folder is its user's alone.
  EXPECT_THAT(
      DoctorWith({"--socket-folder", socket_folder(), "--daprd-uid", other}),
      Finds("fault", "socket-access", "permission denied",
            "chmod o+x " + dir_.path()));
}

TEST_F(DoctorSocketTest, ASocketThatDaprdMayNotConnectTo) {
  Serve();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(socket_folder().c_str(), 0755), 0);
  ASSERT_EQ(chmod(socket_path().c_str(), 0600), 0);
  const std::string other = absl::StrCat(geteuid() + 1);
  const std::vector<std::string> words = {"--socket-folder", socket_folder(),
                                          "--daprd-uid", other};
  EXPECT_THAT(DoctorWith(words), Finds("fault", "socket-access", "mode 0600",
                                       "--socket-mode 0666"));
  ASSERT_EQ(chmod(socket_path().c_str(), 0666), 0);
  EXPECT_THAT(Found(DoctorWith(words), "socket-access"),
              HasSubstr("\"level\":\"ok\""));
}

// As deploy/systemd has it: daprd's unit is of the server's group.
TEST_F(DoctorSocketTest, AFolderOfAGroup) {
  Serve();
  // Root can take one that nobody has.
  const gid_t group = geteuid() == 0 ? 4000000 : getegid();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  for (const auto& [path, mode] :
       {std::pair(socket_folder(), 0770), std::pair(socket_path(), 0660)}) {
    ASSERT_EQ(chown(path.c_str(), -1, group), 0);
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  const std::vector<std::string> folder = {"--socket-folder", socket_folder()};
  // Of daprd nothing was said.
  const Outcome outcome = DoctorWith(folder);
  EXPECT_THAT(outcome, Finds("warning", "socket-access", "was not said",
                             "statecpp doctor --daprd-uid "));
  std::vector<std::string> flags = folder;
  flags.insert(flags.end(), {"--daprd-uid", "4000001"});
  // Nobody else is let in by the fix.
  EXPECT_THAT(DoctorWith(flags),
              Finds("fault", "socket-access", "permission denied",
                    absl::StrCat("docker run --group-add ", group)));
  flags.insert(flags.end(),
               {"--daprd-gid", "4000002", "--daprd-gid", absl::StrCat(group)});
  EXPECT_THAT(DoctorWith(flags),
              Finds("ok", "socket-access", "may enter it", ""));
}

TEST_F(DoctorSocketTest, AFolderOfAGroupWhereDaprdIsAUserOfThisMachine) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Serve();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chown(socket_folder().c_str(), -1, 4000000), 0);
  ASSERT_EQ(chmod(socket_folder().c_str(), 0770), 0);
  EXPECT_THAT(DoctorWith({"--socket-folder", socket_folder(), "--daprd-uid",
                          absl::StrCat(kNobody)}),
              Finds("fault", "socket-access", "permission denied",
                    "usermod -aG 4000000 nobody"));
}

TEST_F(DoctorSocketTest, AFolderOfThisUserWhereDaprdsIsNotKnown) {
  SKIP_UNLESS_NOBODY_CAN_BE();  // for root may go anywhere
  MakeSocketFolder();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chown(socket_folder().c_str(), kNobody, kNobody), 0);
  ProgramOptions options =
      VerbOptions("doctor", {"--json", "--socket-folder", socket_folder()});
  options.uid = kNobody;
  EXPECT_THAT(RunToEnd(options),
              Finds("warning", "socket-access", "was not said",
                    absl::StrCat("--daprd-uid ", kNobody)));
}

// --- Our socket.

TEST_F(DoctorSocketTest, NoSocketWhereNoServerRuns) {
  MakeSocketFolder();
  EXPECT_THAT(Doctor(), Finds("fault", "socket-absent",
                              "couldn't find state store state.cpp/v1",
                              "statecpp serve --data-root " + data_root()));
}

TEST_F(DoctorSocketTest, TheSocketOfAnotherDataRootsServer) {
  Serve();
  const TempDir elsewhere;
  Program other({.arguments = {"serve", "--data-root", elsewhere.Path("data"),
                               "--socket-folder", elsewhere.Path("sockets")}});
  ASSERT_TRUE(other.AwaitLog("ready: "));
  EXPECT_THAT(DoctorWith({"--socket-folder", elsewhere.Path("sockets"),
                          "--daprd-uid", absl::StrCat(geteuid())}),
              Finds("fault", "socket-other-server", "is served by pid",
                    "statecpp doctor --data-root " + data_root()));
}

TEST_F(DoctorSocketTest, ASocketThatThisUserMayNotSee) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Serve();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(socket_folder().c_str(), 0700), 0);
  ProgramOptions options = {.arguments = {"doctor", "--json", "--socket-folder",
                                          socket_folder(), "--daprd-uid", "0"}};
  options.uid = kNobody;
  EXPECT_THAT(RunToEnd(options),
              Finds("warning", "socket", "could not be tried", "sudo"));
}

TEST_F(DoctorSocketTest, NoSocketWhereTheServerUsesAnotherFolder) {
  Serve();
  const std::string other = dir_.Path("others");
  ASSERT_TRUE(fs::create_directory(other));
  const Outcome outcome = DoctorWith(
      {"--socket-folder", other, "--daprd-uid", absl::StrCat(geteuid())});
  EXPECT_THAT(outcome, Finds("fault", "socket-absent", "in another folder",
                             "export DAPR_COMPONENTS_SOCKETS_FOLDER=" +
                                 Real("sockets")));
  EXPECT_THAT(
      Found(outcome, "socket-absent"),
      AllOf(HasSubstr(absl::StrCat("pid ", server().pid(), " on ")),
            HasSubstr("servers listen in "), HasSubstr(socket_folder())));
}

TEST_F(DoctorSocketTest, AServerThatIsNotReady) {
  MakeSocketFolder();
  const int fd = HoldName("pid 1 on elsewhere");
  EXPECT_THAT(Doctor(), Finds("fault", "socket-absent",
                              "has taken the name (pid 1 on elsewhere)",
                              "statecpp health --wait 30s"));
  close(fd);
}

TEST_F(DoctorSocketTest, SomethingElseInItsPlace) {
  MakeSocketFolder();
  std::ofstream(socket_path()) << "";
  EXPECT_THAT(Doctor(), Finds("fault", "socket-absent", "not a socket",
                              "rm " + socket_path()));
}

TEST_F(DoctorSocketTest, ASocketThatAKilledServerLeft) {
  Serve();
  Kill();
  EXPECT_THAT(Doctor(), Finds("fault", "socket-stale", "nobody answers",
                              "rm " + socket_path()));
  // The fix, and then the next finding's.
  ASSERT_EQ(unlink(socket_path().c_str()), 0);
  EXPECT_THAT(Doctor(), Finds("fault", "socket-absent", "", "statecpp serve"));
  Serve();
  EXPECT_THAT(Doctor(), Finds("ok", "socket", "a state store answers", ""));
}

TEST_F(DoctorSocketTest, ASocketOnWhichNobodySaysAWord) {
  MakeSocketFolder();
  const MuteSocket mute(socket_path());
  // By the kernel's word who that is; what he has is left to him.
  EXPECT_THAT(Doctor(), Finds("fault", "socket-silent", "daprd hangs",
                              absl::StrCat("kill ", getpid())));
}

TEST_F(DoctorSocketTest, AServerInAnotherContainerThatIsSlow) {
  MakeSocketFolder();
  const MuteSocket mute(socket_path());
  // As one whose queue is full, it has nobody's number to tell.
  const std::vector<int> queue = FillQueue();
  const int lock = HoldName("pid 1 on elsewhere");
  EXPECT_THAT(Doctor(),
              Finds("fault", "socket-silent", "it is of pid 1 on elsewhere",
                    "statecpp health --wait 30s"));
  close(lock);
  for (const int fd : queue) close(fd);
}

TEST_F(DoctorSocketTest, AServerThatHangsUpOnThisUser) {
  Serve({"--allow-uid", absl::StrCat(geteuid() + 1)});
  const std::string refused = absl::StrCat("hangs up on uid ", geteuid());
  // Who runs as daprd, is daprd; of who does not nothing is known.
  EXPECT_THAT(Doctor(), Finds("fault", "socket-refused", refused,
                              absl::StrCat(" --allow-uid ", geteuid())));
  const std::vector<std::string> flags = {"--socket-folder", socket_folder()};
  const Outcome outcome = DoctorWith(flags);
  EXPECT_THAT(outcome, Finds("warning", "socket-refused", refused,
                             "sudo -u '#65532' statecpp doctor"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\"rm ")));
}

TEST_F(DoctorSocketTest, AServerWithAllConnectionsThatItMayHave) {
  Serve({"--max-connections", "1"});
  Client client(socket_path());
  client.MustInit();
  EXPECT_THAT(Doctor(), Finds("fault", "socket-refused", "--max-connections",
                              "statecpp serve "));
}

TEST_F(DoctorSocketTest, AServerThatDoesNotSayWhatItIsAndHasTheName) {
  MakeSocketFolder();
  const std::unique_ptr<grpc::Server> server = ServeUnnamed();
  ASSERT_NE(server, nullptr);
  const int lock = HoldName("pid 1 on elsewhere");
  EXPECT_THAT(Doctor(), Finds("warning", "socket-refused", "pid 1 on elsewhere",
                              "statecpp health --wait 30s"));
  close(lock);
  server->Shutdown();
}

TEST_F(DoctorSocketTest, ASocketThatANewServerIsAboutToReplace) {
  Serve();
  Kill();
  const int lock = HoldName("pid 1 on elsewhere");
  const Outcome outcome = Doctor();
  EXPECT_THAT(outcome, Finds("fault", "socket-absent", "is not ready",
                             "statecpp health --wait 30s"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\"rm ")));
  close(lock);
}

TEST_F(DoctorSocketTest, AServerThatHasStopped) {
  Serve();
  server().Signal(SIGSTOP);
  const Outcome outcome = Doctor();
  server().Signal(SIGCONT);
  EXPECT_THAT(outcome, Finds("fault", "socket-silent", "it is of pid ",
                             absl::StrCat("kill ", server().pid())));
  EXPECT_THAT(outcome, Finds("fault", "server", "did not answer", ""));
}

TEST_F(DoctorSocketTest, AnAnswerThatDoesNotSayWhatItIs) {
  MakeSocketFolder();
  const std::unique_ptr<grpc::Server> server = ServeUnnamed();
  ASSERT_NE(server, nullptr);
  EXPECT_THAT(Doctor(),
              Finds("fault", "socket-no-store", "does not say what it is",
                    absl::StrCat("kill ", getpid())));
  server->Shutdown();
}

TEST_F(DoctorSocketTest, SocketsThatThisUserMayNotTry) {
  SKIP_UNLESS_NOBODY_CAN_BE();
  Serve();
  const std::string other = socket_folder() + "/pubsub.sock";
  const MuteSocket mute(other);
  for (const std::string& path : {dir_.path(), socket_folder()}) {
    ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  }
  for (const std::string& path : {socket_path(), other}) {
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  }
  ProgramOptions options = DoctorOptions();
  options.uid = kNobody;
  const Outcome outcome = RunToEnd(options);
  EXPECT_THAT(outcome,
              Finds("warning", "socket", "Permission denied", "sudo -u '#"));
  EXPECT_THAT(outcome, Finds("warning", "other-socket", "Permission denied",
                             "sudo -u '#"));
}

// --- The other sockets.

TEST_F(DoctorSocketTest, AnotherSocketThatHoldsDaprdUp) {
  Serve();
  EXPECT_THAT(Found(Doctor(), "other-socket"), IsEmpty());
  const std::string other = socket_folder() + "/pubsub.sock";
  const MuteSocket dead(other, /*listening=*/false);
  EXPECT_THAT(Doctor(),
              Finds("fault", "other-socket", "nobody answers", "rm " + other));
}

TEST_F(DoctorSocketTest, AnotherSocketOnWhichNobodySaysAWord) {
  Serve();
  const std::string other = socket_folder() + "/pubsub.sock";
  const MuteSocket mute(other);
  EXPECT_THAT(Doctor(), Finds("fault", "other-socket", "waits for every socket",
                              absl::StrCat("kill ", getpid())));
}

TEST_F(DoctorSocketTest, ManyOthersOnWhichNobodySaysAWord) {
  Serve();
  std::vector<std::unique_ptr<MuteSocket>> mute;
  for (int i = 0; i < 6; ++i) {
    mute.push_back(std::make_unique<MuteSocket>(
        absl::StrCat(socket_folder(), "/", i, ".sock")));
  }
  // The last ones are not waited for.
  const Outcome outcome = Doctor();
  EXPECT_THAT(outcome, Finds("fault", "other-socket", "/1.sock", "kill"));
  EXPECT_THAT(outcome, Finds("warning", "other-socket", "not tried, as ",
                             "look again: statecpp doctor"));
  EXPECT_THAT(Found(outcome, "other-socket"), Not(HasSubstr("/5.sock")));
}

TEST_F(DoctorSocketTest, AnotherSocketThatHangsUpOnThisUser) {
  Serve();
  const HangingUp other(socket_folder() + "/pubsub.sock");
  EXPECT_THAT(Doctor(), Finds("warning", "other-socket", "hangs up on uid",
                              "sudo -u '#"));
}

TEST_F(DoctorSocketTest, AnotherSocketThatMakesOurType) {
  Serve();
  const std::string other = socket_folder() + "/CPP.socket";
  {
    const MuteSocket mute(other);
    EXPECT_THAT(Doctor(), Finds("fault", "other-socket-type",
                                "the type state.cpp as well",
                                absl::StrCat("kill ", getpid())));
  }
  EXPECT_THAT(Doctor(), Finds("fault", "other-socket-type", "", "rm " + other));
}

TEST_F(DoctorSocketTest, AnotherStateStoreIsWell) {
  Serve();
  fs::rename(socket_path(), socket_folder() + "/lmdb.sock");
  const Outcome outcome = Doctor();
  EXPECT_THAT(outcome, Finds("ok", "other-socket", "of type state.lmdb", ""));
  EXPECT_THAT(outcome, Finds("fault", "socket-absent", "", ""));
}

}  // namespace
}  // namespace statecpp
