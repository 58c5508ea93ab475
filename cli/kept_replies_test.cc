// SPDX-License-Identifier: Apache-2.0
//
// How long replies are listened to.
#include "cli/kept_replies.h"

#include "absl/time/time.h"
#include "api/admin_message.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::SizeIs;

TEST(RepliesInTimeTest, KeepsThoseOfItsKind) {
  RepliesInTime<AdminStore> replies(absl::Hours(1));
  EXPECT_TRUE(replies.Tell(AdminReply(AdminStore())));
  EXPECT_TRUE(replies.Tell(AdminReply(StoreStats())));
  EXPECT_THAT(replies.replies(), SizeIs(1));
}

TEST(RepliesInTimeTest, LeavesOneWhoGoesOnTelling) {
  RepliesInTime<AdminStore> replies(-absl::Seconds(1));
  EXPECT_FALSE(replies.Tell(AdminReply(AdminStore())));
  EXPECT_TRUE(replies.LeavesWithin(absl::ZeroDuration()));
}

}  // namespace
}  // namespace statecpp
