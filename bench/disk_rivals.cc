// SPDX-License-Identifier: Apache-2.0
//
// What other programs make of the disk: one thread that syncs a file, or that
// writes rows as Dapr's SQLite store does. Prints one line of JSON.
//
//   disk_rivals fdatasync FOLDER SECONDS
//   disk_rivals sqlite FOLDER SECONDS [KEYS]
#include <fcntl.h>
#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bench/key_chooser.h"
#include "bench/latencies.h"

namespace statecpp {
namespace {

constexpr size_t kPage = 4096;
constexpr int64_t kPages = 1024;
constexpr size_t kValueBytes = 1024;

[[noreturn]] void Fail(absl::string_view what, const char* why) {
  fprintf(stderr, "%s failed: %s\n", std::string(what).c_str(), why);
  exit(1);
}

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// Calls `once` for so many seconds, one call after another.
void Measure(double seconds, const std::function<void()>& once) {
  using Clock = std::chrono::steady_clock;
  Latencies latencies;
  const double cpu_before = CpuSeconds();
  const Clock::time_point start = Clock::now();
  std::chrono::duration<double> elapsed(0);
  while (elapsed.count() < seconds) {
    const Clock::time_point begin = Clock::now();
    once();
    const Clock::time_point end = Clock::now();
    latencies.Add(
        std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin)
            .count());
    elapsed = end - start;
  }
  const auto calls = static_cast<double>(latencies.count());
  const auto microseconds = [&latencies](double quantile) {
    return static_cast<double>(latencies.Quantile(quantile)) / 1000;
  };
  printf(
      "{\"calls\": %.0f, \"qps\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
      "\"p999_us\": %.1f, \"server_cpu_us\": %.2f}\n",
      calls, calls / elapsed.count(), microseconds(0.5), microseconds(0.99),
      microseconds(0.999), (CpuSeconds() - cpu_before) * 1e6 / calls);
}

// One page of a file that is there already, overwritten and synced.
void MeasureFdatasync(const std::string& folder, double seconds) {
  const std::string path = folder + "/synced";
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) Fail(path, strerror(errno));
  const std::string page(kPage, 'p');
  const auto write_page = [&](int64_t number) {
    const auto place = static_cast<off_t>(number) * static_cast<off_t>(kPage);
    if (pwrite(file, page.data(), kPage, place) !=
        static_cast<ssize_t>(kPage)) {
      Fail(path, strerror(errno));
    }
  };
  for (int64_t i = 0; i < kPages; ++i) write_page(i);
  if (fsync(file) != 0) Fail(path, strerror(errno));
  BenchRandom random(1);
  UniformChooser any(kPages);
  Measure(seconds, [&] {
    write_page(any.Next(random));
    if (fdatasync(file) != 0) Fail(path, strerror(errno));
  });
  close(file);
}

// The table, settings and statement of Dapr's SQLite store (components-contrib
// 1.18): WAL, full sync, a transaction for each Set, bytes as base64, an ETag
// that is a UUID. One thread, since SQLite has one writer at a time.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path) {
    Must(sqlite3_open(path.c_str(), &database_));
    Run("PRAGMA busy_timeout = 2000");
    Run("PRAGMA journal_mode = WAL");
    Run("PRAGMA synchronous = FULL");
    Run("CREATE TABLE IF NOT EXISTS state (key TEXT NOT NULL PRIMARY KEY, "
        "value TEXT NOT NULL, is_binary BOOLEAN NOT NULL, etag TEXT NOT NULL, "
        "expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT "
        "NULL DEFAULT CURRENT_TIMESTAMP)");
    const char* const set =
        "INSERT OR REPLACE INTO state "
        "(key, value, is_binary, etag, update_time, expiration_time) "
        "VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP, NULL)";
    Must(sqlite3_prepare_v2(database_, set, -1, &set_, nullptr));
  }
  ~Sqlite() {
    sqlite3_finalize(set_);
    sqlite3_close(database_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void Run(const char* statement) {
    Must(sqlite3_exec(database_, statement, nullptr, nullptr, nullptr));
  }

  void Set(int64_t number, absl::string_view value) {
    const std::string key = BenchKey(number);
    const std::string encoded = absl::Base64Escape(value);
    const std::string etag = absl::StrCat(
        "5fa9c3e2-0d1b-4c8e-9f3a-", absl::Hex(++writes_, absl::kZeroPad12));
    Bind(1, key);
    Bind(2, encoded);
    Must(sqlite3_bind_int(set_, 3, 1));
    Bind(4, etag);
    if (sqlite3_step(set_) != SQLITE_DONE) {
      Fail("SQLite", sqlite3_errmsg(database_));
    }
    Must(sqlite3_reset(set_));
  }

 private:
  void Bind(int place, const std::string& text) {
    Must(sqlite3_bind_text(set_, place, text.data(),
                           static_cast<int>(text.size()), SQLITE_STATIC));
  }

  void Must(int code) {
    if (code != SQLITE_OK) Fail("SQLite", sqlite3_errmsg(database_));
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* set_ = nullptr;
  uint64_t writes_ = 0;
};

void MeasureSqlite(const std::string& folder, double seconds, int64_t keys) {
  const std::string path = folder + "/state.db";
  const bool filled = access(path.c_str(), F_OK) == 0;
  Sqlite sqlite(path);
  const std::string value(kValueBytes, 'v');
  if (!filled) {
    sqlite.Run("BEGIN IMMEDIATE");
    for (int64_t i = 0; i < keys; ++i) sqlite.Set(i, value);
    sqlite.Run("COMMIT");
  }
  BenchRandom random(1);
  UniformChooser any(keys);
  Measure(seconds, [&] { sqlite.Set(any.Next(random), value); });
}

int Main(int argc, char** argv) {
  const std::string rival = argc > 1 ? argv[1] : "";
  if (argc < 4 || (rival != "fdatasync" && rival != "sqlite")) {
    fprintf(stderr,
            "usage: disk_rivals fdatasync|sqlite FOLDER SECONDS [KEYS]\n");
    return 2;
  }
  const double seconds = atof(argv[3]);
  if (rival == "fdatasync") {
    MeasureFdatasync(argv[2], seconds);
  } else {
    MeasureSqlite(argv[2], seconds, argc > 4 ? atoll(argv[4]) : 100'000);
  }
  return 0;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) { return statecpp::Main(argc, argv); }
