// SPDX-License-Identifier: Apache-2.0
//
//   golden_maker plain|sealed FOLDER
//
// Makes a store as golden_store.h describes in FOLDER, which must not be there,
// with an items.txt.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "engine/store.h"
#include "engine/store_keys.h"
#include "tests/golden/golden_store.h"

namespace statecpp {
namespace {

absl::Status Fill(Store& store, const std::string& batch) {
  const std::vector<WriteOp> ops = {
      {.key = batch + "||small", .value = "1"},
      {.key = batch + "||empty", .value = ""},
      {.key = batch + "||json",
       .value = R"({"id":7,"city":"Ulm"})",
       .content_type = "application/json"},
      // Sealed in two parts, and on overflow pages.
      {.key = batch + "||large", .value = std::string(6000, 'L')},
      {.key = batch + "||mortal",
       .value = "until 2090",
       .ttl = absl::FromUnixSeconds(3786912000) - absl::Now()},
      {.key = batch + "||deleted", .value = "gone"},
  };
  absl::Status done = store.Transact(ops).status();
  if (done.ok()) done = store.Delete({.key = batch + "||deleted"});
  return done;
}

absl::Status Make(const std::string& kind, const std::string& folder) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = folder, .keys = GoldenKeys(kind)});
  if (!store.ok()) return store.status();
  absl::Status done = Fill(**store, "first");
  if (done.ok() && kind == "sealed") {
    done = (*store)->keys().AddSlot(SecondGoldenKey());
    if (done.ok()) done = (*store)->keys().Rotate().status();
    (*store)->keys().WaitForResealer(absl::Minutes(1));
  }
  if (done.ok()) done = Fill(**store, "second");
  if (!done.ok()) return done;

  std::ofstream items(folder + "/items.txt");
  const absl::StatusOr<KeyPage> keys = (*store)->ListKeys({.pattern = "%"});
  if (!keys.ok()) return keys.status();
  for (const std::string& key : keys->keys) {
    const auto item = (*store)->Get(key);
    if (!item.ok()) return item.status();
    items << DescribeGolden(key, **item) << "\n";
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const absl::Status made = statecpp::Make(argv[1], argv[2]);
  if (made.ok()) return 0;
  std::fprintf(stderr, "%s\n", made.ToString().c_str());
  return 1;
}
