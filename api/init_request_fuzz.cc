// SPDX-License-Identifier: Apache-2.0
//
// An Init that protobuf reads is read here to the same properties; every other
// one is refused, or is text at least; and it says the same in one piece and in
// many.
#include <google/protobuf/stubs/logging.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "api/component_fields.h"
#include "api/init_request.h"
#include "dapr/proto/components/v1/state.pb.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/reference_like.h"

namespace statecpp {
namespace {

namespace wire = ::dapr::proto::components::v1;

bool IsKey(const ComponentField* field) {
  return field != nullptr && field->secret &&
         field->use == ComponentField::Use::kKeySource;
}

// The properties as init_request.h has them. A later `metadata` adds to an
// earlier one here and there, and the last of two values counts; the key is
// looked at apart.
void CheckProperties(const wire::InitRequest& request,
                     const InitProperties& init) {
  const auto& given = request.metadata().properties();
  for (const auto& [name, value] : given) {
    const ComponentField* field = FindComponentField(name);
    if (IsKey(field)) continue;
    const auto found = init.properties.find(name);
    Expect(found != init.properties.end(), "every name is there");
    const bool kept = field != nullptr && field->Remembered();
    Expect(found->second == (kept ? value : ""),
           "a value is as it was given, or it is not shown");
  }
  for (const auto& [name, value] : init.properties) {
    Expect(given.count(name) == 1, "no name is there that was not given");
  }
}

void ExpectText(const InitProperties& init) {
  for (const auto& [name, value] : init.properties) {
    for (const std::string& character : ReferenceCharacters(name + value)) {
      Expect(character.size() > 1 || absl::ascii_isascii(character.front()),
             "names and values are UTF-8");
    }
  }
}

grpc::ByteBuffer InSlices(absl::string_view bytes, size_t size) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size(); at += size) {
    const absl::string_view part = bytes.substr(at, size);
    slices.emplace_back(part.data(), part.size());
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace

void FuzzOne(FuzzInput input) {
  // It has a line to say of each text that is not UTF-8.
  static auto* const log = google::protobuf::SetLogHandler(nullptr);
  (void)log;
  const size_t slice = 1 + input.Below(64);
  const absl::string_view bytes = input.Rest();
  const absl::StatusOr<InitProperties> init = InitPropertiesFromProto(bytes);

  grpc::ByteBuffer message = InSlices(bytes, slice);
  const absl::StatusOr<InitProperties> taken = TakeInitRequest(message);
  Expect(message.Length() == 0, "a message that was taken is gone");
  Expect(taken.ok() == init.ok(), "slices are the message");
  if (init.ok()) {
    Expect(taken->properties == init->properties &&
               taken->key.has_value() == init->key.has_value(),
           "slices say what the message says");
    Expect(!init->key.has_value() ||
               taken->key->RevealText() == init->key->RevealText(),
           "slices have the message's key");
  }

  wire::InitRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    // Which also refuses numbers that are written longer than need be.
    if (init.ok()) ExpectText(*init);
    return;
  }
  Expect(init.ok(), "what protobuf reads can be read");
  CheckProperties(request, *init);
}

}  // namespace statecpp
