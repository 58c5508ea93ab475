// SPDX-License-Identifier: Apache-2.0
//
// What a record keeps and what it refuses, plain and sealed. Damage is tried at
// every byte and every length, since a record that opens wrongly is a wrong
// answer to an app.
#include "engine/record.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/checksum.h"
#include "crypto/random.h"
#include "engine/coding.h"
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
// Record keys are opaque here; these two need only differ.
constexpr absl::string_view kPlace = "place";
constexpr absl::string_view kOtherPlace = "elsewhere";
constexpr size_t kHeadStart = 12 + Aead::kNonceSize;
constexpr size_t kSplitSize = 1025;

// Where the vector's key stands.
std::string VectorPlace() {
  return absl::HexStringToBytes(
      "01c85f34ac6a74d822010bd5586fbb66a87501915bd4a74096321e00352df9b873b2831c"
      "89f6d4064b8da143");
}

// A record opened to its last byte.
absl::StatusOr<std::string> ReadAll(const Keyring& keyring,
                                    absl::string_view place,
                                    absl::string_view record) {
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(keyring, place, record);
  if (!reader.ok()) return reader.status();
  return reader->ReadValue();
}

// On whether the store is sealed.
class RecordTest : public ::testing::TestWithParam<bool> {
 protected:
  static std::shared_ptr<const Keyring> NewKeyring(
      const StoreId& store_id = VectorStoreId()) {
    return GetParam() ? SealedVectorKeyring(store_id) : VectorKeyring(store_id);
  }

  std::string Seal(absl::string_view value) {
    return SealRecord(*keyring_, SystemRandom(), kPlace,
                      {.version = 7,
                       .expires_ms = 1790000000000,
                       .key = "key",
                       .content_type = "text/plain",
                       .value = value});
  }

  absl::StatusOr<std::string> Read(absl::string_view record) {
    return ReadAll(*keyring_, kPlace, record);
  }

  // A record of `flags` and `head`, sealed as the store would: for heads that
  // the store never writes.
  std::string SealHead(uint8_t flags, absl::string_view head) {
    const Keyring::Active active = keyring_->active();
    std::string header = {1, static_cast<char>(active.algorithm),
                          static_cast<char>(flags), 0};
    AppendFixed(header, active.key_id);
    AppendFixed(header, static_cast<uint32_t>(head.size()));
    const std::string nonce(Aead::kNonceSize, '\0');
    std::string record = absl::StrCat(header, nonce, head);
    record.append(Aead::kTagSize, '\0');
    uint8_t* const bytes = reinterpret_cast<uint8_t*>(record.data());
    active.aead->Seal(bytes + header.size(),
                      absl::StrCat(absl::string_view("lse/1/rec\0", 10),
                                   View(VectorStoreId()), header, kPlace),
                      head, bytes + kHeadStart,
                      bytes + kHeadStart + head.size());
    return record;
  }

  const std::shared_ptr<const Keyring> keyring_ = NewKeyring();
};

INSTANTIATE_TEST_SUITE_P(Stores, RecordTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Sealed" : "Plain";
                         });

std::string Head(uint16_t content_type_len, uint32_t key_len,
                 uint32_t value_len, absl::string_view rest) {
  std::string head;
  AppendFixed(head, uint64_t{7});
  AppendFixed(head, int64_t{0});
  AppendFixed(head, content_type_len);
  AppendFixed(head, key_len);
  AppendFixed(head, value_len);
  absl::StrAppend(&head, rest);
  return head;
}

TEST_P(RecordTest, KeepsAllOfItsContentAtEverySize) {
  for (const size_t size : {0, 1, 100, 1023, 1024, 1025, 1026, 4096, 70000}) {
    for (const absl::string_view key : {"k", "a||b", kVectorKey}) {
      for (const std::string& type : {std::string(), std::string(65535, 't')}) {
        const std::string value(size, 'v');
        const std::string record = SealRecord(*keyring_, SystemRandom(), kPlace,
                                              {.version = ~uint64_t{0},
                                               .expires_ms = 1790000000001,
                                               .key = key,
                                               .content_type = type,
                                               .value = value});
        const absl::StatusOr<RecordReader> reader =
            RecordReader::Open(*keyring_, kPlace, record);
        ASSERT_THAT(reader, IsOk());
        EXPECT_EQ(reader->version(), ~uint64_t{0});
        EXPECT_EQ(reader->expires_ms(), 1790000000001);
        EXPECT_EQ(std::string(reader->key()), std::string(key));
        EXPECT_EQ(std::string(reader->content_type()), type);
        EXPECT_EQ(reader->value_size(), size);
        EXPECT_THAT(reader->ReadValue(), IsOkAndHolds(Eq(value)));
        EXPECT_EQ(RecordFrame::Parse(record)->split, size > 1024);
      }
    }
  }
}

// The content of the worked vector, with the nonce that it has.
std::string SealVector(const Keyring& keyring) {
  CountingRandom random(0xc0);
  return SealRecord(keyring, random, VectorPlace(),
                    {.version = 7,
                     .expires_ms = 1790000000000,
                     .key = kVectorKey,
                     .content_type = "application/json",
                     .value = "{\"total\":19.99}"});
}

std::string SealSplitVector(const Keyring& keyring) {
  CountingRandom random(0xc0);
  return SealRecord(keyring, random, VectorPlace(),
                    {.version = 7,
                     .expires_ms = 0,
                     .key = kVectorKey,
                     .content_type = "",
                     .value = std::string(kSplitSize, 'v')});
}

TEST(PlainRecordTest, HasThePublishedBytes) {
  EXPECT_EQ(
      absl::BytesToHexString(SealVector(*VectorKeyring())),
      "010000000000000056000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d600"
      "0700000000000000006c50c4a001000010001d0000000f0000006f72646572737c7c4f72"
      "6465724163746f727c7c34327c7c73746174656170706c69636174696f6e2f6a736f6e7b"
      "22746f74616c223a31392e39397d3581c854609f788355721345b4ad7464");
}

TEST(PlainRecordTest, HasThePublishedBytesWhereItIsSplit) {
  EXPECT_EQ(
      absl::BytesToHexString(SealSplitVector(*VectorKeyring())),
      absl::StrCat("010001000000000047000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d"
                   "1d2d3d4d5d6000700000000000000000000000000000000001d00000001"
                   "0400006f72646572737c7c4f726465724163746f727c7c34327c7c73746"
                   "174650e2dba17f76e075dcc0102c5dfab978334adaba6bd8de907d4c7ad"
                   "30dcb4a503",
                   absl::BytesToHexString(std::string(kSplitSize, 'v'))));
}

TEST(SealedRecordTest, HasThePublishedBytes) {
  EXPECT_EQ(
      absl::BytesToHexString(SealVector(*SealedVectorKeyring())),
      "010100000300000056000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d600"
      "b81e9ce0732c1570c16b9a1a9754a8008c9e90ec001c7af7cb884cdd121ff33beda353b6"
      "a86cf2f9a4b68594797589ace18483550472e41c13441db499439b17a2d3108dc507426f"
      "a29702ce42238daaae70e86f96fe2f00b1904611c62be6ee4c0e7647715a");
}

TEST(SealedRecordTest, HasThePublishedBytesWhereItIsSplit) {
  const std::string record = SealSplitVector(*SealedVectorKeyring());
  ASSERT_EQ(record.size(), 12 + 24 + 71 + 16 + kSplitSize);
  EXPECT_EQ(
      absl::BytesToHexString(record.substr(0, 12 + 24 + 71 + 16 + 32)),
      "010101000300000047000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d600"
      "b81e9ce0732c1570c107cade3755a8009c9e90ec001c74f3cb884cdd121ff33beda353b6"
      "a86cf2f9a4b68594797589ace18483550472e40167a4d39e491faa78648d7472f53b6eec"
      "75beb35e549a85e05699e70ddd1d6e6d00364a6c2e97d6d4a7efc38b0d6c96fe299657a8"
      "79952ce11386f38d20dab2");
  const Checksum checksum = ChecksumOf(record);
  EXPECT_EQ(absl::BytesToHexString(
                {reinterpret_cast<const char*>(checksum.data()), 16}),
            "800f56f0383a6968b9b504bfc9ec468a");
}

// So a copied or restored store goes on without a counter.
TEST_P(RecordTest, DrawsANonceOfItsOwnEachTime) {
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    nonces.insert(std::string(RecordToken(Seal("the same"))));
  }
  EXPECT_EQ(nonces.size(), 1000u);
}

TEST(SealedRecordTest, ShowsNeitherKeyNorTypeNorValue) {
  for (const std::string& value :
       {std::string("a secret"), absl::StrCat("a secret", std::string(2000, 0)),
        std::string()}) {
    const std::string record =
        SealRecord(*SealedVectorKeyring(), SystemRandom(), kPlace,
                   {.version = 7,
                    .expires_ms = 1790000000000,
                    .key = "a name",
                    .content_type = "text/plain",
                    .value = value});
    EXPECT_THAT(record, AllOf(Not(HasSubstr("a secret")),
                              Not(HasSubstr("a name")), Not(HasSubstr("text")),
                              Not(HasSubstr(std::string(16, 0)))));
  }
}

TEST_P(RecordTest, FailsAtEveryTruncatedLength) {
  for (const std::string& value :
       {std::string(), std::string(10, 'v'), std::string(kSplitSize, 'v')}) {
    const std::string record = Seal(value);
    for (size_t size = 0; size < record.size(); ++size) {
      // Of its own size, so that a sanitizer sees a read past the end.
      const std::string cut = record.substr(0, size);
      ASSERT_THAT(Read(cut), HasCode(kDataLoss)) << size;
    }
    EXPECT_THAT(Read(record), IsOkAndHolds(Eq(value)));
  }
}

TEST_P(RecordTest, FailsWithEveryFlippedBit) {
  for (const std::string& value :
       {std::string(), std::string(10, 'v'), std::string(kSplitSize, 'v')}) {
    std::string record = Seal(value);
    for (size_t i = 0; i < record.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        record[i] ^= 1 << bit;
        ASSERT_THAT(Read(record), HasCode(kDataLoss)) << i << " bit " << bit;
        record[i] ^= 1 << bit;
      }
    }
    EXPECT_THAT(Read(record), IsOkAndHolds(Eq(value)));
  }
}

TEST_P(RecordTest, FailsWithATrailingByte) {
  EXPECT_THAT(Read(Seal("v") + '\0'),
              StatusIs(kDataLoss, HasSubstr("1 trailing bytes")));
  EXPECT_THAT(Read(Seal(std::string(kSplitSize, 'v')) + '\0'),
              StatusIs(kDataLoss, HasSubstr("lengths do not add up")));
}

// What another record of these bytes is refused for. The tag fits none of them,
// but is not what they are refused for: no key was tried.
class RefusedRecord {
 public:
  RefusedRecord(std::shared_ptr<const Keyring> keyring)
      : keyring_(std::move(keyring)),
        record_(SealRecord(*keyring_, SystemRandom(), kPlace,
                           {.version = 7,
                            .expires_ms = 0,
                            .key = "key",
                            .content_type = "",
                            .value = "v"})) {}

  std::string With(size_t at, char byte) const {
    std::string record = record_;
    record[at] = byte;
    const absl::Status refused = ReadAll(*keyring_, kPlace, record).status();
    EXPECT_THAT(refused, HasCode(kDataLoss));
    EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("its tag")));
    return std::string(refused.message());
  }

 private:
  const std::shared_ptr<const Keyring> keyring_;
  const std::string record_;
};

TEST_P(RecordTest, SaysExactlyWhatItDoesNotKnow) {
  const RefusedRecord refused(keyring_);
  EXPECT_THAT(refused.With(0, 0), HasSubstr("unknown format 0"));
  EXPECT_THAT(refused.With(0, 2), HasSubstr("unknown format 2"));
  EXPECT_THAT(refused.With(1, 2), HasSubstr("unknown algorithm 2"));
  EXPECT_THAT(refused.With(1, '\xff'), HasSubstr("unknown algorithm 255"));
  for (const int flags : {4, 8, 16, 32, 64, 128, 5}) {
    EXPECT_THAT(refused.With(2, static_cast<char>(flags)),
                HasSubstr("a reserved bit is set"));
  }
  EXPECT_THAT(refused.With(3, 1), HasSubstr("a reserved bit is set"));
  EXPECT_THAT(refused.With(4, 9),
              HasSubstr("data key 9 is not in this store: it was retired, or "
                        "never made"));
  EXPECT_THAT(refused.With(35, 1), HasSubstr("not that of a head"));
  EXPECT_THAT(Read(""), StatusIs(kDataLoss, HasSubstr("truncated to 0 bytes")));
}

TEST(PlainRecordTest, IsTheOnlyKindThatAPlainStoreReads) {
  EXPECT_THAT(RefusedRecord(VectorKeyring()).With(1, 1),
              HasSubstr("a sealed record in a plain store"));
}

// One that its tag fits, as whoever knows the root key could make it.
TEST(SealedRecordTest, APlainOneIsNotReadInItsPlace) {
  EXPECT_THAT(RefusedRecord(SealedVectorKeyring()).With(1, 0),
              HasSubstr("a plain record in a sealed store"));
  const std::string planted = SealVector(*VectorKeyring());
  ASSERT_THAT(ReadAll(*VectorKeyring(), VectorPlace(), planted), IsOk());
  EXPECT_THAT(
      ReadAll(*SealedVectorKeyring(), VectorPlace(), planted),
      StatusIs(kDataLoss, HasSubstr("a plain record in a sealed store")));
}

TEST(SealedRecordTest, OpensUnderTheDataKeyThatItNames) {
  const std::shared_ptr<const Keyring> both =
      Keyring::Sealed(VectorRoot(), VectorStoreId(),
                      {VectorDataKey(), VectorDataKey(999, 0x60)}, 999);
  const std::string old = SealVector(*SealedVectorKeyring());
  const std::string young = SealVector(*both);
  EXPECT_EQ(RecordFrame::Parse(young)->key_id, 999u);
  for (const std::string& record : {old, young}) {
    EXPECT_THAT(ReadAll(*both, VectorPlace(), record),
                IsOkAndHolds(Eq("{\"total\":19.99}")));
  }
  const std::shared_ptr<const Keyring> retired =
      both->WithDataKeys({VectorDataKey(999, 0x60)}, 999);
  EXPECT_THAT(ReadAll(*retired, VectorPlace(), young), IsOk());
  EXPECT_THAT(
      ReadAll(*retired, VectorPlace(), old),
      StatusIs(kDataLoss, HasSubstr("data key 3 is not in this store: it was "
                                    "retired, or never made")));
  EXPECT_THAT(ReadAll(*SealedVectorKeyring(), VectorPlace(), young),
              StatusIs(kDataLoss, HasSubstr("data key 999 is not in")));
}

TEST_P(RecordTest, FailsWhereTheHeadClaimsMoreOrLessThanThereIs) {
  for (const uint32_t size :
       {uint32_t{0}, uint32_t{25}, uint32_t{1000}, uint32_t{0x7fffffff},
        uint32_t{0xffffffdc}, uint32_t{0xfffffff0}, uint32_t{0xffffffff}}) {
    std::string record = Seal("v").substr(0, 8);
    AppendFixed(record, size);
    record += Seal("v").substr(12);
    EXPECT_THAT(Read(record), StatusIs(kDataLoss, HasSubstr("head claims")));
  }
}

// With a tag that fits: the lengths inside are still not believed.
TEST_P(RecordTest, FailsWhereASealedHeadContradictsItself) {
  ASSERT_THAT(Read(SealHead(0, Head(0, 3, 1, "keyv"))), IsOkAndHolds(Eq("v")));
  const auto adds_up = HasSubstr("lengths do not add up");
  EXPECT_THAT(Read(SealHead(0, Head(0, 3, 2, "keyv"))),
              StatusIs(kDataLoss, adds_up));
  EXPECT_THAT(Read(SealHead(0, Head(0, 3, 0, "keyv"))),
              StatusIs(kDataLoss, adds_up));
  // These two wrap around to the size that is there.
  EXPECT_THAT(Read(SealHead(0, Head(0, 0xffffffff, 5, "keyv"))),
              StatusIs(kDataLoss, adds_up));
  EXPECT_THAT(Read(SealHead(0, Head(5, 3, 0xfffffffc, "keyv"))),
              StatusIs(kDataLoss, adds_up));
}

// The PAD flag is reserved for later writers; this reader must know it.
TEST_P(RecordTest, ReadsAPaddedHead) {
  const std::string padded = absl::StrCat("keyv", std::string(60, '\0'));
  EXPECT_THAT(Read(SealHead(2, Head(0, 3, 1, padded))), IsOkAndHolds(Eq("v")));
  EXPECT_THAT(Read(SealHead(2, Head(0, 3, 62, padded))),
              StatusIs(kDataLoss, HasSubstr("lengths do not add up")));
}

TEST_P(RecordTest, OpensAtNoOtherPlaceAndInNoOtherStore) {
  StoreId other_id = VectorStoreId();
  other_id[15] ^= 1;
  const std::shared_ptr<const Keyring> other_store = NewKeyring(other_id);
  const std::shared_ptr<const Keyring> other_key =
      GetParam() ? Keyring::Sealed(VectorRoot(), VectorStoreId(),
                                   {VectorDataKey(kVectorDataKeyId, 0x41)},
                                   kVectorDataKeyId)
                 : Keyring::Plain(Secret::Random(), VectorStoreId());
  for (const size_t size : {size_t{1}, kSplitSize}) {
    const std::string record = Seal(std::string(size, 'v'));
    EXPECT_THAT(ReadAll(*keyring_, kPlace, record), IsOk());
    EXPECT_THAT(ReadAll(*keyring_, kOtherPlace, record), HasCode(kDataLoss));
    EXPECT_THAT(ReadAll(*other_store, kPlace, record), HasCode(kDataLoss));
    EXPECT_THAT(ReadAll(*other_key, kPlace, record), HasCode(kDataLoss));
  }
}

TEST_P(RecordTest, DoesNotTakeTheBodyOfAnotherRecord) {
  const std::string first = Seal(std::string(kSplitSize, '1'));
  const std::string second = Seal(std::string(kSplitSize, '2'));
  const size_t body = first.size() - kSplitSize;
  const std::string swapped = first.substr(0, body) + second.substr(body);
  EXPECT_THAT(RecordReader::Open(*keyring_, kPlace, swapped), IsOk());
  EXPECT_THAT(Read(swapped),
              StatusIs(kDataLoss, HasSubstr("does not belong to its head")));
}

TEST_P(RecordTest, IsNamedByItsNonceEvenWhereItIsDamaged) {
  const std::string record = Seal("v");
  const std::string same = Seal("v");
  EXPECT_EQ(std::string(RecordToken(record)), record.substr(12, 24));
  EXPECT_NE(std::string(RecordToken(record)), std::string(RecordToken(same)));
  EXPECT_EQ(std::string(RecordToken(record.substr(0, 35))),
            record.substr(0, 35));
  EXPECT_EQ(std::string(RecordToken("")), "");
}

TEST_P(RecordTest, ExpiresAtItsMillisecondAndNeverIfThatIsZero) {
  const auto opened = [&](int64_t expires_ms) {
    const std::string record = SealRecord(*keyring_, SystemRandom(), kPlace,
                                          {.version = 1,
                                           .expires_ms = expires_ms,
                                           .key = "k",
                                           .content_type = "",
                                           .value = "v"});
    const RecordReader reader =
        RecordReader::Open(*keyring_, kPlace, record).value();
    return std::vector<bool>{reader.IsExpired(absl::FromUnixMillis(999)),
                             reader.IsExpired(absl::FromUnixMillis(1000)),
                             reader.IsExpired(absl::InfiniteFuture())};
  };
  EXPECT_THAT(opened(1000), Eq(std::vector<bool>{false, true, true}));
  EXPECT_THAT(opened(0), Eq(std::vector<bool>{false, false, false}));
}

}  // namespace
}  // namespace statecpp
