// SPDX-License-Identifier: Apache-2.0
//
// A record opens only as what was sealed, and only where it was sealed for.
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/keyring.h"
#include "engine/coding.h"
#include "engine/record.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/given_random.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

constexpr size_t kFixedHeadSize = 26;
constexpr uint8_t kSplitFlag = 1;
constexpr size_t kBeforeHead = 12 + 24;  // header and nonce

uint8_t* Bytes(std::string& bytes) {
  return reinterpret_cast<uint8_t*>(bytes.data());
}

// That of the published records.
const std::string& Place() {
  static const std::string* const place =
      new std::string(absl::HexStringToBytes(
          "01c85f34ac6a74d822010bd5586fbb66a87501915bd4a74096321e00352df9b873"
          "b2831c89f6d4064b8da143"));
  return *place;
}

void ParseFrame(absl::string_view record) {
  const absl::StatusOr<RecordFrame> frame = RecordFrame::Parse(record);
  if (!frame.ok()) return;
  Expect(absl::StrCat(frame->header, frame->nonce, frame->head, frame->head_tag,
                      frame->body) == record,
         "the parts of a record are the record");
  Expect(RecordToken(record) == frame->nonce, "the nonce is the token");
}

// What opens is what SealRecord makes of what it says.
void OpenForeign(const Keyring& keyring, absl::string_view record) {
  const auto reader = RecordReader::Open(keyring, Place(), record);
  if (!reader.ok()) return;
  const absl::StatusOr<std::string> value = reader->ReadValue();
  if (!value.ok()) return;
  GivenRandom nonce(RecordToken(record));
  Expect(SealRecord(keyring, nonce, Place(),
                    {.version = reader->version(),
                     .expires_ms = reader->expires_ms(),
                     .key = reader->key(),
                     .content_type = reader->content_type(),
                     .value = *value}) == record,
         "a record that opens was sealed");
}

void ExpectClosed(const Keyring& keyring, absl::string_view place,
                  absl::string_view record, const char* what) {
  const auto reader = RecordReader::Open(keyring, place, record);
  Expect(!reader.ok() || !reader->ReadValue().ok(), what);
}

// What was sealed opens, and nothing else of it does.
void SealAndChange(const Keyring& keyring, FuzzInput input) {
  RecordContent content = {};
  content.version = input.Number<uint64_t>();
  content.expires_ms = input.Number<int64_t>();
  const size_t at = input.Number<uint16_t>();
  const uint8_t change = input.Byte();
  const size_t times = 1 + input.Below(32);
  content.key = input.Sized();
  content.content_type = input.Sized();
  std::string value;
  const absl::string_view part = input.Rest();
  for (size_t i = 0; i < times; ++i) value.append(part.data(), part.size());
  content.value = value;

  GivenRandom nonce("of some record");
  std::string record = SealRecord(keyring, nonce, Place(), content);
  const auto reader = RecordReader::Open(keyring, Place(), record);
  Expect(reader.ok(), "what was sealed opens");
  const absl::StatusOr<std::string> read = reader->ReadValue();
  Expect(read.ok() && *read == value && reader->version() == content.version &&
             reader->expires_ms() == content.expires_ms &&
             reader->key() == content.key &&
             reader->content_type() == content.content_type &&
             reader->value_size() == value.size(),
         "what was sealed reads as it was");
  ExpectClosed(keyring, Place().substr(1), record, "no other place opens it");
  ExpectClosed(keyring, Place(),
               absl::string_view(record).substr(0, at % record.size()),
               "a record that was cut does not open");
  record[at % record.size()] ^= static_cast<char>(change == 0 ? 1 : change);
  ExpectClosed(keyring, Place(), record, "a changed record does not open");
}

// A record with a head that SealRecord never wrote, sealed all the same: what
// somebody with the key may have put there.
std::string MakeRecord(const Keyring& keyring, FuzzInput& input) {
  const uint8_t flags = input.Byte();
  std::string head(input.Sized());
  std::string body(input.Rest());
  std::string record;
  AppendFixed(record, uint8_t{1});
  AppendFixed(record, static_cast<uint8_t>(keyring.active().algorithm));
  AppendFixed(record, flags);
  AppendFixed(record, uint8_t{0});
  AppendFixed(record, keyring.active().key_id);
  AppendFixed(record, static_cast<uint32_t>(head.size()));
  const std::string ad =
      absl::StrCat(View(keyring.store_id()), record, Place());
  std::string nonce(Aead::kNonceSize, '\x07');
  const Aead& aead = *keyring.active().aead;
  uint8_t tag[Aead::kTagSize];
  if ((flags & kSplitFlag) != 0 && head.size() >= kFixedHeadSize) {
    nonce.back() = 1;
    aead.Seal(Bytes(nonce),
              absl::StrCat(absl::string_view("lse/1/body\0", 11), ad), body,
              Bytes(body), tag);
    const uint64_t tag_at = kFixedHeadSize +
                            uint64_t{LoadFixed<uint16_t>(&head[16])} +
                            LoadFixed<uint32_t>(&head[18]);
    if (tag_at + sizeof(tag) <= head.size()) {
      head.replace(tag_at, sizeof(tag), reinterpret_cast<const char*>(tag),
                   sizeof(tag));
    }
  }
  nonce.back() = 0;
  aead.Seal(Bytes(nonce),
            absl::StrCat(absl::string_view("lse/1/rec\0", 10), ad), head,
            Bytes(head), tag);
  return absl::StrCat(
      record, nonce, head,
      absl::string_view(reinterpret_cast<const char*>(tag), sizeof(tag)), body);
}

void OpenMade(const Keyring& keyring, FuzzInput input) {
  const std::string record = MakeRecord(keyring, input);
  ParseFrame(record);
  const auto reader = RecordReader::Open(keyring, Place(), record);
  if (!reader.ok()) return;
  const uint64_t size = uint64_t{reader->key().size()} +
                        reader->content_type().size() + reader->value_size();
  Expect(size <= record.size() - kBeforeHead, "all it has is in it");
  const absl::StatusOr<std::string> value = reader->ReadValue();
  Expect(!value.ok() || value->size() == reader->value_size(),
         "a value has the size that its head says");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  static const auto* const plain =
      new std::shared_ptr<const Keyring>(VectorKeyring());
  static const auto* const sealed =
      new std::shared_ptr<const Keyring>(SealedVectorKeyring());
  const uint8_t how = input.Byte();
  const Keyring& keyring = (how & 1) == 0 ? **plain : **sealed;
  switch (how >> 1 & 3) {
    case 0:
    case 1: {
      const absl::string_view record = input.Rest();
      ParseFrame(record);
      OpenForeign(keyring, record);
      break;
    }
    case 2:
      SealAndChange(keyring, input);
      break;
    case 3:
      OpenMade(keyring, input);
      break;
  }
}

}  // namespace statecpp
