// SPDX-License-Identifier: Apache-2.0
#include "engine/accumulator.h"

#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "crypto/keyed_hash.h"
#include "engine/coding.h"
#include "engine/record.h"

namespace statecpp {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kPrefixSize = 4;
constexpr size_t kNonceSize = Aead::kNonceSize;
constexpr size_t kTagSize = Aead::kTagSize;
constexpr size_t kFixedStateSize = 4 * 8 + 2 * 32 + 4;
constexpr size_t kCountSize = 4 + 8;

const uint8_t* Bytes(const char* chars) {
  return reinterpret_cast<const uint8_t*>(chars);
}

template <typename Array>
absl::string_view View(const Array& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

std::string AssociatedData(const Keyring& keyring) {
  static constexpr absl::string_view kDomain("lse/1/acc\0", 10);
  return absl::StrCat(kDomain, View(keyring.store_id()));
}

// A record key says where it ends, and all that follows has a fixed size.
MultisetHash::Term TermOf(const Keyring& keyring, absl::string_view record_key,
                          const RecordFrame& frame) {
  static constexpr absl::string_view kDomain("rec\0", 4);
  MultisetHash::Term term;
  KeyedHash hash(keyring.accumulator_key(), term.size());
  hash.Update(kDomain);
  hash.Update(record_key);
  hash.Update(frame.header);
  hash.Update(frame.nonce);
  hash.Update(frame.head_tag);
  hash.Finish(term.data());
  return term;
}

}  // namespace

void Accumulator::Replace(absl::string_view record_key,
                          const std::optional<absl::string_view>& former,
                          const std::optional<absl::string_view>& current) {
  if (former.has_value()) {
    const absl::StatusOr<RecordFrame> frame = RecordFrame::Parse(*former);
    const auto count = frame.ok() ? records_by_key_.find(frame->key_id)
                                  : records_by_key_.end();
    // A key id that no record has can only come from damage, too.
    if (count == records_by_key_.end()) {
      ++unreadable_;
    } else {
      sum_.Subtract(TermOf(*keyring_, record_key, *frame));
      if (--count->second == 0) records_by_key_.erase(count);
    }
  }
  if (current.has_value()) {
    // What the store writes has a frame.
    const RecordFrame frame = RecordFrame::Parse(*current).value();
    sum_.Add(TermOf(*keyring_, record_key, frame));
    ++records_by_key_[frame.key_id];
  }
}

std::string Accumulator::SealNextCommit(Random& random) {
  static constexpr absl::string_view kDomain("chain\0", 6);
  ++commit_seq_;
  KeyedHash hash(keyring_->accumulator_key(), chain_.size());
  hash.Update(kDomain);
  hash.Update(View(chain_));
  std::string seq;
  AppendFixed(seq, commit_seq_);
  hash.Update(seq);
  hash.Update(View(sum_.sum()));
  hash.Finish(chain_.data());

  const std::string state = EncodeState();
  std::string sealed;
  sealed.reserve(kPrefixSize + kNonceSize + state.size() + kTagSize);
  AppendFixed(sealed, kFormat);
  AppendFixed(sealed, static_cast<uint8_t>(keyring_->meta_algorithm()));
  AppendFixed(sealed, uint16_t{0});
  uint8_t nonce[kNonceSize];
  random.Fill(absl::MakeSpan(nonce));
  sealed.append(reinterpret_cast<const char*>(nonce), kNonceSize);
  sealed.resize(kPrefixSize + kNonceSize + state.size() + kTagSize);
  uint8_t* const out =
      reinterpret_cast<uint8_t*>(sealed.data()) + kPrefixSize + kNonceSize;
  keyring_->meta_aead().Seal(nonce, AssociatedData(*keyring_), state, out,
                             out + state.size());
  return sealed;
}

std::optional<Accumulator> Accumulator::Open(const Keyring& keyring,
                                             absl::string_view sealed) {
  constexpr size_t kFrameSize = kPrefixSize + kNonceSize + kTagSize;
  if (sealed.size() < kFrameSize + kFixedStateSize || sealed[0] != kFormat ||
      static_cast<Algorithm>(sealed[1]) != keyring.meta_algorithm() ||
      sealed[2] != 0 || sealed[3] != 0) {
    return std::nullopt;
  }
  const absl::string_view text =
      sealed.substr(kPrefixSize + kNonceSize, sealed.size() - kFrameSize);
  std::string state(text.size(), '\0');
  if (!keyring.meta_aead().Open(Bytes(sealed.data() + kPrefixSize),
                                AssociatedData(keyring), text,
                                Bytes(text.data() + text.size()),
                                reinterpret_cast<uint8_t*>(state.data()))) {
    return std::nullopt;
  }
  Accumulator accumulator(keyring);
  if (!accumulator.DecodeState(state)) return std::nullopt;
  return accumulator;
}

void Accumulator::Accept(const Accumulator& counted) {
  sum_ = counted.sum_;
  records_by_key_ = counted.records_by_key_;
  unreadable_ = 0;
}

uint64_t Accumulator::records() const {
  uint64_t records = 0;
  for (const auto& [key_id, count] : records_by_key_) records += count;
  return records;
}

std::string Accumulator::EncodeState() const {
  std::string state;
  state.reserve(kFixedStateSize + records_by_key_.size() * kCountSize);
  AppendFixed(state, commit_seq_);
  AppendFixed(state, open_count_);
  AppendFixed(state, high_water_ms_);
  AppendFixed(state, unreadable_);
  absl::StrAppend(&state, View(sum_.sum()), View(chain_));
  AppendFixed(state, static_cast<uint32_t>(records_by_key_.size()));
  for (const auto& [key_id, count] : records_by_key_) {
    AppendFixed(state, key_id);
    AppendFixed(state, count);
  }
  return state;
}

bool Accumulator::DecodeState(absl::string_view state) {
  const char* next = state.data();
  commit_seq_ = LoadFixed<uint64_t>(next);
  open_count_ = LoadFixed<uint64_t>(next + 8);
  high_water_ms_ = LoadFixed<int64_t>(next + 16);
  unreadable_ = LoadFixed<uint64_t>(next + 24);
  MultisetHash::Term sum;
  std::memcpy(sum.data(), next + 32, sum.size());
  sum_ = MultisetHash(sum);
  std::memcpy(chain_.data(), next + 64, chain_.size());
  const uint64_t key_count = LoadFixed<uint32_t>(next + 96);
  if (state.size() != kFixedStateSize + key_count * kCountSize) return false;
  next += kFixedStateSize;
  for (uint64_t i = 0; i < key_count; ++i, next += kCountSize) {
    records_by_key_[LoadFixed<uint32_t>(next)] = LoadFixed<uint64_t>(next + 4);
  }
  return true;
}

}  // namespace statecpp
