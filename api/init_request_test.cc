// SPDX-License-Identifier: Apache-2.0
//
// Init's message is read by hand, and must say what protobuf's own reader says.
#include "api/init_request.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "dapr/proto/components/v1/state.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

namespace wire = ::dapr::proto::components::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string MessageOf(const std::map<std::string, std::string>& properties) {
  wire::InitRequest request;
  request.mutable_metadata()->mutable_properties()->insert(properties.begin(),
                                                           properties.end());
  return request.SerializeAsString();
}

InitProperties Read(absl::string_view message) {
  absl::StatusOr<InitProperties> init = InitPropertiesFromProto(message);
  EXPECT_TRUE(init.ok()) << init.status();
  return init.ok() ? *std::move(init) : InitProperties();
}

std::string KeyIn(const InitProperties& init) {
  return init.key.has_value() ? std::string(init.key->RevealText()) : "(none)";
}

TEST(InitRequestTest, KeepsNamesAndWhatIsNotSecret) {
  const InitProperties init =
      Read(MessageOf({{"MaxSize", " 1Gi "}, {"encryptionKeyFile", "a.key"}}));
  EXPECT_THAT(init.properties, ElementsAre(Pair("MaxSize", " 1Gi "),
                                           Pair("encryptionKeyFile", "a.key")));
  EXPECT_EQ(KeyIn(init), "(none)");
}

TEST(InitRequestTest, MayBeEmpty) {
  EXPECT_THAT(Read("").properties, IsEmpty());
  EXPECT_THAT(Read(MessageOf({})).properties, IsEmpty());
  grpc::ByteBuffer none;
  EXPECT_TRUE(TakeInitRequest(none).ok());
}

TEST(InitRequestTest, TakesTheKeyAlone) {
  const InitProperties init = Read(MessageOf({{"EncryptionKey", " c0ffee\n"}}));
  EXPECT_THAT(init.properties, ElementsAre(Pair("EncryptionKey", "")));
  EXPECT_EQ(KeyIn(init), "c0ffee");
}

TEST(InitRequestTest, AKeyWithoutAValueIsNone) {
  for (const std::string value : {"", " \n"}) {
    const InitProperties init = Read(MessageOf({{"encryptionKey", value}}));
    EXPECT_THAT(init.properties, IsEmpty());
    EXPECT_EQ(KeyIn(init), "(none)");
  }
}

// The names of such fields draw warnings; their values are of no use.
TEST(InitRequestTest, DropsTheValuesOfSecretAndUnknownFields) {
  const InitProperties init = Read(MessageOf({{"primaryEncryptionKey", "h2"},
                                              {"encryptionKeyring", "h2"},
                                              {"encryptionKeyCommand", "h2"},
                                              {"encrptionKey", "h2"},
                                              {"keyPrefix", "h2"}}));
  EXPECT_EQ(init.properties.size(), 5u);
  for (const auto& [name, value] : init.properties) EXPECT_EQ(value, "");
}

// --- As protobuf reads.

// Both agree on whether the bytes are a message, and on what it says.
void Compare(const std::string& message) {
  wire::InitRequest request;
  const bool whole = request.ParseFromString(message);
  const absl::StatusOr<InitProperties> init = InitPropertiesFromProto(message);
  ASSERT_EQ(init.ok(), whole) << testing::PrintToString(message);
  if (!whole) return;
  std::map<std::string, std::string> expected(
      request.metadata().properties().begin(),
      request.metadata().properties().end());
  EXPECT_EQ(init->properties, expected);
}

TEST(InitRequestTest, ReadsAsProtobufDoes) {
  Compare(MessageOf({{"maxSize", "1Gi"}, {"dataDir", std::string(300, 'x')}}));
  // Twice the same name: the last one counts. Twice the metadata: both do.
  Compare(MessageOf({{"maxSize", "1Gi"}}) + MessageOf({{"maxSize", "2Gi"}}));
  Compare(MessageOf({{"maxSize", "1Gi"}}) + MessageOf({{"timeout", "2s"}}));
  // An entry without a value, one without a name.
  Compare(std::string("\x0a\x0b\x0a\x09\x0a\x07maxSize", 13));
  Compare(std::string("\x0a\x04\x0a\x02\x12\x00", 6));
  // Fields of a newer daprd, of each wire type, and a group.
  Compare(MessageOf({{"maxSize", "1Gi"}}) +
          std::string("\x10\x05\x19"
                      "12345678\x25"
                      "1234\x2a\x01x\x33\x10\x01\x34",
                      22));
}

TEST(InitRequestTest, RefusesWhatProtobufRefuses) {
  const std::string message = MessageOf(
      {{"maxSize", "1Gi"}, {"dataDir", "shop/orders"}, {"timeout", "5s"}});
  for (size_t size = 0; size < message.size(); ++size) {
    Compare(message.substr(0, size));
  }
  // A name or a value that is not UTF-8.
  for (const char* text : {"maxSize", "1Gi", "shop/orders", "dataDir"}) {
    std::string bytes = message;
    bytes[bytes.find(text) + 1] = '\xb0';
    EXPECT_FALSE(InitPropertiesFromProto(bytes).ok()) << text;
    Compare(bytes);
  }
  // A length that ends behind the message, no field's number, a lone end of a
  // group, a wire type that there is not, a length of more than 4 GiB.
  for (const std::string bytes :
       {"\x0a\x7f", "\x02\x01x", "\x0c", "\x0f",
        "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}) {
    EXPECT_FALSE(InitPropertiesFromProto(bytes).ok());
    Compare(bytes);
  }
}

TEST(InitRequestTest, SurvivesEveryFlippedBit) {
  const std::string message = MessageOf({{"maxSize", "1Gi"}, {"timeout", "5"}});
  for (size_t bit = 0; bit < 8 * message.size(); ++bit) {
    std::string damaged = message;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    (void)InitPropertiesFromProto(damaged);
  }
}

// --- Where it lies.

TEST(InitRequestTest, IsWipedOnceItIsRead) {
  const std::string message = MessageOf({{"encryptionKey", "hunter2hunter2"}});
  // Long enough not to be kept in the slice's own few bytes.
  std::vector<std::string> parts = {message,
                                    MessageOf({{std::string(99, 'x'), ""}})};
  std::vector<grpc::Slice> slices;
  for (std::string& part : parts) {
    slices.emplace_back(part.data(), part.size(), grpc::Slice::STATIC_SLICE);
  }
  grpc::ByteBuffer buffer(slices.data(), slices.size());
  const absl::StatusOr<InitProperties> init = TakeInitRequest(buffer);
  ASSERT_TRUE(init.ok()) << init.status();
  EXPECT_EQ(KeyIn(*init), "hunter2hunter2");
  EXPECT_EQ(init->properties.size(), 2u);
  EXPECT_FALSE(buffer.Valid());
  for (const std::string& part : parts) {
    EXPECT_EQ(part, std::string(part.size(), '\0'));
  }
}

TEST(InitRequestTest, IsWipedAlsoIfItCannotBeRead) {
  std::string message(100, '\x7f');
  const grpc::Slice slice(message.data(), message.size(),
                          grpc::Slice::STATIC_SLICE);
  grpc::ByteBuffer buffer(&slice, 1);
  EXPECT_EQ(TakeInitRequest(buffer).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(message, std::string(100, '\0'));
}

}  // namespace
}  // namespace statecpp
