// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_answer.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "server/socket_dial.h"
#include "statecpp/v1/services.pb.h"

namespace statecpp {
namespace {

using State = SocketAnswer::State;

constexpr absl::string_view kStateStore = "dapr.proto.components.v1.StateStore";
constexpr char kListServices[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
// Where a server binds its socket before it is put into place, which is the
// name that the kernel remembers.
constexpr absl::string_view kBoundName = "/.statecpp/cpp.sock";

// How long to wait before somebody may have accepted one who came before.
constexpr absl::Duration kPause = absl::Milliseconds(10);

// As DialSocket, but a queue that is full may become shorter.
int DialUntil(const std::string& socket, absl::Time deadline) {
  for (;;) {
    const int fd = DialSocket(socket);
    if (fd != -EAGAIN || absl::Now() + kPause > deadline) return fd;
    absl::SleepFor(kPause);
  }
}

std::string CommandOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/comm"));
  std::string command;
  std::getline(file, command);
  return command;
}

SocketListener ListenerOf(int fd) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return {.uid = peer.uid,
          .pid = peer.pid,
          .command = peer.pid > 0 ? CommandOf(peer.pid) : ""};
}

// Whether who listens ends a connection before he says a word, even to one who
// begins as gRPC does.
bool HangsUp(const std::string& socket, absl::Time deadline) {
  const int fd = DialUntil(socket, deadline);
  if (fd < 0) return false;
  const absl::Cleanup close_fd = [fd] { close(fd); };
  // HTTP/2's preface, with settings that set nothing.
  constexpr char kHello[] =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  // If it cannot be sent any more, the other end is read all the same.
  (void)send(fd, kHello, sizeof(kHello) - 1, MSG_NOSIGNAL);
  pollfd wait = {.fd = fd, .events = POLLIN, .revents = 0};
  poll(&wait, 1,
       static_cast<int>(absl::ToInt64Milliseconds(
           std::max(deadline - absl::Now(), absl::ZeroDuration()))));
  char byte;
  const ssize_t read = recv(fd, &byte, 1, MSG_DONTWAIT);
  return read == 0 || (read < 0 && errno == ECONNRESET);
}

State StateAfter(int connect_error) {
  switch (connect_error) {
    case ECONNREFUSED:
      return State::kRefused;
    case EACCES:
    case EPERM:
      return State::kForbidden;
    default:
      return State::kUnknown;
  }
}

// One call, a step at a time: each is tried and has to succeed.
class ServicesCall {
 public:
  // Takes over the connection `fd`. By its path gRPC would take a socket for a
  // URI, in which % and ? have a meaning.
  ServicesCall(int fd, absl::Time deadline)
      : channel_(grpc::CreateInsecureChannelFromFd("localhost", fd)),
        stub_(channel_) {
    context_.set_deadline(absl::ToChronoTime(deadline));
    call_ = stub_.PrepareCall(&context_, kListServices, &queue_);
  }

  ~ServicesCall() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // The reply, if there is one; `status` says why there is none.
  bool Run(v1::ServicesReply& reply, grpc::Status& status) {
    v1::ServicesRequest request;
    request.set_list_services("*");
    call_->StartCall(this);
    bool answered = Done();
    if (answered) {
      call_->Write(request, this);
      answered = Done();
    }
    if (answered) {
      call_->Read(&reply, this);
      answered = Done();
    }
    // The stream would wait for another question.
    if (answered) context_.TryCancel();
    call_->Finish(&status, this);
    Done();
    return answered;
  }

 private:
  // The deadline of the call ends each step.
  bool Done() {
    void* tag;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::TemplatedGenericStub<v1::ServicesRequest, v1::ServicesReply> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<
      grpc::ClientAsyncReaderWriter<v1::ServicesRequest, v1::ServicesReply>>
      call_;
};

}  // namespace

bool SocketAnswer::is_state_store() const {
  return std::find(services.begin(), services.end(), kStateStore) !=
         services.end();
}

SocketListener ListenerOn(const std::string& socket) {
  const int fd = DialSocket(socket);
  if (fd < 0) return {};
  const absl::Cleanup close_fd = [fd] { close(fd); };
  return ListenerOf(fd);
}

SocketAnswer AskSocket(const std::string& socket, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  const int fd = DialUntil(socket, deadline);
  if (fd == -EAGAIN) {
    return {.state = State::kSilent, .why = "it accepts no connection"};
  }
  if (fd < 0) return {.state = StateAfter(-fd), .why = std::strerror(-fd)};
  const SocketListener listener = ListenerOf(fd);
  ServicesCall call(fd, deadline);
  v1::ServicesReply reply;
  grpc::Status status;
  if (!call.Run(reply, status)) {
    SocketAnswer none = {.state = State::kNoServices,
                         .why = status.error_message(),
                         .listener = listener};
    if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      none.state = State::kSilent;
    } else if (HangsUp(socket, absl::Now() + patience)) {
      none.state = State::kHungUp;
    }
    return none;
  }
  SocketAnswer answer = {.state = State::kServices, .listener = listener};
  for (const auto& service : reply.list_services_response().service()) {
    answer.services.push_back(service.name());
  }
  return answer;
}

std::vector<std::string> FoldersListenedIn(absl::string_view kernel_list) {
  std::set<std::string> folders;
  for (absl::string_view line : absl::StrSplit(kernel_list, '\n')) {
    // Num RefCount Protocol Flags Type St Inode Path
    const size_t path = line.find(" /");
    if (path == absl::string_view::npos) continue;
    line.remove_prefix(path + 1);
    if (absl::ConsumeSuffix(&line, kBoundName)) folders.emplace(line);
  }
  return {folders.begin(), folders.end()};
}

std::vector<std::string> FoldersListenedIn(pid_t pid) {
  std::ostringstream text;
  // Of one list twice the folders are the same.
  for (const std::string& process : {std::string("self"), absl::StrCat(pid)}) {
    std::ifstream file(absl::StrCat("/proc/", process, "/net/unix"));
    if (file.is_open()) text << file.rdbuf() << "\n";
  }
  return FoldersListenedIn(absl::string_view(text.str()));
}

}  // namespace statecpp
