// SPDX-License-Identifier: Apache-2.0
#include "cli/query.h"

#include <iostream>
#include <iterator>
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
#include "api/admin_message.h"
#include "cli/failure.h"
#include "cli/item_text.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"
#include "engine/query.h"
#include "server/admin_listener.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

struct QueryFlags {
  StoreFlags store;
  AdminRequest::Query request = {.json = "{}"};
  bool json = false;
};

// What a message to a server has room for.
constexpr size_t kMaxQuerySize = 512 << 10;

// Prints the rows of a page as they come.
class PrintedPage final : public AdminListener {
 public:
  explicit PrintedPage(bool json) : json_(json) {}

  bool Tell(const AdminReply& reply) override {
    if (const auto* row = std::get_if<AdminRow>(&reply)) {
      if (row->is_rest) {
        row_.value += row->value;
        return std::cout.good();
      }
      Print();
      row_ = *row;
      has_row_ = true;
    } else if (const auto* page = std::get_if<AdminPage>(&reply)) {
      Print();
      next_token_ = page->next_token;
    }
    return std::cout.good();
  }

  // Ctrl-C ends the process.
  bool LeavesWithin(absl::Duration duration) override {
    absl::SleepFor(duration);
    return false;
  }

  // nullopt: the page did not come to its end.
  const std::optional<std::string>& next_token() const { return next_token_; }

 private:
  void Print() {
    if (!std::exchange(has_row_, false)) return;
    // A value that is no JSON is no row.
    const std::string data = JsonLine(row_.value);
    if (json_) {
      std::cout << "{" << KeyMembers(row_.key)
                << ",\"etag\":" << JsonText(row_.etag) << ",\"data\":" << data
                << "}\n";
    } else {
      std::cout << KeyText(row_.key) << "  " << data << "\n";
    }
  }

  const bool json_;
  AdminRow row_;
  bool has_row_ = false;
  std::optional<std::string> next_token_;
};

absl::Status PrintPages(const QueryFlags& flags, StoreSession& session,
                        bool has_limit) {
  AdminRequest::Query request = flags.request;
  for (;;) {
    PrintedPage page(flags.json);
    const absl::Status answered = session.Ask(request, page);
    if (!answered.ok()) return answered;
    if (!page.next_token().has_value()) {
      return absl::InternalError("the server did not say where the page ends");
    }
    request.token = *page.next_token();
    if (request.token.empty()) return absl::OkStatus();
    if (has_limit) {
      std::cout.flush();
      std::cerr << "more with --token " << request.token << "\n";
      return absl::OkStatus();
    }
  }
}

ExitCode RunQuery(QueryFlags& flags) {
  std::string& json = flags.request.json;
  if (json == "-") {
    json.assign(std::istreambuf_iterator<char>(std::cin), {});
  }
  if (json.size() > kMaxQuerySize) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("the query has ", json.size(), " bytes; the limit is ",
                     kMaxQuerySize, "; nothing was read")));
  }
  // Before a store is opened for it.
  const absl::StatusOr<Query> query = Query::FromJson(json);
  if (!query.ok()) return Fail(query.status());
  absl::StatusOr<StoreSession> session = BeginSession(flags.store);
  if (!session.ok()) return Fail(session.status());
  const absl::Status printed = PrintPages(flags, *session, query->limit != 0);
  // Left off because nobody gets the rows, which is said at the end.
  if (!std::cout) return kExitIo;
  return printed.ok() ? kExitOk : Fail(printed);
}

}  // namespace

void AddQuery(VerbTable& verbs) {
  auto flags = std::make_shared<QueryFlags>();
  CLI::App* const query = verbs.Add(
      "query", "Print items of a store by what their values say, served or not",
      [flags] { return RunQuery(*flags); });
  query->add_option(
      "QUERY", flags->request.json,
      "Dapr's JSON: {\"filter\":{\"EQ\":{\"state\":\"CA\"}},\"sort\":"
      "[{\"key\":\"person.id\",\"order\":\"DESC\"}],\"page\":{\"limit\":3}}, "
      "or - to read it from standard input; without it all items that are "
      "JSON");
  AddStoreFlags(query, flags->store);
  query->add_option("--key-prefix", flags->request.key_prefix,
                    "Only items whose keys begin so, such as myapp||; without "
                    "a || in it the whole store is read all the same");
  query->add_option("--token", flags->request.token,
                    "Of the page before, which it printed behind its rows");
  query->add_flag("--json", flags->json,
                  "One object a line: key, etag, and the value as data");
  AddToHelp(query,
            "Prints key and value, one item a line. Without a page limit all "
            "items are printed.\n\nExample:\n"
            "  statecpp query --data-root /var/lib/statecpp --store orders "
            "'{\"filter\":{\"EQ\":{\"city\":\"Delft\"}}}'");
}

}  // namespace statecpp
