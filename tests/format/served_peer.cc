// SPDX-License-Identifier: Apache-2.0
//
//   served_peer SOCKET
//
// Writes through a server as an app does, for format_test.py: configures the
// instance "orders" and does as it is told, a line each. Bytes are in hex, "-"
// stands for none of them.
//
//   set KEY VALUE TYPE TTL_S     etag ETAG EXPIRES_S  (0: never)
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"

namespace statecpp {
namespace {

namespace wire = ::dapr::proto::components::v1;

std::string Bytes(const std::string& hex) {
  return hex == "-" ? "" : absl::HexStringToBytes(hex);
}

void Prepare(grpc::ClientContext& context) {
  context.AddMetadata("x-component-instance", "orders");
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(60));
}

void Must(const grpc::Status& status) {
  if (status.ok()) return;
  std::cerr << "served_peer: " << status.error_message() << "\n";
  std::exit(1);
}

std::string Set(wire::StateStore::Stub& stub, std::istringstream& words) {
  std::string key, value, type, ttl;
  words >> key >> value >> type >> ttl;
  wire::SetRequest set;
  set.set_key(Bytes(key));
  set.set_value(Bytes(value));
  set.set_content_type(Bytes(type));
  if (ttl != "0") (*set.mutable_metadata())["ttlInSeconds"] = ttl;
  grpc::ClientContext set_context;
  Prepare(set_context);
  wire::SetResponse none;
  Must(stub.Set(&set_context, set, &none));

  wire::GetRequest get;
  get.set_key(Bytes(key));
  grpc::ClientContext get_context;
  Prepare(get_context);
  wire::GetResponse item;
  Must(stub.Get(&get_context, get, &item));
  absl::Time expires = absl::UnixEpoch();
  const auto time = item.metadata().find("ttlExpireTime");
  std::string error;
  if (time != item.metadata().end() &&
      !absl::ParseTime(absl::RFC3339_full, time->second, &expires, &error)) {
    Must(grpc::Status(grpc::StatusCode::INTERNAL, error));
  }
  return absl::StrCat("etag ", item.etag().value(), " ",
                      absl::ToUnixSeconds(expires));
}

int Main(const std::string& socket) {
  const std::unique_ptr<wire::StateStore::Stub> stub =
      wire::StateStore::NewStub(grpc::CreateChannel(
          "unix:" + socket, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  Prepare(context);
  wire::InitResponse none;
  Must(stub->Init(&context, wire::InitRequest(), &none));
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb != "set") return 2;
    std::cout << Set(*stub, words) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  if (argc == 2) return statecpp::Main(argv[1]);
  std::cerr << "served_peer SOCKET\n";
  return 2;
}
