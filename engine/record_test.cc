// SPDX-License-Identifier: Apache-2.0
//
// What a record keeps and what it refuses. Damage is tried at every byte and
// every length, since a record that opens wrongly is a wrong answer to an app.
#include "engine/record.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "engine/coding.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;
// Record keys are opaque here; these two need only differ.
constexpr absl::string_view kPlace = "place";
constexpr absl::string_view kOtherPlace = "elsewhere";
constexpr size_t kHeadStart = 12 + Aead::kNonceSize;
constexpr size_t kSplitSize = 1025;

// A record opened to its last byte.
absl::StatusOr<std::string> ReadAll(const Keyring& keyring,
                                    absl::string_view place,
                                    absl::string_view record) {
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(keyring, place, record);
  if (!reader.ok()) return reader.status();
  return reader->ReadValue();
}

class RecordTest : public ::testing::Test {
 protected:
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

  // A record of `header` and `head`, sealed as the store would: for heads that
  // the store never writes.
  std::string SealHead(std::string header, absl::string_view head) {
    header.resize(8, '\0');
    AppendFixed(header, static_cast<uint32_t>(head.size()));
    const std::string nonce(Aead::kNonceSize, '\0');
    std::string record = absl::StrCat(header, nonce, head);
    record.append(Aead::kTagSize, '\0');
    uint8_t* const bytes = reinterpret_cast<uint8_t*>(record.data());
    const StoreId store_id = VectorStoreId();
    keyring_->active().aead->Seal(
        bytes + header.size(),
        absl::StrCat(
            absl::string_view("lse/1/rec\0", 10),
            absl::string_view(reinterpret_cast<const char*>(store_id.data()),
                              store_id.size()),
            header, kPlace),
        head, bytes + kHeadStart, bytes + kHeadStart + head.size());
    return record;
  }

  const std::shared_ptr<const Keyring> keyring_ = VectorKeyring();
};

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

TEST_F(RecordTest, KeepsAllOfItsContentAtEverySize) {
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

TEST_F(RecordTest, HasThePublishedBytes) {
  CountingRandom random(0xc0);
  EXPECT_EQ(
      absl::BytesToHexString(SealRecord(
          *keyring_, random,
          absl::HexStringToBytes("01c85f34ac6a74d822010bd5586fbb66a87501915bd4a"
                                 "74096321e00352df9b873b2831c89f6d4064b8da143"),
          {.version = 7,
           .expires_ms = 1790000000000,
           .key = kVectorKey,
           .content_type = "application/json",
           .value = "{\"total\":19.99}"})),
      "010000000000000056000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d600"
      "0700000000000000006c50c4a001000010001d0000000f0000006f72646572737c7c4f72"
      "6465724163746f727c7c34327c7c73746174656170706c69636174696f6e2f6a736f6e7b"
      "22746f74616c223a31392e39397d3581c854609f788355721345b4ad7464");
}

TEST_F(RecordTest, HasThePublishedBytesWhereItIsSplit) {
  CountingRandom random(0xc0);
  const std::string value(kSplitSize, 'v');
  EXPECT_EQ(
      absl::BytesToHexString(SealRecord(
          *keyring_, random,
          absl::HexStringToBytes("01c85f34ac6a74d822010bd5586fbb66a87501915bd4a"
                                 "74096321e00352df9b873b2831c89f6d4064b8da143"),
          {.version = 7,
           .expires_ms = 0,
           .key = kVectorKey,
           .content_type = "",
           .value = value})),
      absl::StrCat("010001000000000047000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d"
                   "1d2d3d4d5d6000700000000000000000000000000000000001d00000001"
                   "0400006f72646572737c7c4f726465724163746f727c7c34327c7c73746"
                   "174650e2dba17f76e075dcc0102c5dfab978334adaba6bd8de907d4c7ad"
                   "30dcb4a503",
                   absl::BytesToHexString(value)));
}

TEST_F(RecordTest, FailsAtEveryTruncatedLength) {
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

TEST_F(RecordTest, FailsWithEveryFlippedBit) {
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

TEST_F(RecordTest, FailsWithATrailingByte) {
  EXPECT_THAT(Read(Seal("v") + '\0'),
              StatusIs(kDataLoss, HasSubstr("1 trailing bytes")));
  EXPECT_THAT(Read(Seal(std::string(kSplitSize, 'v')) + '\0'),
              StatusIs(kDataLoss, HasSubstr("lengths do not add up")));
}

TEST_F(RecordTest, SaysExactlyWhatItDoesNotKnow) {
  const std::string record = Seal("v");
  const auto patched = [&record](size_t at, char byte) {
    std::string copy = record;
    copy[at] = byte;
    return copy;
  };
  EXPECT_THAT(Read(patched(0, 0)),
              StatusIs(kDataLoss, HasSubstr("unknown format 0")));
  EXPECT_THAT(Read(patched(0, 2)),
              StatusIs(kDataLoss, HasSubstr("unknown format 2")));
  EXPECT_THAT(Read(patched(1, 2)),
              StatusIs(kDataLoss, HasSubstr("unknown algorithm 2")));
  EXPECT_THAT(Read(patched(2, 4)),
              StatusIs(kDataLoss, HasSubstr("a reserved bit is set")));
  EXPECT_THAT(Read(patched(3, 1)),
              StatusIs(kDataLoss, HasSubstr("a reserved bit is set")));
  EXPECT_THAT(
      Read(patched(4, 9)),
      StatusIs(kDataLoss, HasSubstr("data key 9 is not in this store")));
  EXPECT_THAT(Read(patched(35, 1)),
              StatusIs(kDataLoss, HasSubstr("not that of a head")));
  EXPECT_THAT(Read(""), StatusIs(kDataLoss, HasSubstr("truncated to 0 bytes")));
}

TEST_F(RecordTest, FailsWhereTheHeadClaimsMoreOrLessThanThereIs) {
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
TEST_F(RecordTest, FailsWhereASealedHeadContradictsItself) {
  ASSERT_THAT(Read(SealHead("\1", Head(0, 3, 1, "keyv"))),
              IsOkAndHolds(Eq("v")));
  const auto adds_up = HasSubstr("lengths do not add up");
  EXPECT_THAT(Read(SealHead("\1", Head(0, 3, 2, "keyv"))),
              StatusIs(kDataLoss, adds_up));
  EXPECT_THAT(Read(SealHead("\1", Head(0, 3, 0, "keyv"))),
              StatusIs(kDataLoss, adds_up));
  // These two wrap around to the size that is there.
  EXPECT_THAT(Read(SealHead("\1", Head(0, 0xffffffff, 5, "keyv"))),
              StatusIs(kDataLoss, adds_up));
  EXPECT_THAT(Read(SealHead("\1", Head(5, 3, 0xfffffffc, "keyv"))),
              StatusIs(kDataLoss, adds_up));
}

// The PAD flag is reserved for later writers; this reader must know it.
TEST_F(RecordTest, ReadsAPaddedHead) {
  const std::string header("\1\0\2", 3);
  const std::string padded = absl::StrCat("keyv", std::string(60, '\0'));
  EXPECT_THAT(Read(SealHead(header, Head(0, 3, 1, padded))),
              IsOkAndHolds(Eq("v")));
  EXPECT_THAT(Read(SealHead(header, Head(0, 3, 62, padded))),
              StatusIs(kDataLoss, HasSubstr("lengths do not add up")));
}

TEST_F(RecordTest, OpensAtNoOtherPlaceAndInNoOtherStore) {
  StoreId other_id = VectorStoreId();
  other_id[15] ^= 1;
  const std::shared_ptr<const Keyring> other_store = VectorKeyring(other_id);
  const std::shared_ptr<const Keyring> other_root =
      Keyring::Plain(Secret::Random(), VectorStoreId());
  for (const size_t size : {size_t{1}, kSplitSize}) {
    const std::string record = Seal(std::string(size, 'v'));
    EXPECT_THAT(ReadAll(*keyring_, kPlace, record), IsOk());
    EXPECT_THAT(ReadAll(*keyring_, kOtherPlace, record), HasCode(kDataLoss));
    EXPECT_THAT(ReadAll(*other_store, kPlace, record), HasCode(kDataLoss));
    EXPECT_THAT(ReadAll(*other_root, kPlace, record), HasCode(kDataLoss));
  }
}

TEST_F(RecordTest, DoesNotTakeTheBodyOfAnotherRecord) {
  const std::string first = Seal(std::string(kSplitSize, '1'));
  const std::string second = Seal(std::string(kSplitSize, '2'));
  const size_t body = first.size() - kSplitSize;
  const std::string swapped = first.substr(0, body) + second.substr(body);
  EXPECT_THAT(RecordReader::Open(*keyring_, kPlace, swapped), IsOk());
  EXPECT_THAT(Read(swapped),
              StatusIs(kDataLoss, HasSubstr("does not belong to its head")));
}

TEST_F(RecordTest, IsNamedByItsNonceEvenWhereItIsDamaged) {
  const std::string record = Seal("v");
  const std::string same = Seal("v");
  EXPECT_EQ(std::string(RecordToken(record)), record.substr(12, 24));
  EXPECT_NE(std::string(RecordToken(record)), std::string(RecordToken(same)));
  EXPECT_EQ(std::string(RecordToken(record.substr(0, 35))),
            record.substr(0, 35));
  EXPECT_EQ(std::string(RecordToken("")), "");
}

TEST_F(RecordTest, ExpiresAtItsMillisecondAndNeverIfThatIsZero) {
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
