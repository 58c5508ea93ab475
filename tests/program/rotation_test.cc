// SPDX-License-Identifier: Apache-2.0
//
// `statecpp keys rotate` and `retire`: another data key for every record of a
// store, while it is used and while it is not.
#include <signal.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/keys_store.h"
#include "tests/program/program.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// So many that a signal, which is sent at once, comes before they are
// re-sealed: a step is of 64 records and takes two milliseconds at the least.
constexpr int kMany = 15'000;

class RotationTest : public KeysStoreTest {
 protected:
  std::string StatusJson() { return Keys({"status", "--json"}).out; }

  // The same of a store that nobody serves.
  std::string StatusJsonHere() {
    return KeysWith("old", {"status", "--json"}).out;
  }

  // Starts a rotation, and sends a signal as soon as it has begun.
  Outcome Interrupted(std::vector<std::string> arguments) {
    Program rotate(KeysOptions(std::move(arguments)));
    EXPECT_TRUE(AwaitTrue([&] {
      return rotate.out().find("data key 2\n") != std::string::npos ||
             !rotate.running();
    }));
    rotate.Signal(SIGINT);
    const int exit_code = rotate.Wait();
    return {.exit_code = exit_code, .out = rotate.out(), .err = rotate.err()};
  }
};

// Each writer owns a key and reads, compares and writes it: any mismatch is one
// that the rotation made. What nobody writes keeps its version.
TEST_F(RotationTest, UnderLoadMakesNoMismatchAndChangesNoETag) {
  constexpr int kRecords = 3000;
  constexpr int kWriters = 4;
  ServeOrders();
  WriteRecords(kRecords);
  std::map<std::string, std::string> etags;
  Client client(socket_path());
  for (int i = 0; i < kRecords; i += 100) {
    const std::string key = absl::StrCat("key", i);
    etags[key] = client.ETagOf(key);
  }

  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      Client writer(socket_path());
      const std::string key = absl::StrCat("key", 1 + 100 * w);
      while (!stop && !HasFailure()) {
        wire::SetRequest set;
        set.set_key(key);
        set.set_value(absl::StrCat(++written));
        set.mutable_etag()->set_value(writer.ETagOf(key));
        EXPECT_THAT(writer.Set(set), Succeeds()) << key;
      }
    });
  }
  for (uint32_t key = 2; key <= 4; ++key) {
    const Outcome rotated = Keys({"rotate"});
    EXPECT_EQ(rotated.exit_code, 0) << rotated.err;
    EXPECT_THAT(rotated.out,
                HasSubstr(absl::StrCat("sealed under data key ", key, "\n")));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(written, kWriters);

  for (const auto& [key, etag] : etags) {
    EXPECT_EQ(client.ETagOf(key), etag) << key;
    EXPECT_EQ(client.ValueOf(key), "value" + key.substr(3));
  }
  const std::string active =
      absl::StrCat(R"({"id":4,"active":true,"records":)", kRecords, "}");
  EXPECT_THAT(StatusJson(),
              AllOf(HasSubstr(R"({"id":1,"active":false,"records":0})"),
                    HasSubstr(active), HasSubstr(R"("rotation":{"left":0,)")));
  const Outcome retired = Keys({"retire"});
  EXPECT_EQ(retired.out,
            "retired data key 1\nretired data key 2\nretired data key 3\n");
  EXPECT_THAT(StatusJson(), HasSubstr(absl::StrCat("[", active, "]")));

  StopServing();
  Serve();
  EXPECT_EQ(Client(socket_path()).ETagOf("key0"), etags["key0"]);
}

TEST_F(RotationTest, WithoutAServerIsDoneWhenTheVerbEnds) {
  MakeOrders(500);
  const Outcome rotated = KeysWith("old", {"rotate"});
  EXPECT_EQ(rotated.exit_code, 0) << rotated.err;
  EXPECT_EQ(rotated.out,
            "new records are sealed under data key 2\n"
            "every record is sealed under data key 2\n"
            "next: statecpp keys retire\n");
  EXPECT_THAT(rotated.err, HasSubstr("re-sealing: 500 of 500 records (100%)"));
  EXPECT_THAT(StatusJsonHere(),
              HasSubstr(R"([{"id":1,"active":false,"records":0},)"
                        R"({"id":2,"active":true,"records":500}])"));
  EXPECT_EQ(KeysWith("old", {"retire"}).out, "retired data key 1\n");
  EXPECT_THAT(StatusJsonHere(),
              HasSubstr(R"("dataKeys":[{"id":2,"active":true,)"));
  Serve();
  EXPECT_EQ(Client(socket_path()).ValueOf("key499"), "value499");
}

TEST_F(RotationTest, OfAnEmptyStoreIsDoneAtOnce) {
  ServeOrders();
  const Outcome rotated = Keys({"rotate"});
  EXPECT_EQ(rotated.exit_code, 0) << rotated.err;
  EXPECT_EQ(rotated.err, "");
  EXPECT_THAT(rotated.out, HasSubstr("every record is sealed"));
}

TEST_F(RotationTest, NoWaitReturnsAtOnceAndTheServerGoesOn) {
  ServeOrders();
  WriteRecords(kMany);
  const Outcome rotated = Keys({"rotate", "--no-wait"});
  EXPECT_EQ(rotated.exit_code, 0) << rotated.err;
  EXPECT_THAT(rotated.out,
              HasSubstr("re-sealed in the background; see: statecpp keys "
                        "status"));
  EXPECT_THAT(StatusJson(), HasSubstr(R"("running":true)"));
  EXPECT_TRUE(AwaitTrue([&] {
    return StatusJson().find(R"("rotation":{"left":0,"running":false)") !=
           std::string::npos;
  }));
}

TEST_F(RotationTest, CtrlCLeavesItRunningInTheServer) {
  ServeOrders();
  WriteRecords(kMany);
  const Outcome left = Interrupted({"rotate"});
  EXPECT_EQ(left.exit_code, 1);
  EXPECT_THAT(left.err, HasSubstr("the server goes on re-sealing"));
  EXPECT_THAT(StatusJson(), Not(HasSubstr(R"("rotation":{"left":0,)")));
  EXPECT_TRUE(AwaitTrue([&] {
    return StatusJson().find(R"("rotation":{"left":0,)") != std::string::npos;
  }));
}

TEST_F(RotationTest, CtrlCWithoutAServerStopsItUntilTheStoreIsNextOpen) {
  MakeOrders(kMany);
  const Outcome stopped = Interrupted({"rotate", "--key-file", KeyFile("old")});
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_THAT(stopped.err, HasSubstr("re-sealing resumes when the store"));
  EXPECT_THAT(StatusJsonHere(),
              AllOf(Not(HasSubstr(R"("rotation":{"left":0,)")),
                    HasSubstr(R"("running":false)")));
  EXPECT_THAT(KeysWith("old", {"retire"}).out, HasSubstr("nothing to retire"));
  EXPECT_THAT(KeysWith("old", {"retire", "1"}).err,
              HasSubstr("records are still sealed under data key 1"));
  Serve();
  EXPECT_TRUE(AwaitTrue([&] {
    return StatusJson().find(R"("rotation":{"left":0,)") != std::string::npos;
  }));
}

TEST_F(RotationTest, EndsWithTheServer) {
  ServeOrders();
  WriteRecords(kMany);
  Program rotate(KeysOptions({"rotate"}));
  EXPECT_TRUE(AwaitTrue(
      [&] { return rotate.out().find("data key 2\n") != std::string::npos; }));
  StopServing();
  EXPECT_EQ(rotate.Wait(), 6);
  EXPECT_THAT(rotate.err(), HasSubstr("the server ended the connection"));
}

TEST_F(RotationTest, RetireKeepsWhatIsInUse) {
  ServeOrders();
  WriteRecords(3);
  const Outcome active = Keys({"retire", "1"});
  EXPECT_EQ(active.exit_code, 2);
  EXPECT_THAT(active.err, HasSubstr("new records are sealed under"));
  EXPECT_EQ(Keys({"retire", "9"}).exit_code, 3);
  EXPECT_EQ(Keys({"retire", "x"}).exit_code, 2);
  const Outcome nothing = Keys({"retire"});
  EXPECT_EQ(nothing.exit_code, 0);
  EXPECT_THAT(nothing.out, HasSubstr("nothing to retire"));
  ASSERT_EQ(Keys({"rotate"}).exit_code, 0);
  EXPECT_EQ(Keys({"retire", "1"}).out, "retired data key 1\n");
  EXPECT_EQ(Keys({"retire", "1"}).exit_code, 3);
}

}  // namespace
}  // namespace statecpp
