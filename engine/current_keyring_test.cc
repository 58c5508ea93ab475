// SPDX-License-Identifier: Apache-2.0
//
// Who holds which keyring, at the moments in which another takes its place.
#include "engine/current_keyring.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/storage.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/worked_vector.h"

namespace statecpp {
namespace {

// That store's keyring, whose active key is this one of its data keys 1 and 2.
std::shared_ptr<const Keyring> KeyringWith(uint32_t active_id) {
  return Keyring::Sealed(VectorRoot(), VectorStoreId(),
                         {VectorDataKey(1, 0x41), VectorDataKey(2, 0x42)},
                         active_id);
}

class NoSnapshot final : public Snapshot {
 public:
  absl::StatusOr<std::optional<absl::string_view>> Get(
      Space, absl::string_view) const override {
    return std::nullopt;
  }
  absl::Status Scan(Space, absl::string_view,
                    absl::FunctionRef<bool(absl::string_view,
                                           absl::string_view)>) const override {
    return absl::OkStatus();
  }
};

// Something happens each time when a snapshot is taken.
class EventfulStorage final : public Storage {
 public:
  explicit EventfulStorage(std::function<absl::Status()> event)
      : event_(std::move(event)) {}

  absl::StatusOr<std::unique_ptr<Snapshot>> Read() const override {
    if (absl::Status status = event_(); !status.ok()) return status;
    return std::make_unique<NoSnapshot>();
  }
  absl::StatusOr<std::vector<Verdict>> Commit(absl::Span<const Batch* const>,
                                              int64_t) override {
    return std::vector<Verdict>();
  }

 private:
  const std::function<absl::Status()> event_;
};

// A record that comes under a new data key right then is in the snapshot.
TEST(CurrentKeyringTest, ASnapshotComesWithTheKeyringOfItsMoment) {
  CurrentKeyring current(KeyringWith(1));
  int reads = 0;
  const EventfulStorage storage([&] {
    if (++reads <= 2) current.Replace(KeyringWith(2));
    return absl::OkStatus();
  });
  const absl::StatusOr<KeyedSnapshot> view = current.Read(storage);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->keyring, current.Get());
  EXPECT_EQ(reads, 3);
}

TEST(CurrentKeyringTest, ASnapshotThatFailsIsNotTriedAgain) {
  CurrentKeyring current(KeyringWith(1));
  const EventfulStorage storage([&] {
    current.Replace(KeyringWith(2));
    return absl::UnavailableError("no");
  });
  EXPECT_THAT(current.Read(storage).status(),
              HasCode(absl::StatusCode::kUnavailable));
}

TEST(CurrentKeyringTest, AKeyMaySealAsLongAsAKeyringIsHeldByWhichItIsActive) {
  CurrentKeyring current(KeyringWith(1));
  EXPECT_TRUE(current.MayStillSeal(1));
  EXPECT_FALSE(current.MayStillSeal(2));
  EXPECT_FALSE(current.FormerMayStillSeal());

  std::shared_ptr<const Keyring> writer = current.Get();
  current.Replace(KeyringWith(2));
  EXPECT_TRUE(current.MayStillSeal(1));
  EXPECT_TRUE(current.MayStillSeal(2));
  EXPECT_TRUE(current.FormerMayStillSeal());
  // Whatever else changes meanwhile.
  current.Replace(KeyringWith(2));
  current.Replace(current.Get());
  EXPECT_TRUE(current.MayStillSeal(1));

  writer.reset();
  EXPECT_FALSE(current.MayStillSeal(1));
  EXPECT_FALSE(current.FormerMayStillSeal());
  EXPECT_TRUE(current.MayStillSeal(2));
}

// As after a slot was added: nobody waits for who seals under the same key.
TEST(CurrentKeyringTest, AKeyringWithTheSameActiveKeyIsNoFormerOne) {
  CurrentKeyring current(KeyringWith(2));
  const std::shared_ptr<const Keyring> held = current.Get();
  current.Replace(held);
  current.Replace(KeyringWith(2));
  EXPECT_FALSE(current.FormerMayStillSeal());
  EXPECT_TRUE(current.MayStillSeal(2));
}

}  // namespace
}  // namespace statecpp
