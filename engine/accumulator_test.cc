// SPDX-License-Identifier: Apache-2.0
//
// The accumulator stands for the records of a store, whatever order they came
// in; sealed, it opens only as it was.
#include "engine/accumulator.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "engine/record.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// On whether the store is sealed.
class AccumulatorTest : public ::testing::TestWithParam<bool> {
 protected:
  static std::shared_ptr<const Keyring> NewKeyring(
      const StoreId& store_id = VectorStoreId()) {
    return GetParam() ? SealedVectorKeyring(store_id) : VectorKeyring(store_id);
  }

  std::string Record(absl::string_view place, absl::string_view value) {
    return SealRecord(*keyring_, SystemRandom(), place,
                      {.version = 1,
                       .expires_ms = 0,
                       .key = "key",
                       .content_type = "",
                       .value = value});
  }

  std::string Sealed() {
    Accumulator accumulator(*keyring_);
    accumulator.Replace("a", std::nullopt, Record("a", "1"));
    accumulator.KeepHighWater(5);
    accumulator.CountOpen();
    return accumulator.SealNextCommit(SystemRandom());
  }

  const std::shared_ptr<const Keyring> keyring_ = NewKeyring();
  const Accumulator empty_{*keyring_};
};

INSTANTIATE_TEST_SUITE_P(Stores, AccumulatorTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Sealed" : "Plain";
                         });

// The record of the worked vector comes to an empty store.
void AddVectorRecord(const Keyring& keyring, Accumulator& accumulator) {
  const std::string place = absl::HexStringToBytes(
      "01c85f34ac6a74d822010bd5586fbb66a87501915bd4a74096321e00352df9b873b2831c"
      "89f6d4064b8da143");
  CountingRandom random(0xc0);
  accumulator.Replace(place, std::nullopt,
                      SealRecord(keyring, random, place,
                                 {.version = 7,
                                  .expires_ms = 1790000000000,
                                  .key = kVectorKey,
                                  .content_type = "application/json",
                                  .value = "{\"total\":19.99}"}));
}

TEST(SealedAccumulatorTest, HasThePublishedBytes) {
  const std::shared_ptr<const Keyring> keyring = SealedVectorKeyring();
  Accumulator accumulator(*keyring);
  accumulator.KeepHighWater(1789999000000);
  accumulator.SealNextCommit(SystemRandom());  // the store is made
  accumulator.CountOpen();
  accumulator.SealNextCommit(SystemRandom());  // and opened
  AddVectorRecord(*keyring, accumulator);
  CountingRandom random(0x70);
  EXPECT_EQ(
      absl::BytesToHexString(accumulator.SealNextCommit(random)),
      "01010000707172737475767778797a7b7c7d7e7f808182838485868739575f4b3c27cb4d"
      "dae59dc0150c2412939f67ef44204996bf428c9eeebdf73f1458a0157434b2fc948c07a5"
      "899df5e4b644d98bfa3aaf188f6eec16c80370f00a7b39a329b316696f6f73d4111d52b9"
      "5164e2d11deb0d9336b3604c1f8461956b593c4f622500f4b6d1ada915636b47d0619b80"
      "5cf45c7b1a4cf3e1e87bb16c");
}

TEST(PlainAccumulatorTest, HasThePublishedBytes) {
  const std::shared_ptr<const Keyring> keyring = VectorKeyring();
  Accumulator accumulator(*keyring);
  AddVectorRecord(*keyring, accumulator);
  accumulator.KeepHighWater(1790000000000);
  CountingRandom again(0xc0);
  EXPECT_EQ(
      absl::BytesToHexString(accumulator.SealNextCommit(again)),
      "01000000c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d70100000000000000"
      "0000000000000000006c50c4a00100000000000000000000cb2d2916e239e481322360f8"
      "288d77182ff09a70da57e98f1c08f8818bdd1a37d0ca2489b4e8dd5bae2228d48cf354eb"
      "c4b2a520b1bd25676789b6f382b91f05010000000000000001000000000000004812d1f1"
      "0c00e34f3a9306774748e98b");
}

TEST_P(AccumulatorTest, StandsForTheRecordsAndNotForTheirHistory) {
  const std::string a = Record("a", "1");
  const std::string b = Record("b", "1");
  Accumulator straight(*keyring_);
  straight.Replace("b", std::nullopt, b);
  straight.Replace("a", std::nullopt, a);

  Accumulator detour(*keyring_);
  const std::string former = Record("a", "0");
  const std::string passing = Record("c", "1");
  detour.Replace("a", std::nullopt, former);
  detour.Replace("c", std::nullopt, passing);
  detour.Replace("a", former, a);
  EXPECT_FALSE(detour.SameRecords(straight));
  detour.Replace("b", std::nullopt, b);
  detour.Replace("c", passing, std::nullopt);
  EXPECT_TRUE(detour.SameRecords(straight));
  EXPECT_EQ(detour.records(), 2u);
  EXPECT_THAT(detour.records_by_key(),
              ElementsAre(Pair(keyring_->active().key_id, 2)));

  detour.Replace("a", a, std::nullopt);
  detour.Replace("b", b, std::nullopt);
  EXPECT_TRUE(detour.SameRecords(empty_));
  EXPECT_THAT(detour.records_by_key(), IsEmpty());
}

TEST_P(AccumulatorTest, TellsEqualValuesAndPlacesApart) {
  const std::string record = Record("a", "1");
  Accumulator here(*keyring_);
  here.Replace("a", std::nullopt, record);
  Accumulator elsewhere(*keyring_);
  elsewhere.Replace("b", std::nullopt, record);
  EXPECT_FALSE(here.SameRecords(elsewhere));
  Accumulator other_write(*keyring_);
  other_write.Replace("a", std::nullopt, Record("a", "1"));
  EXPECT_FALSE(here.SameRecords(other_write));
  Accumulator twice(*keyring_);
  twice.Replace("a", std::nullopt, record);
  twice.Replace("a", std::nullopt, record);
  EXPECT_FALSE(here.SameRecords(twice));
}

TEST_P(AccumulatorTest, CountsWhatItCouldNotSubtract) {
  const std::string record = Record("a", "1");
  Accumulator accumulator(*keyring_);
  accumulator.Replace("a", std::nullopt, record);
  // Too short for a record, and of a key that no record was sealed under.
  accumulator.Replace("a", record.substr(0, 20), record);
  std::string foreign = record;
  foreign[4] = 9;
  accumulator.Replace("a", foreign, std::nullopt);
  EXPECT_EQ(accumulator.unreadable(), 2u);
  accumulator.Replace("a", record, std::nullopt);
  EXPECT_EQ(accumulator.records(), 1u);
  EXPECT_FALSE(accumulator.SameRecords(empty_));
}

TEST_P(AccumulatorTest, AcceptsOtherRecordsAndKeepsOrderAndTime) {
  const std::string a = Record("a", "1");
  Accumulator accumulator(*keyring_);
  accumulator.Replace("a", std::nullopt, a);
  accumulator.Replace("b", "damaged", std::nullopt);
  accumulator.KeepHighWater(5);
  accumulator.CountOpen();
  accumulator.SealNextCommit(SystemRandom());
  Accumulator counted(*keyring_);
  counted.Replace("b", std::nullopt, Record("b", "1"));
  accumulator.Accept(counted);
  EXPECT_TRUE(accumulator.SameRecords(counted));
  EXPECT_EQ(accumulator.unreadable(), 0u);
  EXPECT_EQ(accumulator.commit_seq(), 1u);
  EXPECT_EQ(accumulator.open_count(), 1u);
  EXPECT_EQ(accumulator.high_water_ms(), 5);
}

TEST_P(AccumulatorTest, OpensAsItWasSealed) {
  Accumulator accumulator(*keyring_);
  accumulator.Replace("a", std::nullopt, Record("a", "1"));
  accumulator.Replace("a", "damaged", std::nullopt);
  accumulator.KeepHighWater(5);
  accumulator.CountOpen();
  accumulator.SealNextCommit(SystemRandom());
  const std::optional<Accumulator> opened =
      Accumulator::Open(*keyring_, accumulator.SealNextCommit(SystemRandom()));
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->SameRecords(accumulator));
  EXPECT_EQ(opened->commit_seq(), 2u);
  EXPECT_EQ(opened->open_count(), 1u);
  EXPECT_EQ(opened->high_water_ms(), 5);
  EXPECT_EQ(opened->unreadable(), 1u);
  EXPECT_EQ(opened->records(), 1u);

  const std::optional<Accumulator> nothing = Accumulator::Open(
      *keyring_, Accumulator(*keyring_).SealNextCommit(SystemRandom()));
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->SameRecords(empty_));
}

// The chain is how two histories that end in the same records differ. It is
// read where it stands in clear.
TEST(PlainAccumulatorTest, ChainsEachCommitToTheOnesBefore) {
  const std::shared_ptr<const Keyring> keyring = VectorKeyring();
  const std::string record = SealRecord(*keyring, SystemRandom(), "a",
                                        {.version = 1,
                                         .expires_ms = 0,
                                         .key = "key",
                                         .content_type = "",
                                         .value = "1"});
  const auto sealed_chain = [&](bool detour) {
    Accumulator accumulator(*keyring);
    accumulator.Replace("a", std::nullopt, record);
    if (detour) accumulator.Replace("a", record, std::nullopt);
    CountingRandom random(0);
    accumulator.SealNextCommit(random);
    if (detour) accumulator.Replace("a", std::nullopt, record);
    CountingRandom again(0);
    constexpr size_t kChainAt = 4 + 24 + 64;
    return accumulator.SealNextCommit(again).substr(kChainAt, 32);
  };
  EXPECT_EQ(sealed_chain(false), sealed_chain(false));
  EXPECT_NE(sealed_chain(false), sealed_chain(true));
}

TEST_P(AccumulatorTest, IsRefusedWithAnyBitFlipped) {
  std::string sealed = Sealed();
  ASSERT_TRUE(Accumulator::Open(*keyring_, sealed).has_value());
  for (size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      sealed[i] ^= 1 << bit;
      EXPECT_FALSE(Accumulator::Open(*keyring_, sealed).has_value())
          << i << " bit " << bit;
      sealed[i] ^= 1 << bit;
    }
  }
}

TEST_P(AccumulatorTest, IsRefusedAtAnyOtherLengthAndInAnyOtherStore) {
  const std::string sealed = Sealed();
  for (size_t size = 0; size < sealed.size(); ++size) {
    const std::string cut = sealed.substr(0, size);
    EXPECT_FALSE(Accumulator::Open(*keyring_, cut).has_value()) << size;
  }
  EXPECT_FALSE(Accumulator::Open(*keyring_, sealed + '\0').has_value());
  EXPECT_FALSE(Accumulator::Open(*NewKeyring(StoreId{}), sealed).has_value());
  // One with the same root key that is not sealed, or is.
  EXPECT_FALSE(
      Accumulator::Open(GetParam() ? *VectorKeyring() : *SealedVectorKeyring(),
                        sealed)
          .has_value());
}

// With a tag that fits: the count inside is still not believed.
TEST_P(AccumulatorTest, IsRefusedWhereItContradictsItself) {
  constexpr size_t kStateAt = 4 + 24;
  constexpr size_t kKeyCountAt = 4 * 8 + 2 * 32;
  std::string sealed = Sealed();
  const size_t size = sealed.size() - kStateAt - Aead::kTagSize;
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(sealed.data());
  const std::string place =
      absl::StrCat(absl::string_view("lse/1/acc\0", 10), View(VectorStoreId()));
  const std::string text = sealed.substr(kStateAt, size);
  std::string state(size, '\0');
  ASSERT_TRUE(keyring_->meta_aead().Open(
      bytes + 4, place, text, bytes + kStateAt + size,
      reinterpret_cast<uint8_t*>(state.data())));
  for (const char count : {0, 2, 127}) {
    state[kKeyCountAt] = count;
    keyring_->meta_aead().Seal(bytes + 4, place, state, bytes + kStateAt,
                               bytes + kStateAt + size);
    EXPECT_FALSE(Accumulator::Open(*keyring_, sealed).has_value()) << count;
  }
}

}  // namespace
}  // namespace statecpp
