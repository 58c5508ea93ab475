// SPDX-License-Identifier: Apache-2.0
//
// What an operator may rely on when connections come in. Every test has a real
// gRPC server behind a real socket; clients are gRPC channels, bare sockets, or
// child processes where another uid or another limit is needed.

#include "server/acceptor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp {
namespace {

using ::dapr::proto::components::v1::PingRequest;
using ::dapr::proto::components::v1::PingResponse;
using ::dapr::proto::components::v1::StateStore;
using ::testing::HasSubstr;
using Kind = AcceptorEvent::Kind;

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr uid_t kNobody = 65534;

class PingService final : public StateStore::Service {
  grpc::Status Ping(grpc::ServerContext*, const PingRequest*,
                    PingResponse*) override {
    return grpc::Status::OK;
  }
};

// The events that an acceptor has reported.
class EventLog {
 public:
  std::function<void(const AcceptorEvent&)> observer() {
    return [this](const AcceptorEvent& event) {
      absl::MutexLock lock(&mu_);
      events_.push_back(event);
    };
  }

  std::vector<AcceptorEvent> Of(Kind kind) const {
    absl::MutexLock lock(&mu_);
    std::vector<AcceptorEvent> found;
    for (const AcceptorEvent& event : events_) {
      if (event.kind == kind) found.push_back(event);
    }
    return found;
  }

  // Waits until `kind` was reported `times` times. False if it never was.
  bool Await(Kind kind, size_t times = 1) const {
    const auto reported = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return static_cast<size_t>(std::count_if(events_.begin(), events_.end(),
                                               [kind](const auto& event) {
                                                 return event.kind == kind;
                                               })) >= times;
    };
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithTimeout(absl::Condition(&reported), kPatience);
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<AcceptorEvent> events_ ABSL_GUARDED_BY(mu_);
};

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

// A connected socket, or -1.
int Connect(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

// How many bytes come first: more than 0 where gRPC opens HTTP/2 with its
// SETTINGS, 0 where the connection is closed without a word.
ssize_t FirstBytes(int fd) {
  pollfd wait = {.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(kPatience))) !=
      1) {
    return -1;
  }
  char buffer[256];
  return std::max<ssize_t>(0, read(fd, buffer, sizeof(buffer)));
}

bool AwaitTrue(const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + kPatience;
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() {
    char folder[] = "/tmp/acceptor-XXXXXX";
    folder_ = mkdtemp(folder);
    // Another uid has to reach the socket.
    chmod(folder_.c_str(), 0755);
    path_ = folder_ + "/test.sock";
  }

  ~AcceptorTest() override {
    if (acceptor_ != nullptr) acceptor_->Stop();
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  int Listen() {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = AddressOf(path_);
    EXPECT_EQ(
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    chmod(path_.c_str(), 0666);
    EXPECT_EQ(listen(fd, SOMAXCONN), 0);
    return fd;
  }

  // A server and its acceptor, which does not accept yet.
  void Build(AcceptorOptions options) {
    options.observer = events_.observer();
    acceptor_ = std::make_unique<Acceptor>(Listen(), std::move(options));
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    acceptor_->AttachTo(builder);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  void Serve(AcceptorOptions options) {
    Build(std::move(options));
    ASSERT_TRUE(acceptor_->Start().ok());
  }

  int Connect() { return statecpp::Connect(AddressOf(path_)); }

  // A channel with a connection of its own.
  std::unique_ptr<StateStore::Stub> NewStub() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return StateStore::NewStub(grpc::CreateCustomChannel(
        "unix://" + path_, grpc::InsecureChannelCredentials(), arguments));
  }

  static bool Ping(StateStore::Stub& stub) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    context.set_wait_for_ready(true);
    PingResponse response;
    return stub.Ping(&context, PingRequest(), &response).ok();
  }

  std::string folder_;
  std::string path_;
  EventLog events_;
  PingService service_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(AcceptorTest, ServesCallsAndReportsWhoConnected) {
  Serve({});
  const auto stub = NewStub();

  EXPECT_TRUE(Ping(*stub));
  ASSERT_TRUE(events_.Await(Kind::kAccepted));
  const AcceptorEvent event = events_.Of(Kind::kAccepted)[0];
  EXPECT_EQ(event.uid, getuid());
  EXPECT_EQ(event.pid, getpid());
  EXPECT_THAT(event.text, HasSubstr("accepted a connection of uid "));
  EXPECT_EQ(acceptor_->open_connections(), 1);
}

TEST_F(AcceptorTest, ServesConnectionsMadeBeforeItStarted) {
  Build({});
  const int fd = Connect();
  ASSERT_GE(fd, 0);
  ASSERT_TRUE(acceptor_->Start().ok());

  EXPECT_GT(FirstBytes(fd), 0);
  close(fd);
}

TEST_F(AcceptorTest, ServesTheUidsItWasGiven) {
  Serve({.allowed_uids = std::vector<uid_t>{getuid()}});

  EXPECT_TRUE(Ping(*NewStub()));
}

TEST_F(AcceptorTest, ClosesAForeignUidWithoutAByteOfHttp2) {
  Serve({.allowed_uids = std::vector<uid_t>{getuid() + 1}});
  const int fd = Connect();
  ASSERT_GE(fd, 0);

  EXPECT_EQ(FirstBytes(fd), 0);
  ASSERT_TRUE(events_.Await(Kind::kForeignUid));
  const AcceptorEvent event = events_.Of(Kind::kForeignUid)[0];
  EXPECT_EQ(event.uid, getuid());
  EXPECT_EQ(event.pid, getpid());
  EXPECT_THAT(event.text, HasSubstr("--allow-uid"));
  EXPECT_EQ(acceptor_->open_connections(), 0);
  close(fd);
}

// As above, but with two processes of two uids, so that nothing is known of the
// peer but what the kernel says.
TEST_F(AcceptorTest, TellsAnotherUsersProcessFromOurs) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root, to connect as another uid";
  }
  Serve({.allowed_uids = std::vector<uid_t>{getuid()}});
  const sockaddr_un address = AddressOf(path_);

  const pid_t child = fork();
  if (child == 0) {
    // The other threads' locks are not to be relied upon here: bare system
    // calls only.
    if (syscall(SYS_setuid, kNobody) != 0) _exit(2);
    const int fd = statecpp::Connect(address);
    if (fd < 0) _exit(3);
    char byte;
    _exit(read(fd, &byte, 1) > 0 ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) {
    GTEST_SKIP() << "this user namespace has no uid " << kNobody
                 << "; run outside of Bazel's sandbox";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: bytes came, 3: cannot connect";

  ASSERT_TRUE(events_.Await(Kind::kForeignUid));
  EXPECT_EQ(events_.Of(Kind::kForeignUid)[0].uid, kNobody);
  EXPECT_EQ(events_.Of(Kind::kForeignUid)[0].pid, child);
  EXPECT_TRUE(Ping(*NewStub()));
}

TEST_F(AcceptorTest, RefusesConnectionsBeyondTheCapUntilOneEnds) {
  Serve({.max_connections = 2});
  const int first = Connect();
  const int second = Connect();
  ASSERT_GT(FirstBytes(first), 0);
  ASSERT_GT(FirstBytes(second), 0);

  for (int i = 0; i < 3; ++i) {
    const int refused = Connect();
    EXPECT_EQ(FirstBytes(refused), 0);
    close(refused);
  }
  EXPECT_EQ(acceptor_->open_connections(), 2);
  ASSERT_EQ(events_.Of(Kind::kCapReached).size(), 1u) << "only the first";
  EXPECT_THAT(events_.Of(Kind::kCapReached)[0].text,
              HasSubstr("all of the 2 connections"));

  close(first);
  ASSERT_TRUE(AwaitTrue([&] { return acceptor_->open_connections() == 1; }));
  const int third = Connect();
  EXPECT_GT(FirstBytes(third), 0);
  close(second);
  close(third);
}

// A connection's descriptor number is used again by the next one, or by any
// other file; an ended connection must not count as open because of that.
TEST_F(AcceptorTest, ServesOneConnectionAfterAnotherUnderACapOfOne) {
  Serve({.max_connections = 1});
  for (int i = 0; i < 50; ++i) {
    const int fd = Connect();
    ASSERT_GT(FirstBytes(fd), 0) << "connection " << i;
    close(fd);
    std::vector<int> others;
    ASSERT_TRUE(AwaitTrue([&] {
      others.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
      return acceptor_->open_connections() == 0;
    }));
    for (int other : others) close(other);
  }
}

TEST_F(AcceptorTest, ItsConnectionsAreNotInheritedByPrograms) {
  Serve({});
  const int client = Connect();
  ASSERT_GT(FirstBytes(client), 0);

  int served = 0;
  for (int fd = 0; fd < 256; ++fd) {
    sockaddr_un name = {};
    socklen_t size = sizeof(name);
    int listening = 0;
    socklen_t listening_size = sizeof(listening);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
        path_ != name.sun_path ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
                   &listening_size) != 0 ||
        listening != 0) {
      continue;
    }
    ++served;
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
  EXPECT_EQ(served, 1);
  close(client);
}

// Lets this process open `more` descriptors more, and no further one.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(int more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    rlimit low = before_;
    low.rlim_cur = static_cast<rlim_t>(next + more);
    setrlimit(RLIMIT_NOFILE, &low);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

  const rlimit& before() const { return before_; }

 private:
  rlimit before_;
};

// A process that holds `count` connections until it is told to end.
class Crowd {
 public:
  Crowd(const sockaddr_un& address, int count, const rlimit& limit) {
    if (pipe2(to_child_, O_CLOEXEC) != 0 || pipe2(from_child_, O_CLOEXEC) != 0)
      abort();
    child_ = fork();
    if (child_ == 0) {
      setrlimit(RLIMIT_NOFILE, &limit);
      char failed = 0;
      for (int i = 0; i < count; ++i) failed |= Connect(address) < 0;
      if (write(from_child_[1], &failed, 1) != 1) _exit(1);
      char word;
      if (read(to_child_[0], &word, 1) != 1) _exit(1);
      _exit(0);
    }
  }

  // Waits until all have connected. False if one could not.
  bool Connected() {
    char failed = 1;
    return read(from_child_[0], &failed, 1) == 1 && failed == 0;
  }

  void Disperse() {
    if (write(to_child_[1], "x", 1) != 1) abort();
    int status = 0;
    waitpid(child_, &status, 0);
    for (int fd : {to_child_[0], to_child_[1], from_child_[0], from_child_[1]})
      close(fd);
  }

 private:
  int to_child_[2];
  int from_child_[2];
  pid_t child_;
};

absl::Duration CpuTime(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return absl::DurationFromTimespec(time);
}

// What this process's other threads use of the processor while this thread
// uses 200 ms of it. A thread that spins uses about as much, however many other
// processes there are.
absl::Duration CpuTimeOfOthers() {
  const absl::Duration all = CpuTime(CLOCK_PROCESS_CPUTIME_ID);
  const absl::Duration mine = CpuTime(CLOCK_THREAD_CPUTIME_ID);
  while (CpuTime(CLOCK_THREAD_CPUTIME_ID) - mine < absl::Milliseconds(200)) {
  }
  return (CpuTime(CLOCK_PROCESS_CPUTIME_ID) - all) -
         (CpuTime(CLOCK_THREAD_CPUTIME_ID) - mine);
}

// gRPC's own listener would never accept again.
TEST_F(AcceptorTest, GoesOnAfterRunningOutOfDescriptors) {
  Serve({.max_connections = 1000, .pause = absl::Milliseconds(20)});
  const auto early = NewStub();
  ASSERT_TRUE(Ping(*early));
  const DescriptorLimit limit(/*more=*/30);
  Crowd crowd(AddressOf(path_), /*count=*/120, limit.before());
  ASSERT_TRUE(crowd.Connected());
  ASSERT_TRUE(events_.Await(Kind::kPaused));

  // Meanwhile open connections are served, and no thread spins.
  EXPECT_TRUE(Ping(*early));
  EXPECT_LT(CpuTimeOfOthers(), absl::Milliseconds(50));
  EXPECT_LT(acceptor_->open_connections(), 120);
  EXPECT_EQ(events_.Of(Kind::kPaused).size(), 1u);
  EXPECT_THAT(events_.Of(Kind::kPaused)[0].text, HasSubstr("LimitNOFILE"));

  crowd.Disperse();
  EXPECT_TRUE(Ping(*NewStub()));
}

TEST_F(AcceptorTest, StoppingRefusesNewConnectionsAndLeavesOpenOnesToGrpc) {
  Serve({});
  const auto stub = NewStub();
  ASSERT_TRUE(Ping(*stub));

  acceptor_->Stop();

  EXPECT_EQ(Connect(), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  EXPECT_TRUE(Ping(*stub));
  EXPECT_EQ(acceptor_->open_connections(), 1);
}

TEST_F(AcceptorTest, StopMayBeCalledAgainAndByOthers) {
  Serve({});
  std::thread other([this] { acceptor_->Stop(); });
  acceptor_->Stop();
  other.join();
  // The listening socket's number goes to the next file, which must stay open.
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  acceptor_->Stop();

  EXPECT_EQ(close(file), 0);
  EXPECT_EQ(Connect(), -1);
}

TEST_F(AcceptorTest, StopsWhilePaused) {
  Serve({.max_connections = 1000, .pause = absl::InfiniteDuration()});
  const DescriptorLimit limit(/*more=*/30);
  Crowd crowd(AddressOf(path_), /*count=*/60, limit.before());
  ASSERT_TRUE(crowd.Connected());
  ASSERT_TRUE(events_.Await(Kind::kPaused));

  acceptor_->Stop();
  crowd.Disperse();
}

TEST_F(AcceptorTest, StartsOnceAndOnlyWithAServer) {
  Acceptor alone(Listen(), {});
  const absl::Status unattached = alone.Start();
  EXPECT_EQ(unattached.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(unattached.message()), HasSubstr("AttachTo"));
  alone.Stop();
  unlink(path_.c_str());

  Serve({});
  const absl::Status twice = acceptor_->Start();
  EXPECT_EQ(twice.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(twice.message()), HasSubstr("once"));
  EXPECT_TRUE(Ping(*NewStub()));

  acceptor_->Stop();
  EXPECT_FALSE(acceptor_->Start().ok());
}

}  // namespace
}  // namespace statecpp
