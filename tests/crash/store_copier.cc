// SPDX-License-Identifier: Apache-2.0
//
//   store_copier compact|encrypt STORE KEYS [die-before|die-after]
//
// Compacts or encrypts the store, with the keys of tests if KEYS is "sealed".
// With the last word it is killed right before or right after the copy takes
// the store's place.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "engine/store_copy.h"
#include "tests/support/test_keys.h"

namespace {

std::string die;

}  // namespace

// In the place of the C library's.
extern "C" int renameat2(int from_folder, const char* from, int to_folder,
                         const char* to, unsigned flags) noexcept {
  // Not the two folders on which it is tried.
  const bool is_it = std::strstr(from, ".new-") != nullptr &&
                     std::strstr(to, ".new-") == nullptr;
  if (is_it && die == "die-before") raise(SIGKILL);
  const long result =
      syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  if (is_it && die == "die-after") raise(SIGKILL);
  return static_cast<int>(result);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  if (argc > 4) die = argv[4];
  statecpp::CopyOptions options = {.path = argv[2]};
  if (std::string(argv[3]) == "sealed") options.keys = statecpp::NewTestKeys();
  const absl::StatusOr<statecpp::CopyReport> report =
      std::string(argv[1]) == "encrypt" ? statecpp::EncryptStore(options)
                                        : statecpp::CompactStore(options);
  if (report.ok()) return 0;
  std::fprintf(stderr, "%s\n", report.status().ToString().c_str());
  return 1;
}
