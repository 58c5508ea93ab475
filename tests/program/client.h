// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_CLIENT_H_
#define STATECPP_TESTS_PROGRAM_CLIENT_H_

#include <google/protobuf/text_format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/program/program.h"

namespace statecpp {

namespace wire = ::dapr::proto::components::v1;

// A request as text, in protobuf's form:
//
//   client.Set(Text(R"(key: "a" value: "1" etag { value: "x" })"));
class Text {
 public:
  explicit Text(absl::string_view text) : text_(text) {}

  template <typename Message>
  operator Message() const {  // NOLINT: converting is what it is for
    Message message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text_, &message))
        << text_;
    return message;
  }

 private:
  std::string text_;
};

// What came back: `message` means something where `status` is OK.
template <typename Response>
struct Reply {
  grpc::Status status;
  Response message;
};

// A call that is under way. Its end waits for the answer.
template <typename Request, typename Response>
class PendingCall {
 public:
  ~PendingCall() { answer_.wait(); }

  // Waits for the answer.
  const grpc::Status& status() const { return answer_.get(); }
  const Response& message() const { return message_; }

  bool answered() const {
    return answer_.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }
  // The client loses interest.
  void Cancel() { context_->TryCancel(); }

 private:
  friend class Client;

  std::unique_ptr<grpc::ClientContext> context_;
  Request request_;
  Response message_;
  std::promise<grpc::Status> promise_;
  std::shared_future<grpc::Status> answer_ = promise_.get_future().share();
};
using PendingInit = PendingCall<wire::InitRequest, wire::InitResponse>;
using PendingGet = PendingCall<wire::GetRequest, wire::GetResponse>;
using PendingSet = PendingCall<wire::SetRequest, wire::SetResponse>;

// What `encryption` is for the stores of this run.
std::string TestEncryption();

// Talks to a server as daprd does: with the instance's name on every call, over
// a connection of its own. Thread-safe.
class Client {
 public:
  using Metadata = std::map<std::string, std::string>;

  // nullopt: calls name no instance.
  explicit Client(const std::string& socket_path,
                  std::optional<std::string> instance = "orders");

  // Sent with every call from now on, besides the instance.
  void AddMetadata(const std::string& name, const std::string& value) {
    metadata_.emplace(name, value);
  }

  Reply<wire::InitResponse> Init(const Metadata& properties);
  // Init of a store that is sealed or not as this run's are, which must
  // succeed.
  void MustInit(Metadata properties = {});

  Reply<wire::FeaturesResponse> Features();
  Reply<wire::PingResponse> Ping();
  Reply<wire::MultiMaxSizeResponse> MultiMaxSize();

  Reply<wire::GetResponse> Get(const wire::GetRequest& request);
  Reply<wire::SetResponse> Set(const wire::SetRequest& request);
  Reply<wire::DeleteResponse> Delete(const wire::DeleteRequest& request);
  Reply<wire::BulkGetResponse> BulkGet(const wire::BulkGetRequest& request);
  Reply<wire::BulkSetResponse> BulkSet(const wire::BulkSetRequest& request);
  Reply<wire::BulkDeleteResponse> BulkDelete(
      const wire::BulkDeleteRequest& request);
  Reply<wire::TransactionalStateResponse> Transact(
      const wire::TransactionalStateRequest& request);
  Reply<wire::QueryResponse> Query(const wire::QueryRequest& request);

  Reply<wire::GetResponse> GetKey(absl::string_view key);
  Reply<wire::SetResponse> SetKey(absl::string_view key,
                                  absl::string_view value);
  // "(none)" for a missing key, "(error) ..." where there is no answer.
  std::string ValueOf(absl::string_view key);
  std::string ETagOf(absl::string_view key);

  // The same without waiting for the answer. Calls that are made afterwards
  // come to the server behind it.
  std::unique_ptr<PendingInit> StartInit(const Metadata& properties);
  std::unique_ptr<PendingGet> StartGet(absl::string_view key);
  std::unique_ptr<PendingSet> StartSet(absl::string_view key,
                                       absl::string_view value,
                                       absl::Duration timeout = kPatience);

  Reply<grpc::health::v1::HealthCheckResponse> Check(
      const std::string& service);

  // For calls of other services.
  std::unique_ptr<grpc::ClientContext> NewContext() const;
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  template <typename Stub, typename Request, typename Response>
  Reply<Response> Call(Stub& stub,
                       grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                    const Request&, Response*),
                       const Request& request);

  template <typename Request, typename Response>
  std::unique_ptr<PendingCall<Request, Response>> Start(
      void (wire::StateStore::StubInterface::async_interface::*method)(
          grpc::ClientContext*, const Request*, Response*,
          std::function<void(grpc::Status)>),
      Request request, absl::Duration timeout = kPatience);

  const std::shared_ptr<grpc::Channel> channel_;
  const std::optional<std::string> instance_;
  Metadata metadata_;
  const std::unique_ptr<wire::StateStore::Stub> state_store_;
  const std::unique_ptr<wire::TransactionalStateStore::Stub> transactional_;
  const std::unique_ptr<wire::QueriableStateStore::Stub> queriable_;
  const std::unique_ptr<wire::TransactionalStoreMultiMaxSize::Stub>
      multi_max_size_;
  const std::unique_ptr<grpc::health::v1::Health::Stub> health_;
};

// The one detail of an error, as daprd takes it apart; nullopt: there is none
// of that kind, there are several, or the code inside is not that outside.
std::optional<google::rpc::ErrorInfo> KitDetailOf(const grpc::Status& status);
std::optional<google::rpc::BadRequest> BadRequestOf(const grpc::Status& status);

template <typename Response>
void PrintTo(const Reply<Response>& reply, std::ostream* out) {
  *out << "a reply with status " << reply.status.error_code() << " and {"
       << reply.message.ShortDebugString().substr(0, 1000) << "}";
}

// Of a grpc::Status, or of a Reply.
inline const grpc::Status& StatusIn(const grpc::Status& status) {
  return status;
}
template <typename Response>
const grpc::Status& StatusIn(const Reply<Response>& reply) {
  return reply.status;
}

MATCHER(Succeeds, "succeeds") {
  *result_listener << StatusIn(arg).error_code() << ": "
                   << StatusIn(arg).error_message();
  return StatusIn(arg).ok();
}

MATCHER_P2(FailsWith, code, text, "fails with a code and a text") {
  *result_listener << StatusIn(arg).error_code() << ": "
                   << StatusIn(arg).error_message();
  return StatusIn(arg).error_code() == code &&
         ::testing::ExplainMatchResult(text, StatusIn(arg).error_message(),
                                       result_listener);
}

// Of the outcome of a verb; the text is what it printed to either end.
MATCHER_P2(Exits, code, text, "exits with a code and says something") {
  *result_listener << "exit code " << arg.exit_code << ", out:\n"
                   << arg.out << "err:\n"
                   << arg.err;
  return arg.exit_code == code && ::testing::ExplainMatchResult(
                                      text, arg.out + arg.err, result_listener);
}

// Carries what makes daprd answer its app with that HTTP status.
MATCHER_P(ShowsHttp, http_code, "has the kit's detail") {
  const std::optional<google::rpc::ErrorInfo> detail =
      KitDetailOf(StatusIn(arg));
  if (!detail.has_value()) {
    *result_listener << "no ErrorInfo with " << StatusIn(arg).error_message();
    return false;
  }
  *result_listener << detail->ShortDebugString();
  const auto& metadata = detail->metadata();
  return metadata.count("kit_error") == 1 && metadata.count("tag") == 1 &&
         metadata.count("http_code") == 1 &&
         metadata.at("kit_error") == "true" && !metadata.at("tag").empty() &&
         metadata.at("http_code") == std::to_string(http_code);
}

// Is what daprd takes for an ETag mismatch, and says so to people as well.
MATCHER_P(IsMismatch, text, "is an ETag mismatch") {
  const std::optional<google::rpc::BadRequest> detail =
      BadRequestOf(StatusIn(arg));
  *result_listener << StatusIn(arg).error_code() << ": "
                   << StatusIn(arg).error_message();
  return StatusIn(arg).error_code() == grpc::StatusCode::FAILED_PRECONDITION &&
         detail.has_value() && detail->field_violations_size() == 1 &&
         detail->field_violations(0).field() == "etag" &&
         ::testing::ExplainMatchResult(
             text, detail->field_violations(0).description(), result_listener);
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_CLIENT_H_
