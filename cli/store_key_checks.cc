// SPDX-License-Identifier: Apache-2.0
#include "cli/store_key_checks.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/data_root_checks.h"
#include "cli/finding_text.h"

namespace statecpp {
namespace {

// What a server takes that runs as the data root's owner.
Finding KeyOfOther(const std::string& store, const std::string& data_root,
                   uid_t owner, const absl::Status& status) {
  // Without what to do about it, which would take the key from that server.
  const absl::string_view why =
      status.message().substr(0, status.message().find("; run `"));
  return Warning("store-key", store, absl::StrCat("as this user: ", why),
                 DoctorAs(owner, data_root));
}

}  // namespace

Finding KeyRefused(const std::string& store, const std::string& data_root,
                   const absl::Status& status) {
  struct stat root;
  if (absl::StartsWith(CommandOf(status, ""), "chown ") &&
      stat(data_root.c_str(), &root) == 0 && root.st_uid != geteuid()) {
    return KeyOfOther(store, data_root, root.st_uid, status);
  }
  const bool wants_folder = absl::StrContains(status.message(), "--key-dir");
  return Fault(
      "store-key", store, std::string(status.message()),
      CommandOf(status, wants_folder ? "--key-dir DIR, as for serve"
                                     : "--key-file FILE, with a key that it is "
                                       "sealed for"));
}

Finding KeyNotGiven(const std::string& store, const KeysStatus& keys) {
  const std::string names = absl::StrJoin(
      keys.slots, ", ", [](std::string* out, const KeysStatus::Slot& slot) {
        absl::StrAppend(out, slot.name, " (", slot.fingerprint, ")");
      });
  return Warning("store-key", store,
                 absl::StrCat("no key was given here, so whether the server's "
                              "opens it is not known; it is sealed for: ",
                              names),
                 "--key-file FILE, as for serve");
}

}  // namespace statecpp
