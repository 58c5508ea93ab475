// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_OFFLINE_STORE_H_
#define STATECPP_TESTS_PROGRAM_OFFLINE_STORE_H_

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"
#include "tests/support/test_keys.h"

namespace statecpp {

// A store of a server that was stopped, and the verbs that are for such a one.
class OfflineStoreTest : public ServedStoreTest {
 protected:
  std::string stores() const { return data_root() + "/stores"; }
  std::string store() const { return stores() + "/orders"; }

  static std::string KeyName(int i) { return absl::StrCat("customer-", i); }
  static std::string Value(int i, size_t size) {
    return absl::StrCat("clear text of ", i, std::string(size, '.'));
  }

  // Items of that many bytes each, in a store that is sealed or not as this
  // run's are. Stops the server.
  void MakeStore(int items = 50, size_t size = 100) {
    Serve();
    Client client(socket_path());
    client.MustInit();
    constexpr int kBulk = 100;
    for (int from = 0; from < items; from += kBulk) {
      wire::BulkSetRequest bulk;
      for (int i = from; i < std::min(items, from + kBulk); ++i) {
        wire::SetRequest* const item = bulk.add_items();
        item->set_key(KeyName(i));
        item->set_value(Value(i, size));
      }
      ASSERT_THAT(client.BulkSet(bulk), Succeeds());
    }
    StopServing();
  }

  void StopServing() {
    server().Signal(SIGTERM);
    ASSERT_EQ(server().Wait(), 0) << server().err();
  }

  // The items are there, for a server with these flags that nobody configures.
  void ExpectServed(const std::vector<std::string>& flags, int items = 50,
                    size_t size = 100) {
    Serve(flags);
    Client client(socket_path());
    for (int i = 0; i < items; i += std::max(1, items / 20)) {
      ASSERT_EQ(client.ValueOf(KeyName(i)), Value(i, size)) << i;
    }
    StopServing();
  }

  ProgramOptions VerbOptions(const std::string& verb,
                             std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {verb, "--data-root", data_root()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = std::move(arguments)};
  }

  // The same with the store's key, where this run's stores have one.
  ProgramOptions VerbOptionsWithKey(const std::string& verb,
                                    std::vector<std::string> more = {}) const {
    if (TestsAreSealed()) {
      more.insert(more.end(), {"--key-file", key_file()});
    }
    return VerbOptions(verb, std::move(more));
  }

  std::string Data() const {
    std::ifstream file(store() + "/data.mdb", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::vector<std::string> NamesIn(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // That a copy which is interrupted on its way changes nothing.
  void ExpectInterrupted(const ProgramOptions& options, int signal) {
    const std::string before = Data();
    Program program(options);
    ASSERT_TRUE(AwaitTrue([this] { return NamesIn(stores()).size() > 1; }));
    program.Signal(signal);
    EXPECT_EQ(program.Wait(), 1) << program.out() << program.err();
    EXPECT_THAT(program.err(), ::testing::HasSubstr("interrupted"));
    EXPECT_THAT(program.err(), ::testing::HasSubstr("nothing was changed"));
    EXPECT_THAT(NamesIn(stores()), ::testing::ElementsAre("orders"));
    EXPECT_TRUE(Data() == before);
  }
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_OFFLINE_STORE_H_
