// SPDX-License-Identifier: Apache-2.0
#include "engine/record.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/errors.h"
#include "engine/fail_point.h"

namespace statecpp {
namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kSplitFlag = 1;
constexpr uint8_t kPadFlag = 2;
constexpr size_t kSplitAbove = 1024;

constexpr size_t kHeaderSize = 12;
constexpr size_t kFixedHeadSize = 8 + 8 + 2 + 4 + 4;
constexpr size_t kTagSize = Aead::kTagSize;
constexpr size_t kNonceSize = Aead::kNonceSize;

constexpr absl::string_view kHeadDomain("lse/1/rec\0", 10);
constexpr absl::string_view kBodyDomain("lse/1/body\0", 11);

const uint8_t* Bytes(absl::string_view view) {
  return reinterpret_cast<const uint8_t*>(view.data());
}

uint8_t* Bytes(char* chars) { return reinterpret_cast<uint8_t*>(chars); }

// The last part is a record key, which says where it ends.
std::string AssociatedData(absl::string_view domain, const StoreId& store_id,
                           absl::string_view header,
                           absl::string_view record_key) {
  if (STATECPP_SABOTAGE("drop-associated-data")) return "";
  return absl::StrCat(
      domain,
      absl::string_view(reinterpret_cast<const char*>(store_id.data()),
                        store_id.size()),
      header, record_key);
}

struct Nonce {
  uint8_t bytes[kNonceSize];
};

Nonce BodyNonce(absl::string_view head_nonce) {
  Nonce nonce;
  std::memcpy(nonce.bytes, head_nonce.data(), kNonceSize);
  nonce.bytes[kNonceSize - 1] = 1;
  return nonce;
}

std::string WhyNoKey(const Keyring& keyring, const RecordFrame& frame) {
  switch (frame.algorithm) {
    case Algorithm::kPlain:
      if (keyring.sealed()) return "a plain record in a sealed store";
      break;
    case Algorithm::kXChaCha20Poly1305:
      if (!keyring.sealed()) return "a sealed record in a plain store";
      break;
    default:
      return absl::StrCat("unknown algorithm ",
                          static_cast<int>(frame.algorithm));
  }
  return absl::StrCat("data key ", frame.key_id,
                      " is not in this store: it was retired, or never made");
}

}  // namespace

std::string SealRecord(const Keyring& keyring, Random& random,
                       absl::string_view record_key,
                       const RecordContent& content) {
  const Keyring::Active active = keyring.active();
  const bool split = content.value.size() > kSplitAbove;
  const size_t head_size = kFixedHeadSize + content.key.size() +
                           content.content_type.size() +
                           (split ? kTagSize : content.value.size());

  std::string record;
  record.reserve(kHeaderSize + kNonceSize + head_size + kTagSize +
                 (split ? content.value.size() : 0));
  AppendFixed(record, kFormat);
  AppendFixed(record, static_cast<uint8_t>(active.algorithm));
  AppendFixed(record, static_cast<uint8_t>(split ? kSplitFlag : 0));
  AppendFixed(record, uint8_t{0});
  AppendFixed(record, active.key_id);
  AppendFixed(record, static_cast<uint32_t>(head_size));

  Nonce nonce;
  random.Fill(absl::MakeSpan(nonce.bytes, kNonceSize - 1));
  nonce.bytes[kNonceSize - 1] = 0;
  record.append(reinterpret_cast<const char*>(nonce.bytes), kNonceSize);

  const size_t head_start = record.size();
  AppendFixed(record, content.version);
  AppendFixed(record, content.expires_ms);
  AppendFixed(record, static_cast<uint16_t>(content.content_type.size()));
  AppendFixed(record, static_cast<uint32_t>(content.key.size()));
  AppendFixed(record, static_cast<uint32_t>(content.value.size()));
  record.append(content.key.data(), content.key.size());
  record.append(content.content_type.data(), content.content_type.size());
  if (!split) record.append(content.value.data(), content.value.size());
  // Both seals write into memory that is already there: `record` must not move
  // below this line.
  record.resize(head_start + head_size + kTagSize +
                (split ? content.value.size() : 0));

  const absl::string_view header(record.data(), kHeaderSize);
  char* const head = record.data() + head_start;
  if (split) {
    const Nonce body_nonce =
        BodyNonce({record.data() + kHeaderSize, kNonceSize});
    active.aead->Seal(
        body_nonce.bytes,
        AssociatedData(kBodyDomain, keyring.store_id(), header, record_key),
        content.value, Bytes(head + head_size + kTagSize),
        Bytes(head + head_size - kTagSize));
  }
  active.aead->Seal(
      nonce.bytes,
      AssociatedData(kHeadDomain, keyring.store_id(), header, record_key),
      {head, head_size}, Bytes(head), Bytes(head + head_size));
  return record;
}

absl::StatusOr<RecordFrame> RecordFrame::Parse(absl::string_view record) {
  if (record.size() < kHeaderSize + kNonceSize + kFixedHeadSize + kTagSize) {
    return error::RecordDamaged(
        absl::StrCat("truncated to ", record.size(), " bytes"));
  }
  if (record[0] != kFormat) {
    return error::RecordDamaged(
        absl::StrCat("unknown format ", Bytes(record)[0]));
  }
  const uint8_t flags = Bytes(record)[2];
  if ((flags & ~(kSplitFlag | kPadFlag)) != 0 || record[3] != 0) {
    return error::RecordDamaged("a reserved bit is set");
  }
  const size_t head_size = LoadFixed<uint32_t>(record.data() + 8);
  const size_t room = record.size() - kHeaderSize - kNonceSize - kTagSize;
  if (head_size < kFixedHeadSize || head_size > room) {
    return error::RecordDamaged(absl::StrCat(
        "truncated: the head claims ", head_size, " of ", room, " bytes"));
  }
  RecordFrame frame = {
      .algorithm = static_cast<Algorithm>(record[1]),
      .split = (flags & kSplitFlag) != 0,
      .padded = (flags & kPadFlag) != 0,
      .key_id = LoadFixed<uint32_t>(record.data() + 4),
      .header = record.substr(0, kHeaderSize),
      .nonce = record.substr(kHeaderSize, kNonceSize),
      .head = record.substr(kHeaderSize + kNonceSize, head_size),
      .head_tag = record.substr(kHeaderSize + kNonceSize + head_size, kTagSize),
      .body = record.substr(kHeaderSize + kNonceSize + head_size + kTagSize),
  };
  if (frame.nonce.back() != 0) {
    return error::RecordDamaged("the nonce is not that of a head");
  }
  if (!frame.split && !frame.body.empty()) {
    return error::RecordDamaged(
        absl::StrCat(frame.body.size(), " trailing bytes"));
  }
  return frame;
}

absl::string_view RecordToken(absl::string_view record) {
  if (record.size() < kHeaderSize + kNonceSize) return record;
  return record.substr(kHeaderSize, kNonceSize);
}

absl::StatusOr<RecordReader> RecordReader::Open(const Keyring& keyring,
                                                absl::string_view record_key,
                                                absl::string_view record) {
  const absl::StatusOr<RecordFrame> frame = RecordFrame::Parse(record);
  if (!frame.ok()) return frame.status();
  const Aead* aead = keyring.Find(frame->algorithm, frame->key_id);
  if (aead == nullptr) {
    return error::RecordDamaged(WhyNoKey(keyring, *frame));
  }
  RecordReader reader(*aead, record_key, *frame);
  reader.store_id_ = keyring.store_id();
  reader.head_.resize(frame->head.size());
  if (!aead->Open(Bytes(frame->nonce),
                  AssociatedData(kHeadDomain, reader.store_id_, frame->header,
                                 record_key),
                  frame->head, Bytes(frame->head_tag),
                  Bytes(reader.head_.data()))) {
    return error::RecordDamaged("its tag does not fit bytes, key and place");
  }
  const absl::Status parsed = reader.ParseHead();
  if (!parsed.ok()) return parsed;
  return reader;
}

absl::Status RecordReader::ParseHead() {
  const char* const head = head_.data();
  version_ = LoadFixed<uint64_t>(head);
  expires_ms_ = LoadFixed<int64_t>(head + 8);
  content_type_len_ = LoadFixed<uint16_t>(head + 16);
  key_len_ = LoadFixed<uint32_t>(head + 18);
  value_len_ = LoadFixed<uint32_t>(head + 22);
  key_start_ = kFixedHeadSize;
  const uint64_t used = uint64_t{kFixedHeadSize} + key_len_ +
                        content_type_len_ +
                        (frame_.split ? kTagSize : value_len_);
  const bool fits = frame_.padded ? used <= head_.size() : used == head_.size();
  if (!fits || (frame_.split && frame_.body.size() != value_len_)) {
    return error::RecordDamaged("its lengths do not add up");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RecordReader::ReadValue() const {
  const size_t start = key_start_ + key_len_ + content_type_len_;
  if (!frame_.split) return std::string(View(start, value_len_));
  std::string value(frame_.body.size(), '\0');
  if (!aead_->Open(
          BodyNonce(frame_.nonce).bytes,
          AssociatedData(kBodyDomain, store_id_, frame_.header, record_key_),
          frame_.body, Bytes(View(start, kTagSize)), Bytes(value.data()))) {
    return error::RecordDamaged("its body does not belong to its head");
  }
  return value;
}

}  // namespace statecpp
