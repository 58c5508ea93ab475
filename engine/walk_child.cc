// SPDX-License-Identifier: Apache-2.0
#include "engine/walk_child.h"

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "crypto/secret.h"
#include "crypto/secret_bytes.h"
#include "engine/errors.h"
#include "engine/lmdb_environment.h"
#include "engine/store_repair.h"
#include "engine/store_walk.h"
#include "engine/walk_lines.h"

namespace statecpp {
namespace {

constexpr absl::string_view kQuick = "quick";
constexpr absl::string_view kShowKeys = "show-keys";
constexpr absl::string_view kAccept = "accept";
constexpr absl::string_view kDropDamaged = "drop-damaged";

constexpr int kAssertionExit = 70;
constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);
// Beside a store that is written to, its map may grow while it is opened, and
// its roots may be gone before they are read. Neither happens often.
constexpr int kOpenAttempts = 100;

// Each line at once: what was found before a crash is worth most. Whoever
// should read it may be gone, and this process with it.
void Say(const WalkLine& line) {
  const std::string text = PrintWalkLine(line);
  absl::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = write(STDOUT_FILENO, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(1);
    left.remove_prefix(static_cast<size_t>(written));
  }
}

void EndOnAssertion(const char* text) {
  Say(WalkAssertion{text});
  _exit(kAssertionExit);
}

// nullopt: the parent does not want the walk any more.
std::optional<Secret> ReadRootKey() {
  SecretBytes key(Secret::kSize);
  size_t size = 0;
  while (size < Secret::kSize) {
    const ssize_t got =
        read(STDIN_FILENO, key.data() + size, Secret::kSize - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    size += static_cast<size_t>(got);
  }
  return Secret(absl::MakeConstSpan(key.data(), Secret::kSize));
}

std::optional<WalkRequest> ParseWalkRequest(
    const std::vector<std::string>& words) {
  int64_t now_ms = 0;
  if (words.size() < 2 || !absl::SimpleAtoi(words[1], &now_ms)) {
    return std::nullopt;
  }
  WalkRequest request = {.folder = words[0],
                         .now = absl::FromUnixMillis(now_ms)};
  for (size_t i = 2; i < words.size(); ++i) {
    if (words[i] == kQuick) {
      request.quick = true;
    } else if (words[i] == kShowKeys) {
      request.show_keys = true;
    } else if (words[i] == kAccept) {
      request.accept = true;
    } else if (words[i] == kDropDamaged) {
      request.drop_damaged = true;
    } else {
      return std::nullopt;
    }
  }
  return request;
}

// A store that is damaged so that nothing of it can be walked over.
void SayDamaged(WalkFinding::Kind kind, const absl::Status& damage) {
  Say(WalkFinding{.kind = kind,
                  .place = "",
                  .key = "",
                  .reason = error::DamageReason(damage)});
  WalkReport report;
  report.findings = 1;
  Say(report);
}

// nullopt: there is nothing more to be said.
std::optional<WalkOutcome> Walk(const WalkRequest& request,
                                const LmdbReader& reader, PageCheck pages,
                                StoreRepair& repair) {
  const absl::StatusOr<std::string> header = ReadHeaderEntry(reader);
  if (!header.ok()) {
    SayDamaged(WalkFinding::Kind::kHeader, header.status());
    return std::nullopt;
  }
  Say(WalkHeader{*header});
  const std::optional<Secret> root = ReadRootKey();
  if (!root.has_value()) return std::nullopt;

  const absl::StatusOr<uint64_t> total =
      reader.CountEntries(LmdbEnvironment::Table::kRecords);
  Say(WalkTotal{total.value_or(0)});
  absl::Time last = absl::Now();
  return WalkStore(
      reader, std::move(pages), *root,
      {.quick = request.quick, .now = request.now},
      [&](const WalkFinding& finding) {
        repair.Note(finding);
        WalkFinding shown = finding;
        if (!request.show_keys) shown.key.clear();
        Say(shown);
      },
      [&](uint64_t records, uint64_t bytes) {
        if (absl::Now() - last < kProgressInterval) return;
        Say(WalkSoFar{records, bytes});
        last = absl::Now();
      });
}

// Those of an environment that does not open, or gives no snapshot.
absl::Status OpenAndWalk(const WalkRequest& request) {
  const absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
      LmdbEnvironment::Open(request.folder, 0, EndOnAssertion,
                            request.accept ? LmdbEnvironment::Access::kWrite
                                           : LmdbEnvironment::Access::kRead);
  if (!environment.ok()) return environment.status();
  StoreRepair repair(
      {.drop_damaged = request.drop_damaged, .now = request.now});
  std::optional<WalkOutcome> walked;
  {
    const absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
        (*environment)->BeginRead();
    if (!txn.ok()) return txn.status();
    absl::StatusOr<PageCheck> pages = PageCheck::Of(*txn);
    if (!pages.ok()) return pages.status();
    walked = Walk(request, *txn, *std::move(pages), repair);
  }
  if (!walked.has_value()) return absl::OkStatus();
  if (request.accept) {
    if (absl::Status failed = repair.Accept(**environment, *walked);
        !failed.ok()) {
      Say(failed);
      return absl::OkStatus();
    }
  }
  Say(walked->report);
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> PrintWalkRequest(const WalkRequest& request) {
  std::vector<std::string> words = {
      request.folder, absl::StrCat(absl::ToUnixMillis(request.now))};
  if (request.quick) words.emplace_back(kQuick);
  if (request.show_keys) words.emplace_back(kShowKeys);
  if (request.accept) words.emplace_back(kAccept);
  if (request.drop_damaged) words.emplace_back(kDropDamaged);
  return words;
}

absl::Status WalkForParent(const std::vector<std::string>& words) {
  const std::optional<WalkRequest> request = ParseWalkRequest(words);
  if (!request.has_value() || (request->quick && request->accept)) {
    return error::NoWalkRequest();
  }
  absl::Status walked = OpenAndWalk(*request);
  for (int i = 1; i < kOpenAttempts && absl::IsUnavailable(walked); ++i) {
    walked = OpenAndWalk(*request);
  }
  if (absl::IsDataLoss(walked)) {
    SayDamaged(WalkFinding::Kind::kTree, walked);
  } else if (!walked.ok()) {
    Say(walked);
  }
  return absl::OkStatus();
}

}  // namespace statecpp
