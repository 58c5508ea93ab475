// SPDX-License-Identifier: Apache-2.0
//
// What goes over the admin socket comes out as it went in.
#include "api/admin_message.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/error_payload.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::HasSubstr;

AdminRequest Back(const AdminRequest& request) {
  return AdminRequestFromProto(AdminRequestToProto(request)).value();
}

template <typename Verb>
Verb VerbBack(const Verb& verb) {
  return std::get<Verb>(Back({.data_dir = "d", .verb = verb}).verb);
}

template <typename Reply>
Reply ReplyBack(const Reply& reply) {
  return std::get<Reply>(AdminReplyFromProto(AdminReplyToProto(reply)).value());
}

TEST(AdminRequestTest, NamesItsStore) {
  EXPECT_EQ(Back({.data_dir = "shop/\xFF", .verb = {}}).data_dir, "shop/\xFF")
      << "a name need not be UTF-8";
}

TEST(AdminRequestTest, KeepsItsVerb) {
  const std::vector<AdminRequest::Verb> verbs = {AdminRequest::ListStores{},
                                                 AdminRequest::GetKeysStatus{},
                                                 AdminRequest::AddKey{"/f"},
                                                 AdminRequest::RemoveKey{"k"},
                                                 AdminRequest::RotateDataKey{},
                                                 AdminRequest::RetireDataKeys{},
                                                 AdminRequest::WatchRotation{},
                                                 AdminRequest::Verify{},
                                                 AdminRequest::Query{"{}"},
                                                 AdminRequest::Backup{"/b"},
                                                 ItemRequest{},
                                                 AdminRequest::Stats{}};
  ASSERT_EQ(verbs.size(), std::variant_size_v<AdminRequest::Verb>);
  for (size_t i = 0; i < verbs.size(); ++i) {
    ASSERT_EQ(verbs[i].index(), i);
    EXPECT_EQ(Back({.data_dir = "d", .verb = verbs[i]}).verb.index(), i);
  }
}

TEST(AdminReplyTest, KeepsHowFarABackupIsAndWhatCameOfIt) {
  const auto progress =
      ReplyBack(BackupRequest::Progress{.step = BackupRequest::Step::kFollow,
                                        .done = 1,
                                        .total = 2,
                                        .slowed = absl::Milliseconds(3)});
  EXPECT_EQ(progress.step, BackupRequest::Step::kFollow);
  EXPECT_EQ(progress.done, 1u);
  EXPECT_EQ(progress.total, 2u);
  EXPECT_EQ(progress.slowed, absl::Milliseconds(3));
  const BackupReport report =
      ReplyBack(BackupReport{.commit_seq = 1,
                             .records = 2,
                             .bytes = 3,
                             .copied = 4,
                             .resumed = true,
                             .rounds = 5,
                             .rescans = 6,
                             .slowed = absl::Milliseconds(7)});
  EXPECT_EQ(report.commit_seq, 1u);
  EXPECT_EQ(report.records, 2u);
  EXPECT_EQ(report.bytes, 3u);
  EXPECT_EQ(report.copied, 4u);
  EXPECT_TRUE(report.resumed);
  EXPECT_EQ(report.rounds, 5u);
  EXPECT_EQ(report.rescans, 6u);
  EXPECT_EQ(report.slowed, absl::Milliseconds(7));
}

TEST(AdminReplyTest, KeepsWhatAWalkFound) {
  const WalkFinding finding = {.kind = WalkFinding::Kind::kForeign,
                               .place = "\x01\xFF",
                               .key = "k\xFE",
                               .reason = "why"};
  EXPECT_EQ(ReplyBack(finding), finding);
  EXPECT_EQ(ReplyBack(AdminWalked{3, 4}).records, 3u);
  EXPECT_EQ(ReplyBack(AdminWalked{3, 4}).total, 4u);
  WalkReport report;
  report.complete = true;
  report.findings = 1;
  report.records = 2;
  report.expired = 3;
  report.damaged = 4;
  report.bytes = 5;
  report.expiry_entries = 6;
  report.stray_entries = 7;
  report.commit_seq = 8;
  report.unreadable = 9;
  report.accumulator = WalkReport::Accumulator::kDiffers;
  report.data_keys = {{.id = 10, .counted = 11, .kept = 12}};
  EXPECT_EQ(ReplyBack(report), report);
}

TEST(AdminReplyTest, KeepsWhatAQueryFound) {
  const AdminRow row = ReplyBack(AdminRow{"k\xFE", "e", "v\xFE", true});
  EXPECT_EQ(row.key, "k\xFE");
  EXPECT_EQ(row.etag, "e");
  EXPECT_EQ(row.value, "v\xFE");
  EXPECT_TRUE(row.is_rest);
  EXPECT_FALSE(ReplyBack(AdminRow{}).is_rest);
  EXPECT_EQ(ReplyBack(AdminPage{"token"}).next_token, "token");
}

TEST(AdminReplyTest, KeepsAnItem) {
  const AdminRow item = {.key = "k",
                         .etag = "e",
                         .value = "v",
                         .content_type = "text/plain",
                         .expires_ms = 0,
                         .size = 1,
                         .is_damaged = true};
  EXPECT_EQ(ReplyBack(item), item);
  EXPECT_EQ(ReplyBack(AdminRow{}).expires_ms, std::nullopt);
  EXPECT_EQ(ReplyBack(AdminPage{"token", 3}).damaged, 3u);
  EXPECT_EQ(ReplyBack(AdminCount{4}).items, 4u);
}

TEST(AdminReplyTest, KeepsFigures) {
  StoreStats stats;
  stats.format = 1;
  stats.commit_seq = 2;
  stats.open_count = 3;
  stats.records = 4;
  stats.used_bytes = 5;
  stats.max_size = 6;
  stats.page_size = 7;
  stats.used_pages = 8;
  stats.free_pages = 9;
  stats.file_bytes = 10;
  stats.file_bytes_on_disk = 11;
  stats.disk_free_bytes = 12;
  stats.readers = 13;
  stats.oldest_reader_lag = 14;
  stats.expiry_entries = 15;
  stats.due_entries = 16;
  EXPECT_EQ(ReplyBack(stats), stats);
  stats.due_since = absl::FromUnixMillis(17);
  EXPECT_EQ(ReplyBack(stats), stats);
}

template <typename Verb>
void ExpectItemVerbBack(const Verb& verb) {
  const ItemRequest back = VerbBack(ItemRequest{verb});
  ASSERT_TRUE(std::holds_alternative<Verb>(back.verb));
  EXPECT_EQ(std::get<Verb>(back.verb), verb);
}

TEST(AdminRequestTest, KeepsWhatIsAskedOfItems) {
  ExpectItemVerbBack(ItemRequest::Get{"k\xFE"});
  ExpectItemVerbBack(ItemRequest::Set{"k\xFE", "v\xFF", "text/plain", 7, "e"});
  ExpectItemVerbBack(ItemRequest::Set{.key = "k", .first_write = true});
  ExpectItemVerbBack(ItemRequest::Delete{"k\xFE", "e"});
  ExpectItemVerbBack(ItemRequest::List{"a||%", "token", 9, true});
  ExpectItemVerbBack(ItemRequest::DeletePrefix{"a||", true});
}

TEST(AdminRequestTest, KeepsWhatTheVerbTakes) {
  EXPECT_TRUE(VerbBack(AdminRequest::Verify{.quick = true}).quick);
  EXPECT_FALSE(VerbBack(AdminRequest::Verify{.quick = true}).show_keys);
  EXPECT_TRUE(VerbBack(AdminRequest::Verify{.show_keys = true}).show_keys);
  const AdminRequest::AddKey add =
      VerbBack(AdminRequest::AddKey{"/run/\xFE.key", true, false, "next"});
  EXPECT_EQ(add.file, "/run/\xFE.key");
  EXPECT_TRUE(add.is_passphrase);
  EXPECT_FALSE(add.allow_loose);
  EXPECT_EQ(add.name, "next");
  EXPECT_TRUE(VerbBack(AdminRequest::AddKey{"/f", false, true}).allow_loose);
  EXPECT_EQ(VerbBack(AdminRequest::RemoveKey{"old"}).name, "old");
  EXPECT_EQ(VerbBack(AdminRequest::RetireDataKeys{}).id, std::nullopt);
  EXPECT_EQ(VerbBack(AdminRequest::Backup{"/b\xFE"}).path, "/b\xFE");
  const AdminRequest::Query query =
      VerbBack(AdminRequest::Query{"{}", "token", "k\xFE"});
  EXPECT_EQ(query.json, "{}");
  EXPECT_EQ(query.token, "token");
  EXPECT_EQ(query.key_prefix, "k\xFE");
  // 0 is a number, not "none".
  EXPECT_EQ(VerbBack(AdminRequest::RetireDataKeys{0}).id, 0u);
  EXPECT_EQ(VerbBack(AdminRequest::RetireDataKeys{7}).id, 7u);
}

TEST(AdminRequestTest, RefusesGarbageAndWhatIsNewerThanItself) {
  EXPECT_THAT(AdminRequestFromProto("\xFF\xFF\xFF"),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(AdminRequestFromProto(""),
              StatusIs(absl::StatusCode::kUnimplemented,
                       HasSubstr("does not know what it is asked")));
  // Field 20, a message of no bytes: items, and a verb that is not known.
  EXPECT_THAT(AdminRequestFromProto(std::string("\xA2\x01\x00", 3)),
              HasCode(absl::StatusCode::kUnimplemented));
  // Field 1000, a message of no bytes.
  EXPECT_THAT(AdminRequestFromProto(std::string("\xC2\x3E\x00", 3)),
              HasCode(absl::StatusCode::kUnimplemented));
}

TEST(AdminReplyTest, KeepsAStatusWhole) {
  const absl::Status status =
      ReplyBack(AdminEnd{error::AsStoreHeld(error::WithHttpCode(
                    absl::UnavailableError("held by \xFF"), 503))})
          .status;
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, "held by \xFF"));
  EXPECT_TRUE(error::IsStoreHeld(status));
  EXPECT_EQ(error::HttpCode(status), 503);
  EXPECT_THAT(ReplyBack(AdminEnd{absl::OkStatus()}).status, IsOk());
}

TEST(AdminReplyTest, KeepsTheKeysOfAStore) {
  const KeysStatus before = {
      .store_id = "00ff",
      .sealed = true,
      .slots = {{"prod", false, "837c0a07"}, {"recovery", true, "01020304"}},
      .data_keys = {{1, false, 17}, {2, true, 1u << 31}},
      .counted = true,
      .records = 18,
      .resealer = {.left = 17,
                   .running = true,
                   .done = 5,
                   .damaged = 2,
                   .error = absl::ResourceExhaustedError("full")}};
  const KeysStatus after = ReplyBack(before);
  EXPECT_EQ(after.store_id, "00ff");
  EXPECT_TRUE(after.sealed);
  EXPECT_TRUE(after.counted);
  EXPECT_EQ(after.records, 18u);
  ASSERT_EQ(after.slots.size(), 2u);
  EXPECT_EQ(after.slots[1].name, "recovery");
  EXPECT_TRUE(after.slots[1].passphrase);
  EXPECT_FALSE(after.slots[0].passphrase);
  EXPECT_EQ(after.slots[0].fingerprint, "837c0a07");
  ASSERT_EQ(after.data_keys.size(), 2u);
  EXPECT_EQ(after.data_keys[0].records, 17u);
  EXPECT_EQ(after.data_keys[1].id, 2u);
  EXPECT_TRUE(after.data_keys[1].active);
  EXPECT_EQ(after.resealer.left, 17u);
  EXPECT_TRUE(after.resealer.running);
  EXPECT_EQ(after.resealer.done, 5u);
  EXPECT_EQ(after.resealer.damaged, 2u);
  EXPECT_THAT(after.resealer.error,
              StatusIs(absl::StatusCode::kResourceExhausted, "full"));
}

TEST(AdminReplyTest, KeepsTheOthers) {
  const AdminStore store = ReplyBack(AdminStore{"orders", true, true, "why"});
  EXPECT_EQ(store.failure, "why");
  EXPECT_EQ(store.data_dir, "orders");
  EXPECT_TRUE(store.open);
  EXPECT_TRUE(store.sealed);
  EXPECT_EQ(ReplyBack(AdminDataKey{0}).id, 0u);
  EXPECT_EQ(ReplyBack(AdminDataKey{9}).id, 9u);
  EXPECT_EQ(ReplyBack(KeysStatus::Slot{"k", true, "ab"}).fingerprint, "ab");
  EXPECT_EQ(ReplyBack(Resealer::State{.left = 3}).left, 3u);
}

TEST(AdminReplyTest, TellsGarbageFromWhatIsNewerThanItself) {
  EXPECT_THAT(AdminReplyFromProto("\xFF\xFF\xFF"),
              HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(std::holds_alternative<AdminUnknown>(
      AdminReplyFromProto(std::string("\xC2\x3E\x00", 3)).value()));
}

}  // namespace
}  // namespace statecpp
