// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_SUPPORT_STORED_RECORDS_H_
#define STATECPP_TESTS_SUPPORT_STORED_RECORDS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/lmdb_environment.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

// What stands in the file of a closed store, past the store. Listed as a source
// of engine's tests, which alone may see LMDB.
namespace statecpp {

inline std::unique_ptr<LmdbEnvironment> OpenFileOf(const std::string& path) {
  return LmdbEnvironment::Open(path, uint64_t{64} << 20, nullptr).value();
}

// The record keys, in order.
inline std::vector<std::string> StoredPlaces(const std::string& path) {
  std::vector<std::string> places;
  EXPECT_THAT(OpenFileOf(path)->BeginRead()->Scan(
                  LmdbEnvironment::Table::kRecords, "",
                  [&](absl::string_view place, absl::string_view) {
                    places.emplace_back(place);
                    return true;
                  }),
              IsOk());
  return places;
}

// The records, by where they stand.
inline std::map<std::string, std::string> StoredRecords(
    const std::string& path) {
  std::map<std::string, std::string> records;
  EXPECT_THAT(OpenFileOf(path)->BeginRead()->Scan(
                  LmdbEnvironment::Table::kRecords, "",
                  [&](absl::string_view place, absl::string_view record) {
                    records.emplace(place, record);
                    return true;
                  }),
              IsOk());
  return records;
}

// One of the store's own values: "header" or "acc".
inline std::string StoredMeta(const std::string& path, absl::string_view name) {
  return std::string(OpenFileOf(path)
                         ->BeginRead()
                         ->Get(LmdbEnvironment::Table::kMeta, name)
                         .value()
                         .value_or("(none)"));
}

// Puts a value where the store has not put it.
inline void Plant(const std::string& path, LmdbEnvironment::Table table,
                  absl::string_view key, absl::string_view value) {
  const std::unique_ptr<LmdbEnvironment> environment = OpenFileOf(path);
  LmdbEnvironment::WriteTransaction txn = environment->BeginWrite().value();
  EXPECT_THAT(txn.Put(table, key, value), IsOk());
  EXPECT_THAT(txn.Commit(), IsOk());
}

// Turns one bit of the record at `place`.
inline void DamageRecord(const std::string& path, absl::string_view place) {
  const std::unique_ptr<LmdbEnvironment> environment = OpenFileOf(path);
  LmdbEnvironment::WriteTransaction txn = environment->BeginWrite().value();
  std::string record(
      txn.Get(LmdbEnvironment::Table::kRecords, place).value().value());
  record.back() ^= 1;
  EXPECT_THAT(txn.Put(LmdbEnvironment::Table::kRecords, place, record), IsOk());
  EXPECT_THAT(txn.Commit(), IsOk());
}

}  // namespace statecpp

#endif  // STATECPP_TESTS_SUPPORT_STORED_RECORDS_H_
