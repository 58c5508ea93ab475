// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_answer.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/credentials.h>
#include <sys/socket.h>
#include <sys/un.h>
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

// 0 if somebody listens, else why not.
int Connect(const std::string& socket_path) {
  sockaddr_un address = {};
  if (socket_path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const bool connected =
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  // One that would block has a full backlog.
  return connected || errno == EAGAIN ? 0 : errno;
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
  ServicesCall(const std::string& socket, absl::Duration patience)
      // A channel of its own: one that was refused before backs off.
      : channel_(grpc::CreateChannel(absl::StrCat("unix:", socket),
                                     grpc::InsecureChannelCredentials())),
        stub_(channel_) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + patience));
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

SocketAnswer AskSocket(const std::string& socket, absl::Duration patience) {
  const int error = Connect(socket);
  if (error != 0) {
    return {.state = StateAfter(error), .why = std::strerror(error)};
  }
  ServicesCall call(socket, patience);
  v1::ServicesReply reply;
  grpc::Status status;
  if (!call.Run(reply, status)) {
    const bool silent =
        status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    return {.state = silent ? State::kSilent : State::kNoServices,
            .why = status.error_message()};
  }
  SocketAnswer answer = {.state = State::kServices};
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

std::vector<std::string> FoldersListenedIn() {
  std::ifstream file("/proc/net/unix");
  std::ostringstream text;
  text << file.rdbuf();
  return FoldersListenedIn(text.str());
}

}  // namespace statecpp
