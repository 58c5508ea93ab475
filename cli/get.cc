// SPDX-License-Identifier: Apache-2.0
#include "cli/get.h"

#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/admin_item.h"
#include "cli/failure.h"
#include "cli/item_text.h"
#include "cli/kept_replies.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"

namespace statecpp {
namespace {

struct GetFlags {
  StoreFlags store;
  std::string key = "";
  bool meta = false;
  bool json = false;
};

// The item whose parts these are.
absl::StatusOr<AdminRow> Joined(std::vector<AdminRow> parts) {
  if (parts.empty()) return absl::InternalError("the server answered nothing");
  AdminRow row = std::move(parts.front());
  for (size_t i = 1; i < parts.size(); ++i) row.value += parts[i].value;
  return row;
}

void Print(const GetFlags& flags, const AdminRow& row) {
  if (flags.json) {
    std::cout << "{" << ItemMembers(row);
    if (!flags.meta) std::cout << "," << BytesMember("value", row.value);
    std::cout << "}\n";
  } else if (flags.meta) {
    std::cout << ItemLines(row);
  } else {
    std::cout << row.value;
  }
}

ExitCode Get(const GetFlags& flags) {
  absl::StatusOr<StoreSession> session = BeginSession(flags.store);
  if (!session.ok()) return Fail(session.status());
  KeptReplies<AdminRow> parts;
  const absl::Status answered =
      session->Ask(ItemRequest{ItemRequest::Get{flags.key}}, parts);
  if (!answered.ok()) return Fail(answered);
  const absl::StatusOr<AdminRow> row = Joined(std::move(parts.replies));
  if (!row.ok()) return Fail(row.status());
  Print(flags, *row);
  return kExitOk;
}

}  // namespace

void AddGet(VerbTable& verbs) {
  auto flags = std::make_shared<GetFlags>();
  CLI::App* const get =
      verbs.Add("get", "Print the value of an item, served or not",
                [flags] { return Get(*flags); });
  get->add_option("KEY", flags->key,
                  "Its whole key; daprd puts the app's id and || before an "
                  "app's keys: 'myapp||order-1'")
      ->required();
  AddStoreFlags(get, flags->store);
  get->add_flag("--meta", flags->meta,
                "ETag, size, content type and expiry, and not the value");
  get->add_flag("--json", flags->json,
                "One object: all of it; a value that is not UTF-8 in base64");
  AddToHelp(get,
            "Prints the bytes of the value and nothing else, no newline "
            "either.\n\nExample:\n"
            "  statecpp get --data-root /var/lib/statecpp --store orders "
            "'myapp||order-1'");
}

}  // namespace statecpp
