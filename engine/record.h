// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_RECORD_H_
#define STATECPP_ENGINE_RECORD_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/keyring.h"
#include "crypto/random.h"

namespace statecpp {

// A record is what stands in LMDB for one item. Format v1, final; all integers
// are little endian.
//
//   record := header nonce[24] head[head_len] head_tag[16] body?
//   header := fmt(u8) = 1  alg(u8)  flags(u8)  0(u8)  key_id(u32)
//             head_len(u32)
//   flags  := bit 0 SPLIT: the value is in the body; bit 1 PAD: the head ends
//             in zeros; no other bit is set
//   nonce  := 23 random bytes and a zero; the body is sealed under the same
//             with a one at the end. Drawn anew for every record, so it also
//             names it: it is the token of a conditional commit.
//   head   := sealed { version(u64) expires_ms(i64) content_type_len(u16)
//             key_len(u32) value_len(u32) key content_type
//             (value | body_tag[16]) zeros? }
//   body   := sealed { value }, present if SPLIT
//
// expires_ms counts milliseconds since 1970; 0 means never. A value above 1 KiB
// is SPLIT, so that listing and sweeping need not touch it; the body's tag in
// the head binds the two.
//
// The associated data of head and body name the store and the place, so that a
// record opens nowhere else:
//
//   ad(head) := "lse/1/rec\0"  store_id[16] header record_key
//   ad(body) := "lse/1/body\0" store_id[16] header record_key

// What is sealed into a record.
struct RecordContent {
  uint64_t version;
  int64_t expires_ms;
  absl::string_view key;
  absl::string_view content_type;
  absl::string_view value;
};

// Returns a new record under the keyring's active key.
std::string SealRecord(const Keyring& keyring, Random& random,
                       absl::string_view record_key,
                       const RecordContent& content);

// The parts of a record that need no key. All views point into the record.
struct RecordFrame {
  Algorithm algorithm;
  bool split;
  bool padded;
  uint32_t key_id;
  absl::string_view header;
  absl::string_view nonce;
  absl::string_view head;
  absl::string_view head_tag;
  absl::string_view body;

  // DATA_LOSS: no record looks like that; the text says what is wrong.
  static absl::StatusOr<RecordFrame> Parse(absl::string_view record);
};

// The token of a record: what a commit compares instead of opening it. The
// caller passes a record that the store wrote; bytes too short for one are
// their own token, so that damage can still be replaced.
absl::string_view RecordToken(absl::string_view record);

// An opened head. Reads nothing of the body before ReadValue.
//
//   absl::StatusOr<RecordReader> reader =
//       RecordReader::Open(keyring, record_key, record);
//   if (reader->IsExpired(now)) ...
//   absl::StatusOr<std::string> value = reader->ReadValue();
//
// Refers to the keyring and to the bytes it was opened from.
class RecordReader {
 public:
  // DATA_LOSS: the record is not one that was sealed for this place.
  static absl::StatusOr<RecordReader> Open(const Keyring& keyring,
                                           absl::string_view record_key,
                                           absl::string_view record);

  uint64_t version() const { return version_; }
  int64_t expires_ms() const { return expires_ms_; }
  bool IsExpired(absl::Time now) const {
    return expires_ms_ != 0 && expires_ms_ <= absl::ToUnixMillis(now);
  }
  absl::string_view key() const { return View(key_start_, key_len_); }
  absl::string_view content_type() const {
    return View(key_start_ + key_len_, content_type_len_);
  }
  uint32_t value_size() const { return value_len_; }

  // The value, in memory of its own; the one copy that is made of it.
  //
  // DATA_LOSS: the body does not belong to the head.
  absl::StatusOr<std::string> ReadValue() const;

 private:
  RecordReader(const Aead& aead, absl::string_view record_key,
               const RecordFrame& frame)
      : aead_(&aead), record_key_(record_key), frame_(frame) {}

  absl::Status ParseHead();
  absl::string_view View(size_t start, size_t size) const {
    return absl::string_view(head_).substr(start, size);
  }

  const Aead* aead_;
  absl::string_view record_key_;
  RecordFrame frame_;
  StoreId store_id_;
  std::string head_;
  uint64_t version_ = 0;
  int64_t expires_ms_ = 0;
  size_t key_start_ = 0;
  uint32_t key_len_ = 0;
  uint32_t content_type_len_ = 0;
  uint32_t value_len_ = 0;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_RECORD_H_
