// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_INIT_REQUEST_H_
#define STATECPP_API_INIT_REQUEST_H_

#include <grpcpp/support/byte_buffer.h>

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/component_config.h"
#include "crypto/secret_bytes.h"

// Reads Dapr's InitRequest without protobuf's classes: daprd resolves secrets
// before it sends them, and what has been in a std::string stays in memory that
// nobody wipes.
//
//   grpc::ByteBuffer message = …;  // as it came over the socket
//   absl::StatusOr<InitProperties> init = TakeInitRequest(message);
//   if (!init.ok()) return init.status();
//
// Thread-safe.
namespace statecpp {

struct InitProperties {
  // Every name that was given; names and values are UTF-8. Of fields that are
  // secret and of those that are unknown, since these may be secrets under a
  // misspelled name, the value is empty; a key without a value is left out.
  Properties properties = {};
  // The value of `encryptionKey`, without white space around it.
  std::optional<SecretBytes> key = std::nullopt;
};

// Wipes the message, where it lies, whether or not it can be read. Copies of it
// that the kernel made on its way here are out of reach.
//
// INVALID_ARGUMENT: it is no InitRequest.
absl::StatusOr<InitProperties> TakeInitRequest(grpc::ByteBuffer& message);

// The same of bytes that the caller wipes.
absl::StatusOr<InitProperties> InitPropertiesFromProto(
    absl::string_view message);

}  // namespace statecpp

#endif  // STATECPP_API_INIT_REQUEST_H_
