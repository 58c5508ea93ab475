// SPDX-License-Identifier: Apache-2.0
#include "api/init_request.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>
#include <string.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "api/component_fields.h"
#include "api/errors.h"

namespace statecpp {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// The bytes of a length-delimited field, in place.
bool ReadBytes(CodedInputStream& in, absl::string_view& bytes) {
  uint32_t size = 0;
  const void* data = nullptr;
  int available = 0;
  bytes = "";
  if (!in.ReadVarint32(&size)) return false;
  if (size == 0) return true;
  if (!in.GetDirectBufferPointer(&data, &available) ||
      size > static_cast<uint32_t>(available)) {
    return false;
  }
  bytes = {static_cast<const char*>(data), size};
  return in.Skip(static_cast<int>(size));
}

// Calls `on_field` with number and bytes of each length-delimited field. False
// if the message is none, or if `on_field` says so.
bool ForEachField(absl::string_view message,
                  absl::FunctionRef<bool(int, absl::string_view)> on_field) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()),
                      static_cast<int>(message.size()));
  while (const uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) !=
        WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      continue;
    }
    absl::string_view bytes;
    if (WireFormatLite::GetTagFieldNumber(tag) == 0 || !ReadBytes(in, bytes) ||
        !on_field(WireFormatLite::GetTagFieldNumber(tag), bytes)) {
      return false;
    }
  }
  return in.ConsumedEntireMessage();
}

void Add(absl::string_view name, absl::string_view value,
         InitProperties& init) {
  const ComponentField* field = FindComponentField(name);
  const bool kept = field != nullptr && field->Remembered();
  if (field == nullptr || field->use != ComponentField::Use::kKeySource ||
      !field->secret) {
    init.properties[std::string(name)] = kept ? std::string(value) : "";
    return;
  }
  value = absl::StripAsciiWhitespace(value);
  if (value.empty()) return;
  init.properties[std::string(name)] = "";
  init.key = SecretBytes::Copy(value);
}

// As every string of a message has to be; and only such a value can be kept in
// the file that remembers it.
bool IsUtf8(absl::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(
      text.data(), static_cast<int>(text.size()));
}

// InitRequest  := metadata: MetadataRequest = 1
// MetadataRequest := properties: map<string, string> = 1
// an entry of a map := key: string = 1, value: string = 2
bool AddEntry(absl::string_view entry, InitProperties& init) {
  absl::string_view name;
  absl::string_view value;
  const bool whole =
      ForEachField(entry, [&](int number, absl::string_view bytes) {
        if (number == 1) name = bytes;
        if (number == 2) value = bytes;
        return (number != 1 && number != 2) || IsUtf8(bytes);
      });
  if (whole) Add(name, value, init);
  return whole;
}

bool AddMetadata(absl::string_view metadata, InitProperties& init) {
  return ForEachField(metadata, [&](int number, absl::string_view bytes) {
    return number != 1 || AddEntry(bytes, init);
  });
}

// Copies the message and wipes it.
SecretBytes Take(grpc::ByteBuffer& message) {
  std::vector<grpc::Slice> slices;
  if (message.Valid()) (void)message.Dump(&slices);
  SecretBytes copy(message.Valid() ? message.Length() : 0);
  size_t size = 0;
  for (const grpc::Slice& slice : slices) {
    if (slice.size() == 0) continue;
    std::memcpy(copy.data() + size, slice.begin(), slice.size());
    // gRPC hands out bytes for reading. These are nobody else's: the message
    // is ours, and what follows it in the same buffer is not touched.
    explicit_bzero(const_cast<uint8_t*>(slice.begin()), slice.size());
    size += slice.size();
  }
  message.Clear();
  return copy;
}

}  // namespace

absl::StatusOr<InitProperties> InitPropertiesFromProto(
    absl::string_view message) {
  InitProperties init;
  if (!ForEachField(message, [&](int number, absl::string_view bytes) {
        return number != 1 || AddMetadata(bytes, init);
      })) {
    return error::InitUnreadable();
  }
  return init;
}

absl::StatusOr<InitProperties> TakeInitRequest(grpc::ByteBuffer& message) {
  const SecretBytes bytes = Take(message);
  return InitPropertiesFromProto(bytes.RevealText());
}

}  // namespace statecpp
