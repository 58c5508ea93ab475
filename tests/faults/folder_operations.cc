// SPDX-License-Identifier: Apache-2.0
//
// What is done to a store as a whole, and to its keys.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/keys_status.h"
#include "engine/store_copy.h"
#include "engine/store_keys.h"
#include "tests/faults/stage.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using Stores = Operation::Stores;

constexpr absl::Duration kPatience = absl::Seconds(30);

MasterKey OtherKey() {
  return MasterKey::FromKey("other",
                            Secret(std::vector<uint8_t>(Secret::kSize, 0x5a)));
}

// What a process that died an hour ago left aside.
void LeaveFolderAside(Stage& stage) {
  const std::string aside = stage.folder() + "/.new-aban01";
  std::error_code failed;
  fs::create_directory(aside, failed);
  fs::copy(stage.path(), aside, failed);
  const timespec long_ago[2] = {};
  if (failed || utimensat(AT_FDCWD, aside.c_str(), long_ago, 0) != 0) {
    std::abort();
  }
}

absl::Status FillWithTwoSlots(Stage& stage) {
  const absl::Status filled = FillStore(stage);
  return filled.ok() ? stage.store().keys().AddSlot(OtherKey()) : filled;
}

absl::Status FillAndRotate(Stage& stage) {
  if (absl::Status filled = FillStore(stage); !filled.ok()) return filled;
  const absl::Status rotated = stage.store().keys().Rotate().status();
  if (!rotated.ok()) return rotated;
  const bool idle = stage.store().keys().WaitForResealer(kPatience);
  return idle ? absl::OkStatus() : absl::DeadlineExceededError("re-sealing");
}

}  // namespace

std::vector<Operation> FolderOperations() {
  return {
      {.name = "create",
       .opens = true,
       .least_calls = 40,
       .run =
           [](Stage& stage) { stage.Say(stage.Open(/*create=*/true), true); }},
      {.name = "open",
       .opens = true,
       .least_calls = 30,
       .prepare = FillStore,
       .arrange = LeaveFolderAside,
       .run = [](Stage& stage) { stage.Say(stage.Open()); }},
      {.name = "compact",
       .opens = true,
       .least_calls = 80,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             stage.Say(CompactStore({.path = stage.path(), .keys = TestKeys()})
                           .status());
           }},
      {.name = "encrypt",
       .stores = Stores::kPlain,
       .opens = true,
       .least_calls = 80,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             stage.Say(
                 EncryptStore({.path = stage.path(), .keys = NewTestKeys()})
                     .status());
           }},
  };
}

std::vector<Operation> KeyOperations() {
  return {
      {.name = "add-slot",
       .stores = Stores::kSealed,
       .least_calls = 3,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             stage.Say(stage.store().keys().AddSlot(OtherKey()));
           }},
      {.name = "remove-slot",
       .stores = Stores::kSealed,
       .least_calls = 3,
       .prepare = FillWithTwoSlots,
       .run =
           [](Stage& stage) {
             stage.Say(stage.store().keys().RemoveSlot("other", *TestKeys()));
           }},
      // Until every record is sealed anew, or that stops.
      {.name = "rotate",
       .stores = Stores::kSealed,
       .least_calls = 6,
       .prepare = FillStore,
       .run =
           [](Stage& stage) {
             stage.Say(stage.store().keys().Rotate().status());
             stage.store().keys().WaitForResealer(kPatience);
           }},
      {.name = "retire",
       .stores = Stores::kSealed,
       .least_calls = 3,
       .prepare = FillAndRotate,
       .run = [](Stage& stage) { stage.Say(stage.store().keys().Retire(1)); }},
  };
}

}  // namespace statecpp
