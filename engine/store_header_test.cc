// SPDX-License-Identifier: Apache-2.0
#include "engine/store_header.h"

#include <sodium.h>

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "crypto/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kFormatAt = 8;
constexpr size_t kMinReaderAt = 10;
constexpr size_t kNonceAt = 64;
constexpr size_t kTagAt = kNonceAt + Aead::kNonceSize;

// What the path is named in texts.
constexpr char kPath[] = "/srv/orders";

absl::StatusOr<std::shared_ptr<const Keyring>> OpenPlain(
    absl::string_view header) {
  absl::StatusOr<OpenedHeader> opened = OpenHeader(header, nullptr, kPath);
  if (!opened.ok()) return opened.status();
  return opened->keyring;
}

// As whoever changes a header on purpose does.
void FitChecksum(std::string& header) {
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(header.data());
  crypto_generichash(bytes + header.size() - 16, 16, bytes, header.size() - 16,
                     nullptr, 0);
}

TEST(StoreHeaderTest, HasThePublishedBytes) {
  CountingRandom random(0x10);
  EXPECT_EQ(
      absl::BytesToHexString(NewPlainHeader(random)),
      "73746174656370700100010000000000101112131415161718191a1b1c1d1e1f20212223"
      "2425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041424344454647"
      "48494a4b4c4d4e4f505152535455565760cee977e321267f374e64f087c83f9f"
      "0abb98642026a7d99db1204e40b9dfea");
}

TEST(StoreHeaderTest, GivesTheKeysAndTheIdentityOfTheStore) {
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

TEST(StoreHeaderTest, NoTwoStoresShareIdentityOrKeys) {
  const auto first = OpenPlain(NewPlainHeader(SystemRandom())).value();
  const auto second = OpenPlain(NewPlainHeader(SystemRandom())).value();
  EXPECT_NE(first->store_id(), second->store_id());
  EXPECT_NE(first->paths().OfLeaf("k"), second->paths().OfLeaf("k"));
}

TEST(StoreHeaderTest, IsRefusedWithAnyBitFlipped) {
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

TEST(StoreHeaderTest, IsRefusedAtAnyOtherLength) {
  const std::string header = NewPlainHeader(SystemRandom());
  for (size_t size = 0; size < header.size(); ++size) {
    const std::string cut = header.substr(0, size);
    EXPECT_THAT(OpenPlain(cut),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(kPath)))
        << size;
  }
  EXPECT_THAT(OpenPlain(header + '\0'), HasCode(absl::StatusCode::kDataLoss));
}

TEST(StoreHeaderTest, AStoreForNewerProgramsIsRefusedWithBothNumbers) {
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
TEST(StoreHeaderTest, ANewerFormatForThisReaderIsOpened) {
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

}  // namespace
}  // namespace statecpp
