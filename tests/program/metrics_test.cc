// SPDX-License-Identifier: Apache-2.0
//
// What a server says of itself to Prometheus, to probes and in its log.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/scrape.h"
#include "tests/program/served_store.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::grpc::health::v1::HealthCheckResponse;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr int kUsage = 2;
constexpr int kHeld = 73;

class MetricsTest : public ServedStoreTest {
 protected:
  void ServeMetrics(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--metrics-address", "127.0.0.1:0"});
    Serve(more);
  }

  std::string Get(absl::string_view path) {
    return HttpGet(MetricsUrl(server().err()), path);
  }
  std::string Sample(absl::string_view name, absl::string_view labels) {
    return SampleOf(Get("/metrics"), absl::StrCat(name, "{", labels, "}"));
  }
  // How many of those calls came to that.
  std::string Calls(absl::string_view operation, absl::string_view result) {
    return Sample("statecpp_operations_total",
                  absl::StrCat(R"(component="orders",operation=")", operation,
                               R"(",result=")", result, "\""));
  }
  std::string OfOrders(absl::string_view name) {
    return Sample(name, R"(component="orders")");
  }
  // A histogram's.
  std::string Count(absl::string_view name, absl::string_view operation) {
    return Sample(
        absl::StrCat(name, "_count"),
        absl::StrCat(R"(component="orders",operation=")", operation, "\""));
  }
};

TEST_F(MetricsTest, AreOffUnlessTheyAreAskedFor) {
  Serve();
  EXPECT_THAT(server().err(), HasSubstr(R"(metrics="off")"));
  EXPECT_THAT(MetricsUrl(server().err()), IsEmpty());
}

TEST_F(MetricsTest, ComeInPrometheusFormatWithAllSeriesFromInitOn) {
  ServeMetrics();
  EXPECT_THAT(Get("/metrics"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("Content-Type: text/plain; version=0.0.4"),
                    HasSubstr("# TYPE statecpp_operations_total counter\n"),
                    ContainsRegex("statecpp_build_info[{]lmdb=\"0.9.[0-9]+\","
                                  "version=\"0.1.0\"[}] 1\n"),
                    Not(HasSubstr("component="))));
  Client(socket_path()).MustInit();
  for (const char* operation : {"get", "set", "delete", "bulk_get", "bulk_set",
                                "bulk_delete", "transaction", "query"}) {
    for (const char* result : {"ok", "etag_mismatch", "invalid", "too_large",
                               "full", "unavailable", "timeout", "error"}) {
      EXPECT_EQ(Calls(operation, result), "0") << operation << result;
    }
    EXPECT_EQ(Count("statecpp_operation_duration_seconds", operation), "0");
  }
  EXPECT_EQ(Calls("get", "miss"), "0");
  EXPECT_EQ(OfOrders("statecpp_instance_up"), "1");
}

TEST_F(MetricsTest, CountEachCallUnderWhatCameOfIt) {
  ServeMetrics();
  Client client(socket_path());
  client.MustInit();
  EXPECT_THAT(client.SetKey("a", "1234"), Succeeds());
  EXPECT_EQ(client.ValueOf("a"), "1234");
  EXPECT_EQ(client.ValueOf("b"), "(none)");
  client.Set(Text(R"(key: "a" value: "1" etag { value: "nonsense" })"));
  client.Set(Text(R"(value: "1")"));
  wire::SetRequest large;
  large.set_key("large");
  large.set_value(std::string(4'200'000, 'v'));
  client.Set(large);
  client.Delete(Text(R"(key: "b")"));
  EXPECT_EQ(Calls("set", "ok"), "1");
  EXPECT_EQ(Calls("set", "etag_mismatch"), "1");
  EXPECT_EQ(Calls("set", "invalid"), "1");
  EXPECT_EQ(Calls("set", "too_large"), "1");
  EXPECT_EQ(Calls("get", "ok"), "1");
  EXPECT_EQ(Calls("get", "miss"), "1");
  EXPECT_EQ(Calls("delete", "ok"), "1");
  EXPECT_EQ(Count("statecpp_operation_duration_seconds", "set"), "4");
  EXPECT_EQ(Count("statecpp_value_bytes", "set"), "4");
  EXPECT_EQ(Sample("statecpp_value_bytes_sum",
                   R"(component="orders",operation="get")"),
            "4");
  EXPECT_EQ(OfOrders("statecpp_inflight_requests"), "0") << "all were answered";
}

TEST_F(MetricsTest, CountTheItemsOfABulkATransactionAndAQuery) {
  ServeMetrics();
  Client client(socket_path());
  client.MustInit();
  client.BulkSet(Text(R"(items { key: "a" value: "{\"n\":1}" }
                         items { key: "b" value: "{\"n\":2}" })"));
  client.BulkGet(Text(R"(items { key: "a" } items { key: "c" })"));
  client.Transact(Text(R"(operations { set { key: "c" value: "3" } }
                          operations { delete { key: "b" } })"));
  client.Query(Text(""));
  client.BulkDelete(Text(R"(items { key: "c" })"));
  for (const auto& [operation, items] :
       std::vector<std::pair<std::string, std::string>>{{"bulk_set", "2"},
                                                        {"bulk_get", "2"},
                                                        {"transaction", "2"},
                                                        {"query", "2"},
                                                        {"bulk_delete", "1"}}) {
    EXPECT_EQ(Calls(operation, "ok"), "1") << operation;
    EXPECT_EQ(Sample("statecpp_operation_items_sum",
                     absl::StrCat(R"(component="orders",operation=")",
                                  operation, "\"")),
              items)
        << operation;
  }
  EXPECT_EQ(Count("statecpp_value_bytes", "bulk_get"), "1");
  EXPECT_EQ(Count("statecpp_value_bytes", "transaction"), "1");
  EXPECT_EQ(OfOrders("statecpp_query_scanned_total"), "2");
  EXPECT_EQ(OfOrders("statecpp_query_returned_total"), "2");
}

TEST_F(MetricsTest, ShowWhatIsInTheStore) {
  ServeMetrics();
  Client client(socket_path());
  client.MustInit({{"maxSize", "64Mi"}});
  client.SetKey("a", "1");
  client.Set(Text(R"(key: "b" value: "2"
                     metadata { key: "ttlInSeconds" value: "1000" })"));
  EXPECT_EQ(OfOrders("statecpp_keys"), "2");
  EXPECT_EQ(OfOrders("statecpp_expiring_keys"), "1");
  EXPECT_EQ(OfOrders("statecpp_map_size_bytes"), "67108864");
  EXPECT_EQ(OfOrders("statecpp_commit_duration_seconds_count"), "2");
  EXPECT_EQ(OfOrders("statecpp_sync_duration_seconds_count"), "2");
  EXPECT_EQ(OfOrders("statecpp_write_queue_depth"), "0");
  EXPECT_EQ(OfOrders("statecpp_rekey_pending_keys"), "0");
  EXPECT_EQ(Sample("statecpp_key_info", R"(component="orders",key_id="1")"),
            TestsAreSealed() ? "1" : "(none)");
}

// An Init that comes again changes settings, and loses no count.
TEST_F(MetricsTest, GoOnAcrossAnotherInit) {
  ServeMetrics();
  Client client(socket_path());
  client.MustInit();
  client.SetKey("a", "1");
  client.MustInit({{"timeout", "5s"}});
  client.SetKey("a", "2");
  EXPECT_EQ(Calls("set", "ok"), "2");
}

TEST_F(MetricsTest, CountEachTimeARecordDoesNotOpen) {
  constexpr int kSize = 3 << 20;
  ServeMetrics();
  {
    Client client(socket_path());
    client.MustInit();
    EXPECT_THAT(client.SetKey("large", std::string(kSize, 'v')), Succeeds());
  }
  Kill();
  // In the midst of the one item that takes most of the file.
  std::fstream file(data_root() + "/stores/orders/data.mdb",
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(kSize / 2);
  const char byte = static_cast<char>(file.get());
  file.seekp(kSize / 2);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  ServeMetrics();
  Client client(socket_path());
  EXPECT_THAT(client.GetKey("large"),
              FailsWith(grpc::StatusCode::DATA_LOSS, testing::_));
  EXPECT_THAT(client.BulkGet(Text(R"(items { key: "large" })")), Succeeds());
  EXPECT_EQ(OfOrders("statecpp_auth_failures_total"), "2");
  EXPECT_EQ(Calls("get", "error"), "1");
  EXPECT_EQ(Calls("bulk_get", "ok"), "1") << "the item has an error";
  // And in the log, by place and never by key.
  ASSERT_TRUE(server().AwaitLog("operation failed", 2));
  EXPECT_THAT(
      server().err(),
      AllOf(ContainsRegex(
                R"(level=error msg="operation failed" scope=statecpp )"
                R"(component="orders" operation="get" error="[a-z][^"]+" )"
                R"(trace_id="" left_out="0")"),
            HasSubstr("operation=\"bulk_get\""), Not(HasSubstr("large"))));
}

TEST_F(MetricsTest, ShowTheLastBackupOnceThereIsOne) {
  ServeMetrics();
  Client client(socket_path());
  client.MustInit();
  client.SetKey("a", "1");
  EXPECT_EQ(OfOrders("statecpp_backup_last_success_timestamp_seconds"),
            "(none)");
  const int64_t before = absl::ToUnixSeconds(absl::Now());
  const Outcome backup =
      RunToEnd({.arguments = {"backup", dir_.Path("copy"), "--data-root",
                              data_root(), "--store", "orders"}});
  EXPECT_EQ(backup.exit_code, 0) << backup.err;
  double at = 0;
  EXPECT_TRUE(absl::SimpleAtod(
      OfOrders("statecpp_backup_last_success_timestamp_seconds"), &at));
  EXPECT_GE(at, before);
  EXPECT_EQ(
      OfOrders("statecpp_backup_bytes"),
      absl::StrCat(std::filesystem::file_size(dir_.Path("copy/data.mdb"))));
}

TEST_F(MetricsTest, ShowWhenAllRecordsWereLastWhole) {
  constexpr char kName[] = "statecpp_verify_last_success_timestamp_seconds";
  ServeMetrics();
  Client client(socket_path());
  client.MustInit();
  client.SetKey("a", std::string(1 << 20, 'v'));
  const auto verify = [this](std::vector<std::string> more) {
    more.insert(more.begin(), {"verify", "--data-root", data_root()});
    return RunToEnd({.arguments = more}).exit_code;
  };
  EXPECT_EQ(verify({"--quick"}), 0);
  EXPECT_EQ(OfOrders(kName), "(none)");
  const int64_t before = absl::ToUnixSeconds(absl::Now());
  EXPECT_EQ(verify({}), 0);
  const std::string shown = OfOrders(kName);
  double at = 0;
  EXPECT_TRUE(absl::SimpleAtod(shown, &at));
  EXPECT_GE(at, before);
  std::fstream data(data_root() + "/stores/orders/data.mdb",
                    std::ios::in | std::ios::out | std::ios::binary);
  data.seekp(1 << 19);
  data << "damage" << std::flush;
  EXPECT_EQ(verify({}), 5);
  EXPECT_EQ(OfOrders(kName), shown);
}

TEST_F(MetricsTest, CountACallThatComesToNoComponent) {
  ServeMetrics();
  Client client(socket_path(), "nobody");
  EXPECT_THAT(client.GetKey("a"),
              FailsWith(grpc::StatusCode::UNAVAILABLE, testing::_));
  EXPECT_EQ(Sample("statecpp_refused_calls_total", R"(reason="no_component")"),
            "1");
}

TEST_F(MetricsTest, ProbesSayWhatTheHealthServiceSays) {
  ServeMetrics();
  EXPECT_THAT(Get("/healthz"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nok\n")));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get("/metrics/"), StartsWith("HTTP/1.1 404 "));

  // A key that only daprd can bring is gone after a restart.
  const std::string key = absl::BytesToHexString(TestKeyText());
  Client client(socket_path());
  EXPECT_THAT(client.Init({{"encryptionKey", key}}), Succeeds());
  client.SetKey("a", "1");
  Kill();
  std::vector<std::string> without_key = {
      "serve",         "--data-root",       data_root(),  "--socket-folder",
      socket_folder(), "--metrics-address", "127.0.0.1:0"};
  Program program({.arguments = without_key});
  ASSERT_TRUE(program.AwaitLog("ready: "));
  const std::string url = MetricsUrl(program.err());
  Client again(socket_path());
  EXPECT_THAT(HttpGet(url, "/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(again.Check("dapr.proto.components.v1.StateStore").message.status(),
            HealthCheckResponse::NOT_SERVING);
  EXPECT_THAT(HttpGet(url, "/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(SampleOf(HttpGet(url, "/metrics"),
                     R"(statecpp_instance_up{component="orders"})"),
            "0");

  EXPECT_THAT(again.Init({{"encryptionKey", key}}), Succeeds());
  EXPECT_THAT(HttpGet(url, "/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(SampleOf(HttpGet(url, "/metrics"),
                     R"(statecpp_instance_up{component="orders"})"),
            "1");
}

TEST_F(MetricsTest, NothingIsServedWhereTheirAddressCannotBeHad) {
  ServeMetrics();
  const std::string address = MetricsUrl(server().err()).substr(7);
  ProgramOptions other = {.arguments = {"serve", "--data-root",
                                        dir_.Path("other"), "--socket-folder",
                                        dir_.Path("other_sockets"),
                                        "--metrics-address", address}};
  Outcome outcome = RunToEnd(other);
  EXPECT_EQ(outcome.exit_code, kHeld);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(address),
                                 HasSubstr("another process has that port"),
                                 Not(HasSubstr("ready: "))));
  other.arguments.back() = "example.org:9464";
  outcome = RunToEnd(other);
  EXPECT_EQ(outcome.exit_code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("example.org:9464"));
}

// --- The log.

TEST_F(MetricsTest, ASlowOperationIsLoggedWithWhereItsTimeWent) {
  Serve({"--slow-operation", "1ns"});
  Client client(socket_path());
  client.MustInit();
  client.AddMetadata("traceparent",
                     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  client.SetKey("key-of-mallory", "value-of-mallory");
  ASSERT_TRUE(server().AwaitLog("slow operation"));
  EXPECT_THAT(
      server().err(),
      ContainsRegex(
          R"(level=info msg="slow operation" scope=statecpp )"
          R"(component="orders" operation="set" result="ok" )"
          R"(duration_ms="[0-9.]+" wait_ms="0.000" decide_ms="0[0-9.]+" )"
          R"(queue_ms="[0-9.]+" commit_ms="[0-9.]+" reply_ms="[0-9.]+" )"
          R"(items="1" bytes="16" )"
          R"(trace_id="0af7651916cd43dd8448eb211c80319c" left_out="0")"));
  EXPECT_THAT(server().err(), Not(HasSubstr("mallory")));
}

// daprd passes no trace on, but what an app says of its request.
TEST_F(MetricsTest, ASlowOperationHasTheTraceThatItsRequestNames) {
  Serve({"--slow-operation", "1ns"});
  Client client(socket_path());
  client.MustInit();
  client.GetKey("a");
  wire::GetRequest get;
  get.set_key("a");
  (*get.mutable_metadata())["traceparent"] =
      "00-00000000000000000000000000c0ffee-b7ad6b7169203331-01";
  client.Get(get);
  (*get.mutable_metadata())["traceparent"] = "forged\" msg=\"x";
  client.Get(get);
  ASSERT_TRUE(server().AwaitLog("slow operation", 3));
  EXPECT_THAT(
      server().err(),
      AllOf(ContainsRegex(R"(operation="get" result="miss".*trace_id="")"),
            HasSubstr(R"(trace_id="00000000000000000000000000c0ffee")"),
            Not(HasSubstr("forged"))));
}

TEST_F(MetricsTest, TheLogOfSlowOperationsIsBoundedAndSaysWhatItLeftOut) {
  Serve({"--slow-operation", "1ns"});
  Client client(socket_path());
  client.MustInit();
  for (int i = 0; i < 2000; ++i) client.GetKey("a");
  const auto lines = [&] {
    const std::vector<std::string> parts =
        absl::StrSplit(server().err(), "slow operation");
    return parts.size() - 1;
  };
  EXPECT_TRUE(AwaitTrue([&] {  // a second begins, and with it more lines
    client.GetKey("a");
    return !absl::StrContains(
        server().err().substr(server().err().rfind("left_out=")), "\"0\"");
  }));
  EXPECT_LT(lines(), 2000 / 4);
}

TEST_F(MetricsTest, NoOperationIsSlowIfNoneIsToBe) {
  Serve({"--slow-operation", "0s"});
  Client client(socket_path());
  client.MustInit();
  client.SetKey("a", "1");
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
  EXPECT_THAT(server().err(), Not(HasSubstr("slow operation")));
}

TEST_F(MetricsTest, TheLogInJsonHasDaprsFields) {
  Serve({"--log-as-json", "--slow-operation", "1ns"});
  Client(socket_path(), "with \"quotes\"").MustInit();
  const std::vector<std::string> lines =
      absl::StrSplit(server().err(), '\n', absl::SkipEmpty());
  ASSERT_THAT(lines, Not(SizeIs(0)));
  for (const std::string& line : lines) {
    EXPECT_THAT(
        line,
        testing::MatchesRegex(
            "\\{\"time\":\"[0-9]{4}-[0-9-]+T[0-9:.]+Z\",\"level\":\"[a-z]+\","
            "\"type\":\"log\",\"msg\":\".*\",\"scope\":\"statecpp\","
            "\"instance\":\"[^\"]+\",\"ver\":\"0.1.0\".*\\}"));
    EXPECT_EQ(line.find("\"ver\""), line.rfind("\"ver\"")) << line;
  }
  EXPECT_THAT(server().err(), HasSubstr(R"("component":"with \"quotes\"")"));
}

}  // namespace
}  // namespace statecpp
