// SPDX-License-Identifier: Apache-2.0
//
// What a walk in a process of its own finds and tells, whatever becomes of that
// process, beside an open store and without one. Damage of single records is in
// integrity_test.cc, that of LMDB's pages in page_damage_test.cc.
#include "engine/store_verifier.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/store_keys.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/damaged_store.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Kind = WalkFinding::Kind;

constexpr absl::StatusCode kDataLoss = absl::StatusCode::kDataLoss;

auto Because(const std::string& reason) {
  return Field(&WalkFinding::reason, HasSubstr(reason));
}

class StoreVerifierTest : public DamagedStoreTest {
 protected:
  void SetUp() override {
    DamagedStoreTest::SetUp();
    for (const char* key : {"a", "b||c", "d"}) {
      ASSERT_THAT(store().Set({.key = key, .value = "1"}), IsOk());
    }
  }

  // Beside the store, which stays open.
  Verified VerifyOpen(VerifyRequest request = {}) {
    request.program = {"engine/store_walker"};
    std::vector<WalkFinding> findings;
    absl::StatusOr<WalkReport> report =
        store().Verify(request, {.found =
                                     [&findings](const WalkFinding& finding) {
                                       findings.push_back(finding);
                                     },
                                 .progress = nullptr});
    return {std::move(report), std::move(findings)};
  }

  // With a shell script instead of the program that walks.
  Verified VerifyBy(const std::string& script) {
    const std::shared_ptr<const Keyring> keyring = ReadKeyring();
    std::vector<WalkFinding> findings;
    absl::StatusOr<WalkReport> report =
        WalkInChild({.folder = path_}, {"/bin/sh", "-c", script},
                    {.found =
                         [&findings](const WalkFinding& finding) {
                           findings.push_back(finding);
                         },
                     .progress = nullptr},
                    [&](absl::string_view) { return keyring; });
    return {std::move(report), std::move(findings)};
  }
};

TEST_F(StoreVerifierTest, AWholeStoreIsCleanAndCounted) {
  ASSERT_THAT(store().Set({.key = "e", .value = std::string(5000, 'v')}),
              IsOk());
  ASSERT_THAT(
      store().Set({.key = "f", .value = "1", .ttl = absl::Seconds(100)}),
      IsOk());
  const uint64_t commits = store().GetStats()->commit_seq;
  const Verified verified = Verify();
  EXPECT_THAT(verified.findings, IsEmpty());
  const WalkReport& report = *verified.report;
  EXPECT_TRUE(report.clean());
  EXPECT_EQ(report.records, 5u);
  EXPECT_EQ(report.expired, 0u);
  EXPECT_EQ(report.damaged, 0u);
  EXPECT_GT(report.bytes, 5000u);
  EXPECT_LT(report.bytes, 7000u);
  EXPECT_EQ(report.expiry_entries, 1u);
  EXPECT_EQ(report.stray_entries, 0u);
  EXPECT_EQ(report.commit_seq, commits);
  EXPECT_EQ(report.accumulator, WalkReport::Accumulator::kAgrees);
  EXPECT_THAT(report.data_keys,
              ElementsAre(WalkReport::DataKey{
                  .id = TestsAreSealed() ? 1u : 0u, .counted = 5, .kept = 5}));
  EXPECT_EQ(report.sealed, TestsAreSealed());
  EXPECT_FALSE(report.accepted);
}

TEST_F(StoreVerifierTest, AStoreWithoutItemsIsClean) {
  for (const char* key : {"a", "b||c", "d"}) {
    ASSERT_THAT(store().Delete({.key = key}), IsOk());
  }
  const Verified verified = Verify();
  EXPECT_TRUE(verified.report->clean());
  EXPECT_EQ(verified.report->records, 0u);
}

TEST_F(StoreVerifierTest, ChangesNothing) {
  Close();
  const auto bytes = [this] {
    std::ifstream in(path_ + "/data.mdb", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = bytes();
  EXPECT_TRUE(Verify().report->clean());
  EXPECT_EQ(bytes(), before);
}

TEST_F(StoreVerifierTest, ExpiredItemsAreCountedAndWhole) {
  ASSERT_THAT(store().Set({.key = "a", .value = "1", .ttl = absl::Seconds(1)}),
              IsOk());
  EXPECT_EQ(Verify().report->expired, 0u);
  clock_.Advance(absl::Seconds(2));
  const Verified verified = Verify();
  EXPECT_TRUE(verified.report->clean());
  EXPECT_EQ(verified.report->expired, 1u);
  EXPECT_EQ(verified.report->records, 3u);
}

TEST_F(StoreVerifierTest, ARecordThatWouldNeverBeRemovedIsFound) {
  ASSERT_THAT(store().Set({.key = "a", .value = "1", .ttl = absl::Hours(1000)}),
              IsOk());
  const std::string place = PlaceOf("a");
  const Entries entries = ReadTable(Table::kExpiry);
  ASSERT_EQ(entries.size(), 1u);
  WriteTable(Table::kExpiry, {{entries.begin()->first, std::nullopt}});
  EXPECT_THAT(Verify().findings, ElementsAre(IsFinding(Kind::kExpiry, place)));
  // One that is due too early is dropped before it is of use.
  std::string early = entries.begin()->first;
  early[1] = '\0';
  WriteTable(Table::kExpiry, {{early, ""}});
  EXPECT_THAT(Verify().findings, ElementsAre(IsFinding(Kind::kExpiry, place)));

  const Verified repaired = Verify({.accept = true});
  EXPECT_TRUE(repaired.report->accepted);
  EXPECT_TRUE(repaired.report->clean());
  EXPECT_EQ(repaired.report->indexed, 1u);
  EXPECT_THAT(Verify().findings, IsEmpty());
  EXPECT_EQ(ReadTable(Table::kExpiry).size(), 2u);
}

TEST_F(StoreVerifierTest, EntriesLeftBehindAreCountedAndDoNoHarm) {
  ASSERT_THAT(
      store().Set({.key = "a", .value = "1", .ttl = absl::Seconds(100)}),
      IsOk());
  ASSERT_THAT(store().Delete({.key = "a"}), IsOk());
  WriteTable(Table::kExpiry, {{"no", ""}});
  const Verified verified = Verify();
  EXPECT_TRUE(verified.report->clean());
  EXPECT_EQ(verified.report->expiry_entries, 2u);
  EXPECT_EQ(verified.report->stray_entries, 2u);
}

TEST_F(StoreVerifierTest, AnUnknownEntryBesideTheHeaderIsNamed) {
  WriteTable(Table::kMeta, {{"planted", "12345"}});
  const Verified verified = Verify();
  EXPECT_THAT(verified.findings,
              ElementsAre(AllOf(IsFinding(Kind::kMeta, "planted"),
                                Because("an entry of 5 bytes"))));
  EXPECT_TRUE(verified.report->complete);
  // It may be a newer program's: nothing removes it.
  EXPECT_FALSE(Verify({.accept = true, .drop_damaged = true}).report->accepted);
  EXPECT_THAT(ReadTable(Table::kMeta), Contains(::testing::Key("planted")));
}

TEST_F(StoreVerifierTest, ADamagedAccumulatorIsNoDamagedHeader) {
  std::string accumulator = ReadTable(Table::kMeta).at("acc");
  for (size_t i = 0; i < accumulator.size(); ++i) {
    accumulator[i] ^= 1;
    WriteTable(Table::kMeta, {{"acc", accumulator}});
    accumulator[i] ^= 1;
    const Verified verified = Verify();
    ASSERT_THAT(verified.findings,
                ElementsAre(IsFinding(Kind::kAccumulator, "")))
        << i;
    EXPECT_EQ(verified.report->accumulator, WalkReport::Accumulator::kUnknown);
    ASSERT_THAT(Store::Open(StoreOptions()),
                StatusIs(kDataLoss, HasSubstr("its accumulator does not open")))
        << i;
  }
}

TEST_F(StoreVerifierTest, ADamagedHeaderIsNoWrongKey) {
  std::string header = ReadTable(Table::kMeta).at("header");
  // The two bytes that say which programs can read it.
  constexpr size_t kMinReaderAt = 10;
  for (size_t i = 0; i < header.size(); ++i) {
    if (i / 2 == kMinReaderAt / 2) continue;
    header[i] ^= 1;
    WriteTable(Table::kMeta, {{"header", header}});
    header[i] ^= 1;
    const Verified verified = Verify();
    ASSERT_THAT(verified.findings, ElementsAre(IsFinding(Kind::kHeader, "")))
        << i;
    EXPECT_FALSE(verified.report->complete);
    ASSERT_THAT(Store::Open(StoreOptions()),
                StatusIs(kDataLoss, HasSubstr("the header of the store")))
        << i;
  }
  WriteTable(Table::kMeta, {{"header", std::nullopt}});
  EXPECT_THAT(Verify().findings, ElementsAre(AllOf(IsFinding(Kind::kHeader, ""),
                                                   Because("missing"))));
}

TEST_F(StoreVerifierTest, AKeyThatDoesNotOpenTheStoreIsRefused) {
  Close();
  Options options = StoreOptions();
  auto other = std::make_shared<MasterKeys>();
  other->push_back(MasterKey::FromKey("other", Secret::Random()));
  options.keys = other;
  const VerifyRequest request = {.program = {"engine/store_walker"}};
  if (!TestsAreSealed()) {
    // Nothing to be opened by a key; the report says so.
    const absl::StatusOr<WalkReport> report =
        VerifyClosedStore(options, request, {});
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->clean());
    EXPECT_FALSE(report->sealed);
    return;
  }
  EXPECT_THAT(VerifyClosedStore(options, request, {}),
              HasCode(absl::StatusCode::kPermissionDenied));
  options.keys = nullptr;
  EXPECT_THAT(VerifyClosedStore(options, request, {}),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("no key is configured")));
}

TEST_F(StoreVerifierTest, AStoreThatSomebodyHasOpenIsLeftToThem) {
  EXPECT_THAT(VerifyClosedStore(StoreOptions(),
                                {.program = {"engine/store_walker"}}, {}),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr(absl::StrCat("pid ", getpid()))));
}

TEST_F(StoreVerifierTest, AMissingStoreIsNotMade) {
  Options options = StoreOptions();
  options.path = dir_.Path("none");
  EXPECT_THAT(
      VerifyClosedStore(options, {.program = {"engine/store_walker"}}, {}),
      HasCode(absl::StatusCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(options.path));
}

TEST_F(StoreVerifierTest, UsersKeysAreShownOnRequestAlone) {
  ASSERT_THAT(
      store().Set({.key = "se\ncret", .value = "1", .ttl = absl::Hours(1)}),
      IsOk());
  WriteTable(Table::kExpiry,
             {{ReadTable(Table::kExpiry).begin()->first, std::nullopt}});
  EXPECT_THAT(Verify().findings, ElementsAre(Field(&WalkFinding::key, "")));
  EXPECT_THAT(Verify({.show_keys = true}).findings,
              ElementsAre(Field(&WalkFinding::key, "se\ncret")));
}

TEST_F(StoreVerifierTest, TheKeyOfADamagedValueIsShownWhereItCanBeRead) {
  ASSERT_THAT(store().Set({.key = "large", .value = std::string(9000, 'v')}),
              IsOk());
  const std::string place = PlaceOf("large");
  std::string record = ReadTable().at(place);
  record.back() ^= 1;
  WriteTable(Table::kRecords, {{place, record}});
  EXPECT_THAT(Verify({.show_keys = true}).findings,
              Contains(AllOf(IsFinding(Kind::kDamaged, place),
                             Field(&WalkFinding::key, "large"))));
  EXPECT_THAT(Verify().findings, Each(Field(&WalkFinding::key, "")));
}

TEST_F(StoreVerifierTest, AQuickLookFindsReplayAndNoDamageInside) {
  const Entries records = ReadTable();
  const std::string place = PlaceOf("a");
  std::string inside = records.at(place);
  inside[12 + 24 + 3] ^= 1;
  WriteRecord(place, inside);
  EXPECT_THAT(Verify({.quick = true}).findings, IsEmpty());
  EXPECT_THAT(Verify().findings, ElementsAre(IsFinding(Kind::kDamaged, place)));
  Open();
  ASSERT_THAT(store().Set({.key = "a", .value = "2"}), IsOk());
  WriteRecord(place, records.at(place));
  EXPECT_THAT(Verify({.quick = true}).findings,
              ElementsAre(IsFinding(Kind::kRecords, "")));
}

TEST_F(StoreVerifierTest, TellsHowFarItHasCome) {
  std::vector<WriteOp> ops(3000);
  for (size_t i = 0; i < ops.size(); ++i) ops[i].key = absl::StrCat(i);
  store().BulkWrite(std::move(ops));
  Close();
  uint64_t calls = 0;
  uint64_t last_total = 0;
  const absl::StatusOr<WalkReport> report = VerifyClosedStore(
      StoreOptions(), {.program = {"engine/store_walker"}},
      {.found = nullptr,
       .progress = [&](uint64_t records, uint64_t, uint64_t total) {
         ++calls;
         EXPECT_LE(records, 3003u);
         last_total = total;
         return true;
       }});
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(calls, 0u);
  EXPECT_EQ(last_total, 3003u);
}

TEST_F(StoreVerifierTest, IsCancelledWhileTheWalkHangs) {
  Close();
  const absl::StatusOr<WalkReport> report = VerifyClosedStore(
      StoreOptions(), {.program = {"/bin/sh", "-c", "exec sleep 1000"}},
      {.found = nullptr,
       .progress = [](uint64_t, uint64_t, uint64_t) { return false; }});
  EXPECT_THAT(report, StatusIs(absl::StatusCode::kAborted,
                               HasSubstr("it was cancelled")));
  EXPECT_THAT(Store::Open(StoreOptions()), IsOk());
}

// --- A walk that dies, or talks nonsense ---

TEST_F(StoreVerifierTest, AWalkThatDiesIsAFindingAndSoIsWhatItSawBefore) {
  for (const char* signal : {"SEGV", "BUS", "ABRT", "ILL", "FPE"}) {
    const Verified verified =
        VerifyBy(absl::StrCat("echo header 00; echo total 9; "
                              "echo finding 4 6162 - why; "
                              "echo progress 7 700; kill -",
                              signal, " $$"));
    ASSERT_THAT(verified.report, IsOk());
    EXPECT_THAT(
        verified.findings,
        ElementsAre(
            IsFinding(Kind::kDamaged, "ab"),
            AllOf(IsFinding(Kind::kTree, ""),
                  Because(absl::StrCat("(SIG", signal, ") after 7 records")))));
    const WalkReport& report = *verified.report;
    EXPECT_FALSE(report.complete);
    EXPECT_FALSE(report.clean());
    EXPECT_EQ(report.findings, 2u);
    EXPECT_EQ(report.damaged, 1u);
    EXPECT_EQ(report.records, 7u);
    EXPECT_EQ(report.bytes, 700u);
    EXPECT_EQ(report.accumulator, WalkReport::Accumulator::kUnknown);
  }
}

TEST_F(StoreVerifierTest, AnAssertionOfLmdbIsNamed) {
  EXPECT_THAT(
      VerifyBy("echo header 00; echo 'assertion mp->mp_upper'; exit 70")
          .findings,
      ElementsAre(AllOf(IsFinding(Kind::kTree, ""), Because("mp->mp_upper"))));
}

// What killed it was not in the file.
TEST_F(StoreVerifierTest, AWalkThatSomebodyKilledSaysNothingOfTheStore) {
  for (const char* signal : {"KILL", "TERM", "INT"}) {
    const Verified verified =
        VerifyBy(absl::StrCat("echo header 00; kill -", signal, " $$"));
    EXPECT_THAT(verified.report,
                StatusIs(absl::StatusCode::kAborted, HasSubstr(signal)));
    EXPECT_THAT(verified.findings, IsEmpty());
  }
}

TEST_F(StoreVerifierTest, WhatTheSystemRefusesIsNoDamage) {
  EXPECT_THAT(VerifyBy("echo failed 13 no more memory").report,
              StatusIs(absl::StatusCode::kInternal, "no more memory"));
  EXPECT_THAT(VerifyBy("exit 127").report,
              StatusIs(absl::StatusCode::kInternal,
                       HasSubstr("ended with exit code 127")));
  EXPECT_THAT(
      WalkInChild({.folder = path_}, {"/no/such/program"}, {},
                  [](absl::string_view) {
                    return absl::StatusOr<std::shared_ptr<const Keyring>>();
                  }),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/program")));
}

constexpr char kGoodReport[] = "report 1 0 0 3 0 0 9 0 0 1 0 1 0 0 0 0 0:3:3";

TEST_F(StoreVerifierTest, AReportThatIsOneIsBelieved) {
  const Verified verified = VerifyBy(absl::StrCat(
      "echo header 00; head -c 32 > /dev/null; echo ", kGoodReport));
  EXPECT_TRUE(verified.report->clean());
  EXPECT_EQ(verified.report->records, 3u);
}

TEST_F(StoreVerifierTest, AWalkThatTalksNonsenseIsNotBelieved) {
  const std::string good = absl::StrCat("echo ", kGoodReport, "; ");
  for (const std::string& script : {
           std::string("echo Hello"),
           std::string("echo header 00; echo what"),
           std::string("echo header 00; echo header 00"),
           std::string("echo header 00; head -c 100 /dev/zero"),
           std::string("echo header 00; tr '\\0' x < /dev/zero"),
           std::string("echo header 00; yes total 1 | head -3; exit 1"),
           // No report, half of one, two of them, more behind one, one of other
           // findings, or none of a store at all.
           std::string("echo header 00"),
           absl::StrCat("echo header 00; printf '", kGoodReport, "'"),
           absl::StrCat("echo header 00; ", good, good),
           absl::StrCat("echo header 00; ", good, "echo total 1"),
           absl::StrCat("echo header 00; echo finding 4 00 - why; ", good),
           good,
           // A good one, and an end that is none.
           absl::StrCat("echo header 00; ", good, "exit 1"),
           absl::StrCat("echo header 00; ", good, "kill -SEGV $$"),
       }) {
    const Verified verified = VerifyBy(script);
    ASSERT_THAT(verified.report, IsOk()) << script;
    EXPECT_FALSE(verified.report->complete) << script;
    EXPECT_FALSE(verified.report->clean()) << script;
    EXPECT_THAT(verified.findings, Contains(IsFinding(Kind::kTree, "")))
        << script;
  }
}

TEST_F(StoreVerifierTest, TheProcessThatWalksSeesNothingOfThisOne) {
  ASSERT_EQ(setenv("STATECPP_TEST_SECRET", "secret", 1), 0);
  const Verified verified = VerifyBy(
      "echo header 00; key=$(head -c 32 | wc -c); "
      "files=$(ls /proc/self/fd | tr '\\n' ' '); "
      "echo failed 13 \"$key bytes, ${STATECPP_TEST_SECRET-none}, $files\"");
  // Of `ls`, 3 is the folder that it lists.
  EXPECT_THAT(verified.report, StatusIs(absl::StatusCode::kInternal,
                                        "32 bytes, none, 0 1 2 3 "));
}

// --- Beside an open store ---

TEST_F(StoreVerifierTest, AnOpenStoreIsVerifiedWhileItServes) {
  const Verified verified = VerifyOpen();
  ASSERT_THAT(verified.report, IsOk());
  EXPECT_TRUE(verified.report->clean());
  EXPECT_EQ(verified.report->records, 3u);
  ASSERT_THAT(store().Set({.key = "a", .value = "2"}), IsOk());
  EXPECT_THAT(store().Get("a"), IsOkAndHolds(HasValue("2")));
  EXPECT_TRUE(VerifyOpen().report->clean());
}

TEST_F(StoreVerifierTest, AnOpenStoreThatGrewIsVerified) {
  ASSERT_THAT(store().GrowTo(uint64_t{20} << 30), IsOk());
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(store().Set({.key = absl::StrCat(i),
                             .value = std::string(100'000, 'v')}),
                IsOk());
  }
  const Verified verified = VerifyOpen();
  ASSERT_THAT(verified.report, IsOk());
  EXPECT_TRUE(verified.report->clean());
  EXPECT_EQ(verified.report->records, 103u);
}

// One snapshot, in which records and accumulator fit.
TEST_F(StoreVerifierTest, WritersDoNotConfuseIt) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      ASSERT_THAT(store().Set({.key = absl::StrCat(i % 500),
                               .value = std::string(i % 3000, 'v')}),
                  IsOk());
      if (i % 7 == 0) {
        ASSERT_THAT(store().Delete({.key = absl::StrCat(i % 300)}), IsOk());
      }
    }
  });
  for (int i = 0; i < 20; ++i) {
    const Verified verified = VerifyOpen();
    ASSERT_THAT(verified.report, IsOk());
    EXPECT_TRUE(verified.report->clean());
    EXPECT_THAT(verified.findings, IsEmpty());
  }
  if (TestsAreSealed()) {
    ASSERT_THAT(store().keys().Rotate(), IsOk());
    EXPECT_TRUE(VerifyOpen().report->clean());
  }
  stop = true;
  writer.join();
}

TEST_F(StoreVerifierTest, NothingIsAcceptedBesideAnOpenStore) {
  WriteRecord(PlaceOf("a"), std::nullopt);
  Open();
  const Verified verified = VerifyOpen({.accept = true});
  EXPECT_THAT(verified.findings, ElementsAre(IsFinding(Kind::kRecords, "")));
  EXPECT_FALSE(verified.report->accepted);
  EXPECT_THAT(VerifyOpen().findings, Not(IsEmpty()));
}

TEST_F(StoreVerifierTest, AFileThatWasReplacedUnderAnOpenStoreIsNoticed) {
  const std::string file = path_ + "/data.mdb";
  const std::string aside = dir_.Path("aside");
  std::filesystem::copy_file(file, aside);
  std::filesystem::rename(aside, file);
  EXPECT_THAT(VerifyOpen().report,
              StatusIs(kDataLoss, AllOf(HasSubstr(file),
                                        HasSubstr("replaced or removed"))));
  std::filesystem::remove(file);
  EXPECT_THAT(VerifyOpen().report,
              StatusIs(kDataLoss, HasSubstr("replaced or removed")));
}

TEST_F(StoreVerifierTest, AFileThatWasCutUnderAnOpenStoreIsNoticed) {
  const std::string file = path_ + "/data.mdb";
  ASSERT_EQ(truncate(file.c_str(), 3 * 4096), 0);
  EXPECT_THAT(VerifyOpen().report,
              StatusIs(kDataLoss, HasSubstr("it has 3 pages")));
}

// A slot that a dead reader leaves keeps pages from being used again.
TEST_F(StoreVerifierTest, AWalkThatDiedLeavesNoReaderBehind) {
  std::vector<WalkFinding> findings;
  for (int i = 0; i < 3; ++i) {
    // Reads, and is killed by its parent before it can end by itself.
    EXPECT_THAT(store().Verify({.program = {"engine/store_walker"}},
                               {.found = nullptr,
                                .progress = [](uint64_t, uint64_t,
                                               uint64_t) { return false; }}),
                HasCode(absl::StatusCode::kAborted));
  }
  const uint64_t before = store().GetStats()->used_bytes;
  const auto pages = [this] {
    return std::filesystem::file_size(path_ + "/data.mdb");
  };
  const uint64_t file_before = pages();
  for (int i = 0; i < 300; ++i) {
    ASSERT_THAT(store().Set({.key = "a", .value = std::string(40'000, 'v')}),
                IsOk());
  }
  EXPECT_LT(pages(), file_before + (1 << 20)) << before;
}

}  // namespace
}  // namespace statecpp
