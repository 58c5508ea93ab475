// SPDX-License-Identifier: Apache-2.0
#include "tests/program/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/rpc/status.pb.h"
#include "tests/program/confidential.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

std::shared_ptr<grpc::Channel> NewChannel(const std::string& socket_path) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(
      "unix:" + socket_path, grpc::InsecureChannelCredentials(), arguments);
}

wire::InitRequest InitRequestOf(const Client::Metadata& properties) {
  wire::InitRequest request;
  request.mutable_metadata()->mutable_properties()->insert(properties.begin(),
                                                           properties.end());
  return request;
}

// The details of `status`, if there is exactly one and the rest is in order.
template <typename Detail>
std::optional<Detail> DetailOf(const grpc::Status& status) {
  google::rpc::Status inside;
  Detail detail;
  if (!inside.ParseFromString(status.error_details()) ||
      inside.details_size() != 1 || inside.code() != status.error_code() ||
      inside.message() != status.error_message() ||
      !inside.details(0).UnpackTo(&detail)) {
    return std::nullopt;
  }
  return detail;
}

}  // namespace

std::string TestEncryption() { return TestsAreSealed() ? "required" : "off"; }

Client::Client(const std::string& socket_path,
               std::optional<std::string> instance)
    : channel_(NewChannel(socket_path)),
      instance_(std::move(instance)),
      state_store_(wire::StateStore::NewStub(channel_)),
      transactional_(wire::TransactionalStateStore::NewStub(channel_)),
      queriable_(wire::QueriableStateStore::NewStub(channel_)),
      multi_max_size_(wire::TransactionalStoreMultiMaxSize::NewStub(channel_)),
      health_(grpc::health::v1::Health::NewStub(channel_)) {}

std::unique_ptr<grpc::ClientContext> Client::NewContext() const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  if (instance_.has_value()) {
    context->AddMetadata("x-component-instance", *instance_);
  }
  for (const auto& [name, value] : metadata_) {
    context->AddMetadata(name, value);
  }
  return context;
}

template <typename Stub, typename Request, typename Response>
Reply<Response> Client::Call(Stub& stub,
                             grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                          const Request&,
                                                          Response*),
                             const Request& request) {
  KeepItemsOf(request);
  const std::unique_ptr<grpc::ClientContext> context = NewContext();
  Reply<Response> reply;
  reply.status = (stub.*method)(context.get(), request, &reply.message);
  const std::string error =
      absl::StrCat(reply.status.error_message(), reply.status.error_details());
  EXPECT_THAT(ConfidentialInError(error, request), ::testing::IsEmpty())
      << "is told to a client: " << reply.status.error_message();
  return reply;
}

Reply<wire::InitResponse> Client::Init(const Metadata& properties) {
  return Call(*state_store_, &wire::StateStore::Stub::Init,
              InitRequestOf(properties));
}

void Client::MustInit(Metadata properties) {
  properties.emplace("encryption", TestEncryption());
  ASSERT_THAT(Init(properties), Succeeds());
}

Reply<wire::FeaturesResponse> Client::Features() {
  return Call(*state_store_, &wire::StateStore::Stub::Features,
              wire::FeaturesRequest());
}

Reply<wire::PingResponse> Client::Ping() {
  return Call(*state_store_, &wire::StateStore::Stub::Ping,
              wire::PingRequest());
}

Reply<wire::MultiMaxSizeResponse> Client::MultiMaxSize() {
  return Call(*multi_max_size_,
              &wire::TransactionalStoreMultiMaxSize::Stub::MultiMaxSize,
              wire::MultiMaxSizeRequest());
}

Reply<wire::GetResponse> Client::Get(const wire::GetRequest& request) {
  return Call(*state_store_, &wire::StateStore::Stub::Get, request);
}

Reply<wire::SetResponse> Client::Set(const wire::SetRequest& request) {
  return Call(*state_store_, &wire::StateStore::Stub::Set, request);
}

Reply<wire::DeleteResponse> Client::Delete(const wire::DeleteRequest& request) {
  return Call(*state_store_, &wire::StateStore::Stub::Delete, request);
}

Reply<wire::BulkGetResponse> Client::BulkGet(
    const wire::BulkGetRequest& request) {
  return Call(*state_store_, &wire::StateStore::Stub::BulkGet, request);
}

Reply<wire::BulkSetResponse> Client::BulkSet(
    const wire::BulkSetRequest& request) {
  return Call(*state_store_, &wire::StateStore::Stub::BulkSet, request);
}

Reply<wire::BulkDeleteResponse> Client::BulkDelete(
    const wire::BulkDeleteRequest& request) {
  return Call(*state_store_, &wire::StateStore::Stub::BulkDelete, request);
}

Reply<wire::TransactionalStateResponse> Client::Transact(
    const wire::TransactionalStateRequest& request) {
  return Call(*transactional_, &wire::TransactionalStateStore::Stub::Transact,
              request);
}

Reply<wire::QueryResponse> Client::Query(const wire::QueryRequest& request) {
  return Call(*queriable_, &wire::QueriableStateStore::Stub::Query, request);
}

Reply<wire::GetResponse> Client::GetKey(absl::string_view key) {
  wire::GetRequest request;
  request.set_key(std::string(key));
  return Get(request);
}

Reply<wire::SetResponse> Client::SetKey(absl::string_view key,
                                        absl::string_view value) {
  wire::SetRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  return Set(request);
}

template <typename Request, typename Response>
std::unique_ptr<PendingCall<Request, Response>> Client::Start(
    void (wire::StateStore::StubInterface::async_interface::*method)(
        grpc::ClientContext*, const Request*, Response*,
        std::function<void(grpc::Status)>),
    Request request, absl::Duration timeout) {
  KeepItemsOf(request);
  auto call = std::make_unique<PendingCall<Request, Response>>();
  call->context_ = NewContext();
  call->context_->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  call->request_ = std::move(request);
  (state_store_->async()->*method)(
      call->context_.get(), &call->request_, &call->message_,
      [call = call.get()](const grpc::Status& status) {
        call->promise_.set_value(status);
      });
  return call;
}

std::unique_ptr<PendingInit> Client::StartInit(const Metadata& properties) {
  return Start(&wire::StateStore::StubInterface::async_interface::Init,
               InitRequestOf(properties));
}

std::unique_ptr<PendingGet> Client::StartGet(absl::string_view key) {
  wire::GetRequest request;
  request.set_key(std::string(key));
  return Start(&wire::StateStore::StubInterface::async_interface::Get,
               std::move(request));
}

std::unique_ptr<PendingSet> Client::StartSet(absl::string_view key,
                                             absl::string_view value,
                                             absl::Duration timeout) {
  wire::SetRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  return Start(&wire::StateStore::StubInterface::async_interface::Set,
               std::move(request), timeout);
}

std::string Client::ValueOf(absl::string_view key) {
  const Reply<wire::GetResponse> reply = GetKey(key);
  if (!reply.status.ok()) return "(error) " + reply.status.error_message();
  return reply.message.has_etag() ? reply.message.data() : "(none)";
}

std::string Client::ETagOf(absl::string_view key) {
  const Reply<wire::GetResponse> reply = GetKey(key);
  EXPECT_THAT(reply, Succeeds());
  return reply.message.etag().value();
}

Reply<grpc::health::v1::HealthCheckResponse> Client::Check(
    const std::string& service) {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  return Call(*health_, &grpc::health::v1::Health::Stub::Check, request);
}

std::optional<google::rpc::ErrorInfo> KitDetailOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status);
}

std::optional<google::rpc::BadRequest> BadRequestOf(
    const grpc::Status& status) {
  return DetailOf<google::rpc::BadRequest>(status);
}

}  // namespace statecpp
