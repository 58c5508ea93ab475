// SPDX-License-Identifier: Apache-2.0
//
// What a store's header says and what it is refused for. A wrong key and a
// damaged header are two different things to whoever has to mend it, so no
// flipped bit may make the one look like the other.
#include "engine/store_header.h"

#include <sys/resource.h>

#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/checksum.h"
#include "crypto/random.h"
#include "engine/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
constexpr absl::StatusCode kWrongKey = absl::StatusCode::kPermissionDenied;
constexpr absl::StatusCode kTooNew = absl::StatusCode::kUnimplemented;

constexpr size_t kFormatAt = 8;
constexpr size_t kMinReaderAt = 10;
constexpr size_t kStoreIdAt = 16;
constexpr size_t kBodyAt = 32;
constexpr size_t kNonceAt = 64;  // of a plain header
constexpr size_t kTagAt = kNonceAt + Aead::kNonceSize;

// What the path is named in texts.
constexpr char kPath[] = "/srv/orders";

absl::StatusOr<std::shared_ptr<const Keyring>> Open(absl::string_view header,
                                                    const MasterKeys* keys) {
  absl::StatusOr<OpenedHeader> opened = OpenHeader(header, keys, kPath);
  if (!opened.ok()) return opened.status();
  return opened->keyring;
}

absl::StatusOr<std::shared_ptr<const Keyring>> OpenPlain(
    absl::string_view header) {
  return Open(header, nullptr);
}

MasterKeys KeysOf(MasterKey key) {
  MasterKeys keys;
  keys.push_back(std::move(key));
  return keys;
}

MasterKeys OtherKeys() {
  return KeysOf(MasterKey::FromKey("other", VectorSecret(0x80)));
}

MasterKey Passphrase(absl::string_view text) {
  return MasterKey::FromPassphrase("spoken", SecretBytes::Copy(text));
}

// As whoever changes a header on purpose does.
void FitChecksum(std::string& header) {
  const size_t size = header.size() - sizeof(Checksum);
  const Checksum checksum =
      ChecksumOf(absl::string_view(header).substr(0, size));
  std::copy(checksum.begin(), checksum.end(), header.begin() + size);
}

TEST(PlainHeaderTest, HasThePublishedBytes) {
  CountingRandom random(0x10);
  EXPECT_EQ(
      absl::BytesToHexString(NewPlainHeader(random)),
      "73746174656370700100010000000000101112131415161718191a1b1c1d1e1f20212223"
      "2425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041424344454647"
      "48494a4b4c4d4e4f505152535455565760cee977e321267f374e64f087c83f9f0abb9864"
      "2026a7d99db1204e40b9dfea");
}

TEST(PlainHeaderTest, GivesTheKeysAndTheIdentityOfTheStore) {
  CountingRandom random(0x90);  // so that the root key is a0..bf
  const absl::StatusOr<std::shared_ptr<const Keyring>> keyring =
      OpenPlain(NewPlainHeader(random));
  ASSERT_THAT(keyring, IsOk());
  std::vector<uint8_t> root(Secret::kSize);
  std::iota(root.begin(), root.end(), 0xa0);
  const std::shared_ptr<const Keyring> expected =
      Keyring::Plain(Secret(root), (*keyring)->store_id());
  EXPECT_EQ((*keyring)->store_id()[0], 0x90);
  EXPECT_EQ((*keyring)->paths().OfLeaf("k"), expected->paths().OfLeaf("k"));
}

TEST(PlainHeaderTest, NoTwoStoresShareIdentityOrKeys) {
  const auto first = OpenPlain(NewPlainHeader(SystemRandom())).value();
  const auto second = OpenPlain(NewPlainHeader(SystemRandom())).value();
  EXPECT_NE(first->store_id(), second->store_id());
  EXPECT_NE(first->paths().OfLeaf("k"), second->paths().OfLeaf("k"));
}

TEST(PlainHeaderTest, IsRefusedWithAnyBitFlipped) {
  std::string header = NewPlainHeader(SystemRandom());
  for (size_t i = 0; i < header.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      header[i] ^= 1 << bit;
      const absl::Status status = OpenPlain(header).status();
      // A larger min_reader looks like a newer store before it looks damaged.
      const bool looks_newer =
          status.code() == absl::StatusCode::kUnimplemented;
      EXPECT_TRUE(status.code() == absl::StatusCode::kDataLoss ||
                  (looks_newer && i / 2 == kMinReaderAt / 2))
          << i << " bit " << bit << ": " << status;
      header[i] ^= 1 << bit;
    }
  }
  EXPECT_THAT(OpenPlain(header), IsOk());
}

TEST(PlainHeaderTest, IsRefusedAtAnyOtherLength) {
  const std::string header = NewPlainHeader(SystemRandom());
  for (size_t size = 0; size < header.size(); ++size) {
    const std::string cut = header.substr(0, size);
    EXPECT_THAT(OpenPlain(cut),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kPath)))
        << size;
  }
  EXPECT_THAT(OpenPlain(header + '\0'), HasCode(absl::StatusCode::kDataLoss));
}

TEST(PlainHeaderTest, AStoreForNewerProgramsIsRefusedWithBothNumbers) {
  std::string header = NewPlainHeader(SystemRandom());
  header[kMinReaderAt] = 7;
  const auto names_both =
      StatusIs(absl::StatusCode::kUnimplemented,
               AllOf(HasSubstr("has format 7"), HasSubstr("up to format 1"),
                     HasSubstr(kPath), HasSubstr("use a newer program")));
  EXPECT_THAT(OpenPlain(header), names_both);
  // Whatever the rest of it looks like.
  EXPECT_THAT(OpenPlain(header.substr(0, 12)), names_both);
  EXPECT_THAT(OpenPlain(header + "more"), names_both);
}

// A later program may add what this one need not know, and say so.
TEST(PlainHeaderTest, ANewerFormatForThisReaderIsOpened) {
  CountingRandom random(0x10);
  std::string header = NewPlainHeader(random);
  const std::shared_ptr<const Keyring> keyring = OpenPlain(header).value();
  header[kFormatAt] = 2;
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(header.data());
  keyring->header_tag().Seal(
      bytes + kNonceAt, absl::string_view("lse/1/header\0", 13),
      absl::string_view(header).substr(0, kNonceAt), bytes, bytes + kTagAt);
  FitChecksum(header);
  EXPECT_THAT(OpenPlain(header), IsOk());
}

// The worked vector's header: one slot, one data key.
StoreHeader VectorHeader() {
  CountingRandom random(0x10);
  StoreHeader header = {.store_id = VectorStoreId(),
                        .sealed = true,
                        .slots = {},
                        .data_keys = {VectorDataKey()},
                        .active_key_id = kVectorDataKeyId,
                        .next_key_id = kVectorDataKeyId + 1};
  header.slots.push_back(SealSlot(VectorMasterKey(), VectorRoot(),
                                  header.store_id, /*index=*/0, random));
  return header;
}

std::string Seal(const StoreHeader& header) {
  CountingRandom random(0x50);
  return SealHeader(header, *SealedVectorKeyring(), random);
}

TEST(SealedHeaderTest, HasThePublishedBytes) {
  EXPECT_EQ(
      absl::BytesToHexString(Seal(VectorHeader())),
      "73746174656370700100010001000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf04000000"
      "0300000001000c70726f642d323032362d303900837c0a0711844e24beae7a99a0b03e5c"
      "101112131415161718191a1b1c1d1e1f202122232425262704dd21d570ad07f4beab08e6"
      "d1bd0d233fbac5dccd5816e4de7dc34d26189eaa3e62aa6e94f693e39620a370e9354d3c"
      "010003000000303132333435363738393a3b3c3d3e3f404142434445464757a55ec70f8a"
      "fc6f07f1299cdd9555a830676f04802ef040e436d1b127f6b1bc16447658472b50decb9b"
      "bc6f317b57c3505152535455565758595a5b5c5d5e5f6061626364656667da8c78124cdb"
      "6bc86a7fc39b65d0019949ab8fe0880c76ff06df1993f1cdd945");
}

TEST(SealedHeaderTest, GivesTheKeysThatOpenTheVectorsRecord) {
  const std::string place = absl::HexStringToBytes(
      "01c85f34ac6a74d822010bd5586fbb66a87501915bd4a74096321e00352df9b873b2831c"
      "89f6d4064b8da143");
  const std::string record = absl::HexStringToBytes(
      "010100000300000056000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d600"
      "b81e9ce0732c1570c16b9a1a9754a8008c9e90ec001c7af7cb884cdd121ff33beda353b6"
      "a86cf2f9a4b68594797589ace18483550472e41c13441db499439b17a2d3108dc507426f"
      "a29702ce42238daaae70e86f96fe2f00b1904611c62be6ee4c0e7647715a");
  const MasterKeys keys = KeysOf(VectorMasterKey());
  const auto keyring = Open(Seal(VectorHeader()), &keys);
  ASSERT_THAT(keyring, IsOk());
  const auto reader = RecordReader::Open(**keyring, place, record);
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ(reader->version(), 7u);
  EXPECT_EQ(reader->expires_ms(), 1790000000000);
  EXPECT_EQ(std::string(reader->key()), kVectorKey);
  EXPECT_EQ(std::string(reader->content_type()), "application/json");
  EXPECT_THAT(reader->ReadValue(), IsOkAndHolds(Eq("{\"total\":19.99}")));
}

TEST(SealedHeaderTest, ANewOneHasASlotOfItsKeyAndADataKey) {
  const MasterKeys keys = KeysOf(VectorMasterKey());
  const auto opened =
      OpenHeader(NewSealedHeader(keys.front(), SystemRandom()), &keys, kPath);
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE(opened->keyring->sealed());
  EXPECT_EQ(opened->keyring->active().key_id, 1u);
  EXPECT_EQ(opened->header.slots.size(), 1u);
  EXPECT_EQ(opened->header.slots.front().name, kVectorMasterKeyName);
  EXPECT_EQ(opened->header.data_keys.size(), 1u);
  EXPECT_EQ(opened->header.next_key_id, 2u);
}

TEST(SealedHeaderTest, TwoStoresUnderOneKeyShareNothing) {
  const MasterKeys keys = KeysOf(VectorMasterKey());
  const std::string first = NewSealedHeader(keys.front(), SystemRandom());
  const std::string second = NewSealedHeader(keys.front(), SystemRandom());
  const StoreHeader a = ReadHeader(first, kPath).value();
  const StoreHeader b = ReadHeader(second, kPath).value();
  EXPECT_NE(a.store_id, b.store_id);
  EXPECT_NE(a.slots[0].check_value, b.slots[0].check_value);
  EXPECT_NE(a.slots[0].root.text, b.slots[0].root.text);
  EXPECT_NE(a.data_keys[0].key.text, b.data_keys[0].key.text);
  EXPECT_NE((*Open(first, &keys))->paths().OfLeaf("k"),
            (*Open(second, &keys))->paths().OfLeaf("k"));
}

// Eight slots, of which the last is a passphrase's.
TEST(SealedHeaderTest, OpensWithTheKeyOfEachSlot) {
  StoreHeader header = VectorHeader();
  std::vector<MasterKeys> all_keys;
  all_keys.push_back(KeysOf(VectorMasterKey()));
  for (uint8_t i = 1; i < kMaxKeySlots; ++i) {
    all_keys.push_back(KeysOf(
        i + size_t{1} < kMaxKeySlots
            ? MasterKey::FromKey(absl::StrCat("key", i), VectorSecret(100 + i))
            : Passphrase("open sesame")));
    header.slots.push_back(SealSlot(all_keys.back().front(), VectorRoot(),
                                    header.store_id, i, SystemRandom()));
  }
  const std::string bytes = Seal(header);
  for (const MasterKeys& keys : all_keys) {
    EXPECT_THAT(Open(bytes, &keys), IsOk()) << keys.front().name();
  }
  const MasterKeys misspoken = KeysOf(Passphrase("open sesame "));
  EXPECT_THAT(Open(bytes, &misspoken), HasCode(kWrongKey));
  // Any of the keys given will do.
  MasterKeys several = OtherKeys();
  several.push_back(MasterKey::FromKey("key3", VectorSecret(103)));
  EXPECT_THAT(Open(bytes, &several), IsOk());

  const StoreHeader read = ReadHeader(bytes, kPath).value();
  ASSERT_EQ(read.slots.size(), kMaxKeySlots);
  for (size_t i = 0; i < kMaxKeySlots; ++i) {
    EXPECT_EQ(read.slots[i].index, i);
    EXPECT_EQ(read.slots[i].name, all_keys[i].front().name());
    EXPECT_EQ(read.slots[i].check_value, header.slots[i].check_value);
    EXPECT_EQ(read.slots[i].root, header.slots[i].root);
  }
  EXPECT_EQ(read.slots.back().argon2id, header.slots.back().argon2id);
}

TEST(SealedHeaderTest, AWrongKeyIsRefusedWithTheNamesOfBoth) {
  const MasterKeys keys = OtherKeys();
  EXPECT_THAT(Open(Seal(VectorHeader()), &keys),
              StatusIs(kWrongKey,
                       AllOf(HasSubstr("no configured key opens the store at "
                                       "/srv/orders"),
                             HasSubstr("sealed for: prod-2026-09 (837c0a07)"),
                             HasSubstr("configured: other (034194f1)"),
                             HasSubstr("nothing was opened or changed"))));
}

// Bytes do not become a key by having a passphrase's name, or the reverse.
TEST(SealedHeaderTest, APassphraseOpensNoSlotOfAKey) {
  const MasterKeys keys =
      KeysOf(Passphrase(absl::string_view(std::string(Secret::kSize, '\0'))));
  EXPECT_THAT(Open(Seal(VectorHeader()), &keys),
              StatusIs(kWrongKey, HasSubstr("spoken (a passphrase)")));
}

TEST(SealedHeaderTest, WithoutAKeyItSaysWhoseWouldDo) {
  EXPECT_THAT(Open(Seal(VectorHeader()), nullptr),
              StatusIs(kWrongKey,
                       AllOf(HasSubstr("no key is configured"),
                             HasSubstr("sealed for: prod-2026-09 (837c0a07)"),
                             HasSubstr("nothing was opened or made"))));
}

TEST(PlainHeaderTest, IsNotOpenedForWhoExpectsASealedOne) {
  const MasterKeys keys = OtherKeys();
  EXPECT_THAT(Open(NewPlainHeader(SystemRandom()), &keys),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("is not encrypted"),
                             HasSubstr("statecpp encrypt"))));
}

// Of every bit of a sealed header with a slot of either kind: what becomes of
// the header with that bit flipped.
void ForEachFlippedBit(
    const std::function<void(size_t at, const std::string& header)>& check) {
  StoreHeader header = VectorHeader();
  // Never opened here, so anything will do.
  header.slots.push_back({.index = 1,
                          .name = "spoken",
                          .derivation = KeySlot::Derivation::kArgon2id,
                          .argon2id = {{}, 3, 65536},
                          .check_value = {},
                          .root = header.slots[0].root});
  std::string bytes = Seal(header);
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= 1 << bit;
      check(at, bytes);
      bytes[at] ^= 1 << bit;
    }
  }
}

bool IsMinReader(size_t at) { return at / 2 == kMinReaderAt / 2; }

TEST(SealedHeaderTest, NoFlippedBitLooksLikeAWrongKey) {
  const MasterKeys right = KeysOf(VectorMasterKey());
  const MasterKeys wrong = OtherKeys();
  for (const MasterKeys* keys : {&right, &wrong}) {
    ForEachFlippedBit([keys](size_t at, const std::string& header) {
      const absl::Status status = Open(header, keys).status();
      EXPECT_TRUE(absl::IsDataLoss(status) ||
                  (IsMinReader(at) && status.code() == kTooNew))
          << at << ": " << status;
    });
  }
}

// By whoever knows the format. The check value and what it covers tell which
// key is wanted, so there another key is wanted; all else is damage.
TEST(SealedHeaderTest, NorDoesOneWhoseChecksumFitsButInACheckValue) {
  const MasterKeys right = KeysOf(VectorMasterKey());
  constexpr size_t kCheckValueAt = kBodyAt + 4 + 4 + 1 + 1 + 1 + 12 + 1;
  int wrong_keys = 0;
  ForEachFlippedBit([&](size_t at, const std::string& flipped) {
    std::string header = flipped;
    FitChecksum(header);
    const absl::Status status = Open(header, &right).status();
    const bool is_checked =
        (at >= kCheckValueAt && at < kCheckValueAt + 16) ||
        (at >= kStoreIdAt && at < kStoreIdAt + sizeof(StoreId));
    // In the checksum itself nothing is left of the flip.
    if (at >= header.size() - sizeof(Checksum)) {
      EXPECT_THAT(status, IsOk()) << at;
    } else if (is_checked) {
      EXPECT_THAT(status, HasCode(kWrongKey)) << at;
      ++wrong_keys;
    } else if (IsMinReader(at)) {
      EXPECT_TRUE(absl::IsDataLoss(status) || status.code() == kTooNew)
          << at << ": " << status;
    } else {
      EXPECT_THAT(status, HasCode(kDataLoss)) << at;
    }
  });
  EXPECT_EQ(wrong_keys, 8 * 32);
}

TEST(SealedHeaderTest, IsRefusedAtAnyOtherLength) {
  const MasterKeys keys = KeysOf(VectorMasterKey());
  const std::string header = Seal(VectorHeader());
  for (size_t size = 0; size < header.size(); ++size) {
    std::string cut = header.substr(0, size);
    EXPECT_THAT(Open(cut, &keys), HasCode(kDataLoss)) << size;
    // Not where the checksum would take the place of what stands before it.
    if (size < kBodyAt + sizeof(Checksum)) continue;
    FitChecksum(cut);
    EXPECT_THAT(Open(cut, &keys), HasCode(kDataLoss)) << size;
  }
  std::string longer = header + '\0';
  EXPECT_THAT(Open(longer, &keys), HasCode(kDataLoss));
  FitChecksum(longer);
  EXPECT_THAT(Open(longer, &keys), HasCode(kDataLoss));
}

// With a tag that fits, as only who knows the root key could make them.
TEST(SealedHeaderTest, IsRefusedWhereItContradictsItself) {
  const MasterKeys keys = KeysOf(VectorMasterKey());
  StoreHeader no_slots = VectorHeader();
  no_slots.slots.clear();
  StoreHeader nine_slots = VectorHeader();
  nine_slots.slots.resize(kMaxKeySlots + 1, nine_slots.slots[0]);
  StoreHeader no_keys = VectorHeader();
  no_keys.data_keys.clear();
  StoreHeader active_unknown = VectorHeader();
  active_unknown.active_key_id = 2;
  StoreHeader active_is_none = VectorHeader();
  active_is_none.active_key_id = 0;
  StoreHeader other_number = VectorHeader();
  other_number.data_keys[0].id = 4;
  other_number.active_key_id = 4;
  StoreHeader other_index = VectorHeader();
  other_index.slots[0].index = 1;
  StoreHeader unknown_derivation = VectorHeader();
  unknown_derivation.slots[0].derivation = static_cast<KeySlot::Derivation>(2);
  for (const StoreHeader& header :
       {no_slots, nine_slots, no_keys, active_unknown, active_is_none,
        other_number, other_index, unknown_derivation}) {
    EXPECT_THAT(Open(Seal(header), &keys), HasCode(kDataLoss));
  }
  EXPECT_THAT(Open(Seal(VectorHeader()), &keys), IsOk());
}

TEST(SealedHeaderTest, ADamagedSlotIsNamedAndNotTakenForAWrongKey) {
  StoreHeader header = VectorHeader();
  header.slots[0].root.tag[0] ^= 1;
  const MasterKeys keys = KeysOf(VectorMasterKey());
  EXPECT_THAT(
      Open(Seal(header), &keys),
      StatusIs(kDataLoss, HasSubstr("key slot 0, \"prod-2026-09\", does not "
                                    "open with its own key")));
}

// Bytes of memory that this process ever had.
int64_t PeakMemory() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} << 10;
}

// The header is read before anything of it is proved: what it asks for could
// end the process.
TEST(SealedHeaderTest, APassphraseThatCostsTooMuchIsNotTried) {
  const MasterKeys keys = KeysOf(Passphrase("open sesame"));
  struct Cost {
    uint32_t passes;
    uint32_t memory_kib;
  };
  const int64_t before = PeakMemory();
  for (const Cost& cost :
       {Cost{3, 64 << 20}, Cost{3, (1 << 20) + 1}, Cost{3, 0xffffffff},
        Cost{17, 512 << 10}, Cost{0xffffffff, 512 << 10}, Cost{0, 512 << 10},
        Cost{3, 0}}) {
    StoreHeader header = VectorHeader();
    header.slots[0].derivation = KeySlot::Derivation::kArgon2id;
    header.slots[0].argon2id = {{}, cost.passes, cost.memory_kib};
    EXPECT_THAT(Open(Seal(header), &keys),
                StatusIs(kWrongKey,
                         AllOf(HasSubstr("key slot \"prod-2026-09\""),
                               HasSubstr(absl::StrCat(cost.memory_kib, " KiB")),
                               HasSubstr(absl::StrCat(cost.passes, " passes")),
                               HasSubstr("the key was not tried"))));
  }
  EXPECT_LT(PeakMemory() - before, int64_t{256} << 20);
}

TEST(SealedHeaderTest, AStoreForNewerProgramsIsRefusedWithBothNumbers) {
  const MasterKeys keys = KeysOf(VectorMasterKey());
  std::string header = Seal(VectorHeader());
  header[kMinReaderAt] = 2;
  for (const bool fits : {false, true}) {
    if (fits) FitChecksum(header);
    for (const MasterKeys* given :
         {&keys, static_cast<const MasterKeys*>(nullptr)}) {
      EXPECT_THAT(Open(header, given),
                  StatusIs(kTooNew, AllOf(HasSubstr("has format 2"),
                                          HasSubstr("up to format 1"),
                                          HasSubstr("nothing was opened"))));
    }
  }
}

TEST(SealedHeaderTest, OpensByItsRootKeyAndByNoOther) {
  const std::string header = Seal(VectorHeader());
  EXPECT_THAT(OpenHeaderByRoot(header, VectorRoot(), kPath), IsOk());
  EXPECT_THAT(OpenHeaderByRoot(header, VectorSecret(0x21), kPath),
              HasCode(kDataLoss));
}

// What is there for whoever has no key: names, and nothing of the keys.
TEST(SealedHeaderTest, ShowsNoKey) {
  const std::string header = Seal(VectorHeader());
  for (const uint8_t start : {0x00, 0x20, 0x40}) {
    const Secret secret = VectorSecret(start);
    const auto bytes = secret.RevealKeyBytes();
    // The nonces of the vector share bytes with its keys, but never so many.
    EXPECT_THAT(header,
                Not(HasSubstr(std::string(bytes.begin(), bytes.end()))));
  }
}

}  // namespace
}  // namespace statecpp
