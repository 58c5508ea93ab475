// SPDX-License-Identifier: Apache-2.0
#include "engine/walk_child.h"

#include <fcntl.h>
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
#include "engine/page_check.h"
#include "engine/store_repair.h"
#include "engine/store_walk.h"
#include "engine/walk_lines.h"

namespace statecpp {
namespace {

constexpr absl::string_view kServed = "served";
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
    if (words[i] == kServed) {
      request.served = true;
    } else if (words[i] == kQuick) {
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

// One walk, what it has found so far, and what may be mended of that.
class ChildWalk {
 public:
  explicit ChildWalk(const WalkRequest& request)
      : request_(request),
        repair_({.drop_damaged = request.drop_damaged, .now = request.now}) {}

  // Nothing can be walked over that is damaged like this.
  void End(WalkFinding::Kind kind, const absl::Status& damage) {
    Find({.kind = kind,
          .place = "",
          .key = "",
          .reason = error::ReasonOf(damage)});
    WalkReport report;
    report.findings = findings_;
    Say(report);
  }

  // Before LMDB sees the file, of a store that nobody else has open.
  absl::Status LookAtFile() {
    const std::string file = request_.folder + "/data.mdb";
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error::System("open", file, errno);
    absl::StatusOr<PageCheck> pages = PageCheck::Of(fd);
    if (pages.ok()) LookAtPages(*pages);
    close(fd);
    return pages.status();
  }

  // Those of an environment that does not open, or gives no snapshot.
  absl::Status OpenAndWalk() {
    const absl::StatusOr<std::unique_ptr<LmdbEnvironment>> environment =
        LmdbEnvironment::Open(request_.folder, 0, EndOnAssertion,
                              request_.accept ? LmdbEnvironment::Access::kWrite
                                              : LmdbEnvironment::Access::kRead);
    if (!environment.ok()) return environment.status();
    std::optional<WalkOutcome> walked;
    {
      const absl::StatusOr<LmdbEnvironment::ReadTransaction> txn =
          (*environment)->BeginRead();
      if (!txn.ok()) return txn.status();
      if (request_.served) {
        absl::StatusOr<PageCheck> pages = PageCheck::Of(*txn);
        if (!pages.ok()) return pages.status();
        LookAtPages(*pages);
      }
      walked = Walk(*txn);
    }
    if (!walked.has_value()) return absl::OkStatus();
    absl::Status failed = absl::OkStatus();
    if (request_.accept) failed = repair_.Accept(**environment, *walked);
    failed.ok() ? Say(walked->report) : Say(failed);
    return absl::OkStatus();
  }

 private:
  void Find(const WalkFinding& finding) {
    ++findings_;
    repair_.Note(finding);
    WalkFinding shown = finding;
    if (!request_.show_keys) shown.key.clear();
    Say(shown);
  }

  void LookAtPages(PageCheck& pages) {
    FindPageDamage(pages,
                   [this](const WalkFinding& finding) { Find(finding); });
  }

  // nullopt: there is nothing more to be said.
  std::optional<WalkOutcome> Walk(const LmdbReader& reader) {
    const absl::StatusOr<std::string> header = ReadHeaderEntry(reader);
    if (!header.ok()) {
      End(WalkFinding::Kind::kHeader, header.status());
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
        reader, *root,
        {.quick = request_.quick, .now = request_.now, .findings = findings_},
        [this](const WalkFinding& finding) { Find(finding); },
        [&last](uint64_t records, uint64_t bytes) {
          if (absl::Now() - last < kProgressInterval) return;
          Say(WalkSoFar{records, bytes});
          last = absl::Now();
        });
  }

  const WalkRequest request_;
  StoreRepair repair_;
  uint64_t findings_ = 0;
};

}  // namespace

std::vector<std::string> PrintWalkRequest(const WalkRequest& request) {
  std::vector<std::string> words = {
      request.folder, absl::StrCat(absl::ToUnixMillis(request.now))};
  if (request.served) words.emplace_back(kServed);
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
  ChildWalk walk(*request);
  absl::Status walked = request->served ? absl::OkStatus() : walk.LookAtFile();
  if (walked.ok()) walked = walk.OpenAndWalk();
  for (int i = 1; i < kOpenAttempts && absl::IsUnavailable(walked); ++i) {
    walked = walk.OpenAndWalk();
  }
  if (absl::IsDataLoss(walked)) {
    walk.End(WalkFinding::Kind::kTree, walked);
  } else if (!walked.ok()) {
    Say(walked);
  }
  return absl::OkStatus();
}

}  // namespace statecpp
