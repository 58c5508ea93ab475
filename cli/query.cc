// SPDX-License-Identifier: Apache-2.0
#include "cli/query.h"

#include <algorithm>
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
};

// What a message to a server has room for.
constexpr size_t kMaxQuerySize = 512 << 10;

// A row on one line: what breaks a line in JSON says nothing there.
std::string OneLine(std::string value) {
  std::replace_if(
      value.begin(), value.end(), [](char c) { return c == '\n' || c == '\r'; },
      ' ');
  return value;
}

// Prints the rows of a page as they come.
class PrintedPage final : public AdminListener {
 public:
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
    std::cout << "{\"key\":" << JsonText(row_.key)
              << ",\"etag\":" << JsonText(row_.etag)
              << ",\"data\":" << OneLine(std::move(row_.value)) << "}\n";
  }

  AdminRow row_;
  bool has_row_ = false;
  std::optional<std::string> next_token_;
};

absl::Status PrintPages(StoreSession& session, AdminRequest::Query request,
                        bool has_limit) {
  for (;;) {
    PrintedPage page;
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
  const absl::Status printed =
      PrintPages(*session, flags.request, query->limit != 0);
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
  AddToHelp(query,
            "Prints {\"key\":...,\"etag\":...,\"data\":...}, one item a line. "
            "Without a page limit all\nitems are printed.\n\nExample:\n"
            "  statecpp query --data-root /var/lib/statecpp --store orders "
            "'{\"filter\":{\"EQ\":{\"city\":\"Delft\"}}}'");
}

}  // namespace statecpp
