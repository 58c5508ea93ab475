// SPDX-License-Identifier: Apache-2.0
#include "cli/health.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/duration_flag.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/component_socket.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr absl::Duration kRetryInterval = absl::Milliseconds(50);
// A server that is alive answers in well under a millisecond.
constexpr absl::Duration kAnswerTimeout = absl::Seconds(2);

// The flags, as given.
struct HealthFlags {
  std::string socket_folder = "";
  absl::Duration wait = absl::ZeroDuration();
  bool json = false;
};

// The serving status as the protocol names it, or why there is none.
grpc::Status Check(const std::string& socket, std::string& answer) {
  // A channel backs off after a refused connection; a new one does not.
  const std::unique_ptr<Health::Stub> health =
      Health::NewStub(grpc::CreateChannel(absl::StrCat("unix:", socket),
                                          grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kAnswerTimeout));
  HealthCheckResponse response;
  const grpc::Status status =
      health->Check(&context, HealthCheckRequest(), &response);
  answer = HealthCheckResponse::ServingStatus_Name(response.status());
  return status;
}

ExitCode CheckHealth(const HealthFlags& flags) {
  const std::string socket =
      absl::StrCat(ChooseSocketFolder(flags.socket_folder).path, "/cpp.sock");
  const absl::Time deadline = absl::Now() + flags.wait;
  for (;;) {
    std::string answer;
    const grpc::Status status = Check(socket, answer);
    if (status.ok() && answer == "SERVING") {
      if (flags.json) {
        std::cout << "{\"status\":" << JsonText(answer) << "}\n";
      } else {
        std::cout << answer << "\n";
      }
      return kExitOk;
    }
    const absl::Duration left = deadline - absl::Now();
    if (left > absl::ZeroDuration()) {
      absl::SleepFor(std::min(left, kRetryInterval));
      continue;
    }
    std::cerr << "statecpp: no server is ready on " << socket << ": "
              << (status.ok() ? answer : status.error_message())
              << "; start one with `statecpp serve`, or name its folder with "
                 "--socket-folder\n";
    return kExitUnreachable;
  }
}

}  // namespace

void AddHealth(VerbTable& verbs) {
  auto flags = std::make_shared<HealthFlags>();
  CLI::App* const health =
      verbs.Add("health", "Ask the server whether it is serving",
                [flags] { return CheckHealth(*flags); });
  health
      ->add_option("--socket-folder", flags->socket_folder,
                   "Where the server's socket is; chosen as by serve")
      ->type_name("DIR");
  AddDuration(health, "--wait", flags->wait, "Wait this long until it is");
  health->add_flag("--json", flags->json, "Print one object");
  AddToHelp(health, "Example:\n  statecpp health --wait 30s");
}

}  // namespace statecpp
