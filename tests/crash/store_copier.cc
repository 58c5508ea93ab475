// SPDX-License-Identifier: Apache-2.0
//
//   store_copier compact|encrypt STORE KEYS
//
// Compacts or encrypts the store, with the keys of tests if KEYS is "sealed".
#include <cstdio>
#include <string>

#include "engine/store_copy.h"
#include "tests/support/test_keys.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  statecpp::CopyOptions options = {.path = argv[2]};
  if (std::string(argv[3]) == "sealed") options.keys = statecpp::NewTestKeys();
  const absl::StatusOr<statecpp::CopyReport> report =
      std::string(argv[1]) == "encrypt" ? statecpp::EncryptStore(options)
                                        : statecpp::CompactStore(options);
  if (report.ok()) return 0;
  std::fprintf(stderr, "%s\n", report.status().ToString().c_str());
  return 1;
}
