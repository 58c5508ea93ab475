// SPDX-License-Identifier: Apache-2.0
//
// Calls of every kind, for as long as it is told, so that there is something to
// see. Usage: load SOCKET SECONDS
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"

namespace statecpp {
namespace {

// One of several that share a component: their writes meet, and some conflict.
void Round(Client& client, int i) {
  const std::string key = absl::StrCat("order||", i % 50);
  static const std::string& text = *new std::string(1 << 11, 'x');
  client.SetKey(key,
                absl::StrCat(R"({"n":)", i % 7, R"(,"text":")",
                             absl::string_view(text).substr(i % 2048), "\"}"));
  for (int g = 0; g < 8; ++g) client.GetKey(absl::StrCat("order||", g * 7));
  client.GetKey("nobody");
  const std::string etag = client.ETagOf(key);
  wire::SetRequest guarded;
  guarded.set_key(key);
  guarded.set_value("{}");
  guarded.mutable_etag()->set_value(i % 4 == 0 ? "0123456789abcdef" : etag);
  client.Set(guarded);
  wire::SetRequest brief;
  brief.set_key(absl::StrCat("brief||", i % 100));
  brief.set_value("1");
  brief.mutable_metadata()->insert({"ttlInSeconds", "1"});
  client.Set(brief);
  client.BulkSet(Text(R"(items { key: "a" value: "1" }
                         items { key: "b" value: "2" })"));
  client.BulkGet(Text(R"(items { key: "a" } items { key: "b" })"));
  client.Transact(Text(R"(operations { set { key: "t" value: "1" } }
                          operations { delete { key: "u" } })"));
  client.Delete(Text(R"(key: "v")"));
  client.BulkDelete(Text(R"(items { key: "w" } items { key: "x" })"));
  if (i % 10 == 0) client.Query(Text(""));
}

int Main(const std::string& socket, int seconds) {
  for (const char* component : {"orders", "carts"}) {
    Client(socket, component)
        .MustInit({{"maxSize", "256Mi"}, {"cleanupInterval", "2s"}});
  }
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  std::vector<std::thread> threads;
  for (const char* component : {"orders", "orders", "carts"}) {
    threads.emplace_back([=] {
      Client client(socket, component);
      Client stranger(socket, "stranger");
      for (int i = 0; absl::Now() < end; ++i) {
        Round(client, i);
        if (i % 20 == 0) stranger.GetKey("a");
        // In waves, as load comes.
        absl::SleepFor(absl::Milliseconds(5 + i / 50 % 4 * 10));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return testing::UnitTest::GetInstance()->Passed() ? 0 : 1;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 3) return 2;
  return statecpp::Main(argv[1], std::atoi(argv[2]));
}
