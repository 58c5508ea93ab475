// SPDX-License-Identifier: Apache-2.0
//
//   store_backer STORE BACKUP KEYS
//
// Opens the store, with the keys of tests if KEYS is "sealed", and backs it up
// while another thread goes on writing the first of its items.
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "engine/backup.h"
#include "engine/store.h"
#include "tests/support/test_keys.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  statecpp::Options options = {.path = argv[1], .create = false};
  if (std::string(argv[3]) == "sealed") options.keys = statecpp::NewTestKeys();
  const auto store = statecpp::Store::Open(options);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    return 1;
  }
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      (void)(*store)->Set({.key = "customers||0", .value = "rewritten"});
    }
  });
  const auto report = (*store)->Backup({.path = argv[2]});
  stop = true;
  writer.join();
  if (report.ok()) {
    std::printf("%d\n", static_cast<int>(report->copied));
    return 0;
  }
  std::fprintf(stderr, "%s\n", report.status().ToString().c_str());
  return 1;
}
