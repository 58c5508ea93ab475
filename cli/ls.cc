// SPDX-License-Identifier: Apache-2.0
#include "cli/ls.h"

#include <cstdint>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/admin_item.h"
#include "api/admin_message.h"
#include "cli/failure.h"
#include "cli/item_text.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"
#include "engine/key_pattern.h"
#include "server/admin_listener.h"

namespace statecpp {
namespace {

struct LsFlags {
  StoreFlags store;
  std::string prefix = "";
  std::string like = "";
  std::string token = "";
  uint64_t limit = 0;
  bool details = false;
  bool json = false;
};

// Prints the keys of a page as they come.
class PrintedKeys final : public AdminListener {
 public:
  explicit PrintedKeys(const LsFlags& flags) : flags_(flags) {}

  bool Tell(const AdminReply& reply) override {
    if (const auto* row = std::get_if<AdminRow>(&reply)) {
      ++rows_;
      if (row->is_damaged) ++damaged_;
      Print(*row);
    } else if (const auto* page = std::get_if<AdminPage>(&reply)) {
      damaged_ += page->damaged;
      next_token_ = page->next_token;
    }
    return std::cout.good();
  }

  // Ctrl-C ends the process.
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return false;
  }

  uint64_t rows() const { return rows_; }
  // Records of which the key or the value cannot be read.
  uint64_t damaged() const { return damaged_; }
  // Of the last page; nullopt: it did not come to its end.
  std::optional<std::string> TakeNextToken() {
    return std::exchange(next_token_, std::nullopt);
  }

 private:
  void Print(const AdminRow& row) const {
    if (flags_.json) {
      std::cout << "{"
                << (flags_.details ? ItemMembers(row) : KeyMembers(row.key))
                << "}\n";
      return;
    }
    if (flags_.details && row.is_damaged) {
      std::cout << std::setw(10) << "-"
                << "  " << std::setw(16) << "damaged"
                << "  " << std::setw(24) << "-"
                << "  ";
    } else if (flags_.details) {
      std::cout << std::setw(10) << row.size << "  " << row.etag << "  "
                << std::setw(24) << ExpiryText(row) << "  ";
    }
    std::cout << KeyText(row.key) << "\n";
  }

  const LsFlags& flags_;
  uint64_t rows_ = 0;
  uint64_t damaged_ = 0;
  std::optional<std::string> next_token_;
};

absl::Status PrintPages(const LsFlags& flags, StoreSession& session,
                        PrintedKeys& keys) {
  ItemRequest::List request = {.pattern = flags.like.empty()
                                              ? PatternOfPrefix(flags.prefix)
                                              : flags.like,
                               .token = flags.token,
                               .limit = flags.limit,
                               .details = flags.details};
  for (;;) {
    const absl::Status answered = session.Ask(ItemRequest{request}, keys);
    if (!answered.ok()) return answered;
    std::optional<std::string> next = keys.TakeNextToken();
    if (!next.has_value()) {
      return absl::InternalError("the server did not say where the page ends");
    }
    if (next->empty()) return absl::OkStatus();
    request.token = *std::move(next);
    if (flags.limit == 0) continue;
    if (keys.rows() >= flags.limit) {
      std::cout.flush();
      std::cerr << "more with --token " << request.token << "\n";
      return absl::OkStatus();
    }
    request.limit = flags.limit - keys.rows();
  }
}

ExitCode Ls(const LsFlags& flags) {
  absl::StatusOr<StoreSession> session = BeginSession(flags.store);
  if (!session.ok()) return Fail(session.status());
  PrintedKeys keys(flags);
  const absl::Status printed = PrintPages(flags, *session, keys);
  // Left off because nobody gets the keys, which is said at the end.
  if (!std::cout) return kExitIo;
  if (!printed.ok()) return Fail(printed);
  if (keys.damaged() == 0) return kExitOk;
  std::cout.flush();
  return Fail(absl::DataLossError(absl::StrCat(
      keys.damaged(),
      " records on the way are damaged, and as many keys may be missing from "
      "the list; statecpp verify says which; nothing was changed")));
}

}  // namespace

void AddLs(VerbTable& verbs) {
  auto flags = std::make_shared<LsFlags>();
  CLI::App* const ls =
      verbs.Add("ls", "List the keys of a store, served or not",
                [flags] { return Ls(*flags); });
  CLI::Option* const prefix =
      ls->add_option("PREFIX", flags->prefix,
                     "Only keys that begin so; without a || in it the whole "
                     "store is read all the same");
  AddStoreFlags(ls, flags->store);
  ls->add_option("--like", flags->like,
                 "Only keys that a pattern matches as a whole: % is any text, "
                 "_ one character, \\ takes the next as it is")
      ->excludes(prefix);
  ls->add_flag("-l,--long", flags->details,
               "With size, ETag and expiry, for which each item is read");
  ls->add_option("--limit", flags->limit, "At most that many")
      ->check(CLI::PositiveNumber);
  ls->add_option("--token", flags->token,
                 "Goes on behind a list that --limit ended");
  ls->add_flag("--json", flags->json, "One object a line");
  AddToHelp(ls,
            "daprd puts the app's id and || before the keys of an app "
            "(myapp||order-1), and\nof an actor APP||TYPE||ID||. Values are "
            "never printed. The order is the store's\nown; who needs another "
            "pipes into sort.\n\nExample:\n"
            "  statecpp ls --data-root /var/lib/statecpp --store orders "
            "'myapp||'");
}

}  // namespace statecpp
