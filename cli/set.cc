// SPDX-License-Identifier: Apache-2.0
#include "cli/set.h"

#include <fstream>
#include <iostream>
#include <istream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/admin_item.h"
#include "api/component_config.h"
#include "cli/duration_flag.h"
#include "cli/failure.h"
#include "cli/item_text.h"
#include "cli/kept_replies.h"
#include "cli/store_flags.h"
#include "cli/store_session.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

struct SetFlags {
  StoreFlags store;
  ItemRequest::Set request;
  // Whether the value is in the request already.
  const CLI::Option* value = nullptr;
  std::string file = "";
  absl::Duration ttl = absl::ZeroDuration();
  bool json = false;
};

absl::Status CannotRead(absl::string_view what) {
  return absl::NotFoundError(absl::StrCat("cannot read the value from ", what,
                                          "; nothing was written"));
}

absl::Status TooMuch(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the value in ", what, " has more than ", kMaxValueSize,
      " bytes, and daprd can receive no more; nothing was written; keep it in "
      "parts under several keys"));
}

// Reads to the end, or to where it is too much.
absl::StatusOr<std::string> ReadAll(std::istream& in, absl::string_view what) {
  std::string value(kMaxValueSize + 1, '\0');
  in.read(value.data(), static_cast<std::streamsize>(value.size()));
  if (in.bad()) return CannotRead(what);
  value.resize(static_cast<size_t>(in.gcount()));
  if (value.size() > kMaxValueSize) return TooMuch(what);
  return value;
}

absl::StatusOr<std::string> ValueOf(const SetFlags& flags) {
  if (flags.value->count() > 0) return flags.request.value;
  if (flags.file.empty()) return ReadAll(std::cin, "standard input");
  std::ifstream file(flags.file, std::ios::binary);
  if (!file.is_open()) return CannotRead(flags.file);
  return ReadAll(file, flags.file);
}

ExitCode Set(const SetFlags& flags) {
  ItemRequest::Set request = flags.request;
  absl::StatusOr<std::string> value = ValueOf(flags);
  if (!value.ok()) return Fail(value.status());
  request.value = *std::move(value);
  // What is less than a millisecond must not come to mean "never".
  request.ttl_ms =
      absl::ToInt64Milliseconds(absl::Ceil(flags.ttl, absl::Milliseconds(1)));
  absl::StatusOr<StoreSession> session = BeginSession(flags.store);
  if (!session.ok()) return Fail(session.status());
  KeptReplies<AdminRow> rows;
  const absl::Status answered =
      session->Ask(ItemRequest{std::move(request)}, rows);
  if (!answered.ok()) return Fail(answered);
  const std::string etag =
      rows.replies.empty() ? "" : rows.replies.front().etag;
  if (flags.json) {
    std::cout << "{" << KeyMembers(flags.request.key)
              << ",\"etag\":" << JsonText(etag) << "}\n";
  } else {
    std::cout << etag << "\n";
  }
  return kExitOk;
}

}  // namespace

void AddSet(VerbTable& verbs) {
  auto flags = std::make_shared<SetFlags>();
  CLI::App* const set =
      verbs.Add("set", "Write an item, served or not, and print its new ETag",
                [flags] { return Set(*flags); });
  set->add_option("KEY", flags->request.key,
                  "Its whole key; daprd puts the app's id and || before an "
                  "app's keys: 'myapp||order-1'")
      ->required();
  CLI::Option* const value =
      set->add_option("VALUE", flags->request.value,
                      "The value; without it and --file it is read from "
                      "standard input, to its end and as it is");
  flags->value = value;
  AddStoreFlags(set, flags->store);
  set->add_option("--file", flags->file, "The value is what is in that file")
      ->type_name("FILE")
      ->excludes(value);
  CLI::Option* const etag =
      set->add_option("--etag", flags->request.etag,
                      "Only over the item with this ETag; else exit code 4");
  set->add_flag("--first-write", flags->request.first_write,
                "Only where there is no item; else exit code 4")
      ->excludes(etag);
  AddDuration(set, "--ttl", flags->ttl,
              "When it expires: 90s, 24h; without it never, whatever "
              "ttlInSeconds the component has");
  set->add_option("--content-type", flags->request.content_type,
                  "Kept beside the value and given back with it");
  set->add_flag("--json", flags->json, "Print key and ETag as one object");
  AddToHelp(set,
            "A value is kept as it is given: the JSON of a text needs its "
            "quotes.\n\nExample:\n"
            "  statecpp set --data-root /var/lib/statecpp --store orders "
            "'myapp||order-1' '{\"n\":1}'");
}

}  // namespace statecpp
