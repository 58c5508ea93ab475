// SPDX-License-Identifier: Apache-2.0
//
// `--component` of the verbs about a store, and `statecpp config`: the YAML
// that daprd reads says which store it is and where its key is.
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/offline_store.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// docs/operations.md promises these.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;

class ComponentVerbTest : public OfflineStoreTest {
 protected:
  // The YAML of a component of that name; `fields` are lines of its list.
  std::string WriteComponent(const std::string& name,
                             const std::string& fields = "") const {
    std::string path = dir_.Path(name + ".yaml");
    std::ofstream(path) << "apiVersion: dapr.io/v1alpha1\nkind: Component\n"
                        << "metadata: {name: " << name << "}\nspec:\n"
                        << "  type: state.cpp\n  version: v1\n  metadata:\n"
                        << "  - {name: encryption, value: \""
                        << TestEncryption() << "\"}\n"
                        << fields;
    return path;
  }

  Outcome Run(const std::string& verb, std::vector<std::string> more) const {
    return RunToEnd(VerbOptions(verb, std::move(more)));
  }
  Outcome RunWithKey(const std::string& verb,
                     std::vector<std::string> more) const {
    return RunToEnd(VerbOptionsWithKey(verb, std::move(more)));
  }
};

TEST_F(ComponentVerbTest, TheFileNamesTheStoreServedOrNot) {
  Serve();
  for (const std::string name : {"orders", "other"}) {
    Client client(socket_path(), name);
    client.MustInit({{"dataDir", "shop/" + name}});
    ASSERT_THAT(client.SetKey("k", name), Succeeds());
  }
  const std::string file =
      WriteComponent("orders", "  - {name: dataDir, value: shop/orders}\n");
  EXPECT_EQ(Run("get", {"k", "--component", file}).out, "orders");
  EXPECT_EQ(Run("ls", {"--component", file}).out, "k\n");
  StopServing();
  for (const std::string verb : {"ls", "query", "stat", "verify", "compact"}) {
    EXPECT_THAT(RunWithKey(verb, {"--component", file}),
                Exits(0, HasSubstr("")))
        << verb;
  }
  EXPECT_EQ(RunWithKey("get", {"k", "--component", file}).out, "orders");
}

TEST_F(ComponentVerbTest, TheFileNamesTheKeyBelowKeyDir) {
  if (!TestsAreSealed()) return;
  ASSERT_EQ(mkdir(dir_.Path("keys").c_str(), 0700), 0);
  const std::string key = dir_.Path("keys/own.key");
  ASSERT_EQ(RunToEnd({.arguments = {"keygen", key}}).exit_code, 0);
  Serve({"--key-dir", dir_.Path("keys")});
  Client client(socket_path());
  client.MustInit({{"encryptionKeyFile", "own.key"}});
  ASSERT_THAT(client.SetKey("k", "1"), Succeeds());
  StopServing();
  const std::string file = WriteComponent(
      "orders", "  - {name: encryptionKeyFile, value: own.key}\n");
  EXPECT_THAT(Run("get", {"k", "--component", file}),
              Exits(kUsage, AllOf(HasSubstr("own.key"), HasSubstr("--key-dir"),
                                  HasSubstr("--key-file"))));
  EXPECT_EQ(
      Run("get", {"k", "--component", file, "--key-dir", dir_.Path("keys")})
          .out,
      "1");
  EXPECT_EQ(Run("get", {"k", "--component", file, "--key-file", key}).out, "1");
  // What the environment names is the key of other stores.
  ProgramOptions options = VerbOptions(
      "get", {"k", "--component", file, "--key-dir", dir_.Path("keys")});
  options.environment = {"STATECPP_KEY_FILE=" + key_file()};
  EXPECT_EQ(RunToEnd(options).out, "1");
}

TEST_F(ComponentVerbTest, AKeyThatDaprdHasNeedsAFlag) {
  if (!TestsAreSealed()) return;
  MakeStore(1);
  const std::string file = WriteComponent(
      "orders", "  - {name: encryptionKey, secretKeyRef: {name: s, key: k}}\n");
  EXPECT_THAT(Run("ls", {"--component", file}),
              Exits(kUsage, AllOf(HasSubstr("component orders"),
                                  HasSubstr("--key-file"))));
  EXPECT_EQ(RunWithKey("ls", {"--component", file}).out, KeyName(0) + "\n");
}

TEST_F(ComponentVerbTest, AKeyOfTheEnvironmentIsNotForAStoreInClear) {
  if (TestsAreSealed()) return;
  MakeStore(1);
  ProgramOptions options =
      VerbOptions("ls", {"--component", WriteComponent("orders")});
  options.environment = {"STATECPP_KEY_FILE=" + key_file()};
  EXPECT_EQ(RunToEnd(options).out, KeyName(0) + "\n");
}

TEST_F(ComponentVerbTest,
       AFileThatIsNoComponentIsRefusedBeforeAnythingIsOpened) {
  MakeStore(1);
  EXPECT_THAT(RunWithKey("ls", {"--component", dir_.Path("absent.yaml")}),
              Exits(kNotFound, HasSubstr("absent.yaml")));
  const std::string bad =
      WriteComponent("orders", "  - {name: maxSize, value: lots}\n");
  EXPECT_THAT(RunWithKey("ls", {"--component", bad}),
              Exits(kUsage, AllOf(HasSubstr(bad), HasSubstr("\"lots\""))));
  EXPECT_THAT(
      RunWithKey("ls", {"--component", WriteComponent("a"), "--store", "b"}),
      Exits(kUsage, HasSubstr("leave --store-path and --store out")));
  EXPECT_THAT(RunWithKey("ls", {"--component", WriteComponent("absent")}),
              Exits(kNotFound, HasSubstr("no store absent; it has: orders")));
}

TEST_F(ComponentVerbTest, ConfigShowsWhatAServerRemembers) {
  Serve();
  Client(socket_path())
      .MustInit({{"maxSize", "20Gi"}, {"unknownField", "canary"}});
  for (const bool served : {true, false}) {
    if (!served) StopServing();
    const Outcome outcome = Run("config", {});
    EXPECT_THAT(
        outcome,
        Exits(0, AllOf(HasSubstr("component orders (remembered)\n"),
                       ContainsRegex("  maxSize +20Gi +set\n"),
                       ContainsRegex("  dataDir +orders +default\n"),
                       ContainsRegex("  timeout +20s +default\n"),
                       ContainsRegex(absl::StrCat(
                           "  encryption +", TestEncryption(), " +set\n")))));
    EXPECT_THAT(outcome.out, Not(HasSubstr("canary")));
    EXPECT_EQ(Run("config", {"orders"}).out, outcome.out);
    EXPECT_THAT(
        Run("config", {"--json"}).out,
        AllOf(HasSubstr("{\"component\":\"orders\",\"source\":"
                        "\"remembered\",\"fields\":{\"dataDir\":"
                        "{\"value\":\"orders\",\"set\":false},"),
              HasSubstr("\"maxSize\":{\"value\":\"20Gi\",\"set\":true}")));
    EXPECT_THAT(Run("config", {"other"}),
                Exits(kNotFound, HasSubstr("no component other")));
  }
  EXPECT_THAT(RunToEnd({.arguments = {"config"}}),
              Exits(kUsage, HasSubstr("--component FILE")));
}

TEST_F(ComponentVerbTest, ConfigShowsWhatAFileMeansAndWouldChange) {
  const std::string file = WriteComponent(
      "orders",
      "  - {name: maxSize, value: 30720Mi}\n"
      "  - {name: redisHost, value: canary}\n"
      "  - {name: encryptionKey, secretKeyRef: {name: s, key: canary}}\n");
  const Outcome alone =
      RunToEnd({.arguments = {"config", "--component", file}});
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_THAT(alone.out,
              AllOf(HasSubstr(absl::StrCat("component orders (", file, ")\n")),
                    ContainsRegex("  maxSize +30Gi +set\n"),
                    ContainsRegex("  encryptionKey +\\(secret\\) +set\n")));
  EXPECT_THAT(alone.err, HasSubstr("warning: metadata field \"redisHost\""));
  EXPECT_THAT(alone.out + alone.err, Not(HasSubstr("canary")));
  Serve();
  EXPECT_THAT(Run("config", {"--component", file}),
              Exits(0, HasSubstr("does not remember this component")));
  Client(socket_path()).MustInit();
  EXPECT_THAT(Run("config", {"--component", file}),
              Exits(0, AllOf(HasSubstr("daprd's next Init changes:\n"),
                             HasSubstr("  maxSize: 10Gi -> 30Gi\n"))));
  EXPECT_THAT(Run("config", {"--component", WriteComponent("orders")}),
              Exits(0, HasSubstr("the server remembers the same\n")));
  EXPECT_THAT(Run("config", {"orders", "--component", file}),
              Exits(kUsage, HasSubstr("leave the NAME out")));
}

}  // namespace
}  // namespace statecpp
