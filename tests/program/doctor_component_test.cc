// SPDX-License-Identifier: Apache-2.0
//
// `statecpp doctor` on daprd's side: the YAML of components. Each test provokes
// one finding, in YAML that is otherwise as it should be.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/doctored_store.h"
#include "tests/program/program.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kUsage = 2;
constexpr int kNotFound = 3;

class DoctorComponentTest : public DoctoredStoreTest {
 protected:
  // Of one file.
  Outcome Told(const std::string& yaml) const {
    return Doctor({"--component", Write("store.yaml", yaml)});
  }
  // Of the folder of all that were written.
  Outcome ToldOfAll() const {
    return Doctor({"--resources-path", dir_.Path("components")});
  }

  // Of another type, with nothing wrong.
  static std::string Redis(const std::string& name,
                           const std::string& fields = "") {
    return absl::StrCat(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: ",
        name, "}\nspec:\n  type: state.redis\n  version: v1\n", fields);
  }
};

TEST_F(DoctorComponentTest, OneWithNothingWrong) {
  const Outcome outcome = Told(Yaml());
  EXPECT_THAT(outcome,
              Finds("ok", "component",
                    absl::StrCat("store orders, ",
                                 TestsAreSealed() ? "sealed" : "not sealed"),
                    ""));
  for (const char* kind : {"component-field", "component-scopes",
                           "component-version", "component-init-timeout"}) {
    EXPECT_THAT(Found(outcome, kind), IsEmpty()) << kind;
  }
}

TEST_F(DoctorComponentTest, WhatIsNoYaml) {
  EXPECT_THAT(Told("kind: [Component\n"),
              Finds("fault", "component-yaml", "it is no YAML",
                    "statecpp doctor --component "));
}

TEST_F(DoctorComponentTest, AFileThatIsNotThere) {
  EXPECT_THAT(Doctor({"--component", dir_.Path("none.yaml")}),
              Finds("fault", "component-yaml", "cannot read", ""));
}

TEST_F(DoctorComponentTest, NoneOfOurType) {
  EXPECT_THAT(Told(Redis("statestore")),
              Finds("fault", "component-absent", "statestore (state.redis)",
                    "type: state.cpp"));
  fs::remove(dir_.Path("components/store.yaml"));
  EXPECT_THAT(ToldOfAll(),
              Finds("fault", "component-absent",
                    "no component of type state.cpp is here", "statecpp init"));
}

TEST_F(DoctorComponentTest, NoneNamed) {
  EXPECT_THAT(Doctor(), Finds("warning", "component-absent",
                              "no YAML was named", "--resources-path DIR"));
}

TEST_F(DoctorComponentTest, AnotherKind) {
  EXPECT_THAT(
      Told(With(Yaml(), "kind: Component", "kind: component")),
      Finds("fault", "component-kind", "passes over", "kind: Component"));
}

TEST_F(DoctorComponentTest, AnotherApiVersion) {
  EXPECT_THAT(Told(With(Yaml(), "dapr.io/v1alpha1", "dapr.io/v1")),
              Finds("fault", "component-api-version", "passes over",
                    "apiVersion: dapr.io/v1alpha1"));
}

TEST_F(DoctorComponentTest, ATypeThatIsNearOurs) {
  for (const std::string type : {"state.lmdb", "state.statecpp", "cpp"}) {
    EXPECT_THAT(Told(With(Yaml(), "state.cpp", type)),
                Finds("fault", "component-type",
                      absl::StrCat(type, "\\\", which no socket makes"),
                      "type: state.cpp"));
  }
}

TEST_F(DoctorComponentTest, OurTypeInCapitals) {
  EXPECT_THAT(Told(With(Yaml(), "state.cpp", "state.CPP")),
              Finds("ok", "component", "store orders", ""));
}

TEST_F(DoctorComponentTest, AnotherVersion) {
  EXPECT_THAT(Told(With(Yaml(), "version: v1\n", "version: v2\n")),
              Finds("fault", "component-version",
                    "couldn't find state store state.cpp/v2", "version: v1"));
  EXPECT_THAT(
      Found(Told(With(Yaml(), "  version: v1\n", "")), "component-version"),
      IsEmpty());
}

TEST_F(DoctorComponentTest, TwoOfOneName) {
  Write("a.yaml", Yaml());
  Write("b.yaml", Redis("orders"));
  EXPECT_THAT(ToldOfAll(), Finds("fault", "component-name", "duplicate",
                                 "metadata: {name: orders-2}"));
  // The daprd of an app that has the first asks for no more than the name.
  Write("b.yaml", absl::StrCat(Redis("orders"), "scopes: [other]\n"));
  EXPECT_THAT(ToldOfAll(),
              Finds("fault", "component-name",
                    "the daprd of shop then loads none", "orders-2"));
}

TEST_F(DoctorComponentTest, ManyOfOneName) {
  std::string all = Yaml();
  for (int i = 0; i < 5; ++i) absl::StrAppend(&all, "---\n", Yaml());
  Write("all.yaml", all);
  const std::string found = Found(ToldOfAll(), "component-name");
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 5) << found;
}

TEST_F(DoctorComponentTest, AnotherNamespace) {
  const std::string named = "name: orders, namespace: production}";
  const std::string file =
      Write("a.yaml", With(Yaml(), "name: orders}", named));
  Write("b.yaml", Redis("orders"));
  const std::vector<std::string> all = {"--resources-path",
                                        dir_.Path("components")};
  // Of which daprd knows nothing where it has none itself.
  EXPECT_THAT(DoctorWith(all),
              Finds("fault", "component-name", "duplicate", "orders-2"));
  const Outcome outcome = DoctorWith(all, {"NAMESPACE=staging"});
  EXPECT_THAT(outcome, Finds("warning", "component-namespace",
                             "\\\"production\\\", and daprd",
                             "metadata: {name: orders, namespace: staging}"));
  EXPECT_THAT(Found(outcome, "component-name"), IsEmpty());
  EXPECT_THAT(Found(outcome, "component"), IsEmpty());
  EXPECT_THAT(Found(DoctorWith({"--component", file}, {"NAMESPACE=production"}),
                    "component-namespace"),
              IsEmpty());
}

TEST_F(DoctorComponentTest, OneOfItsNameWhereDaprInitLeavesOne) {
  const std::string file = Write("store.yaml", Yaml("", "statestore"));
  const std::string home = dir_.Path("home");
  fs::create_directories(home + "/.dapr/components");
  std::ofstream(home + "/.dapr/components/statestore.yaml")
      << Redis("statestore");
  EXPECT_THAT(DoctorWith({"--component", file}, {"HOME=" + home}),
              Finds("warning", "component-name-home", "of type state.redis",
                    "dapr run --resources-path " + dir_.Path("components")));
}

TEST_F(DoctorComponentTest, NoScopes) {
  EXPECT_THAT(Told(With(Yaml(), "scopes: [shop]\n", "")),
              Finds("warning", "component-scopes", "every app",
                    "scopes: [YOUR-APP-ID]"));
}

TEST_F(DoctorComponentTest, AValueThatInitRefuses) {
  EXPECT_THAT(Told(Yaml("  - {name: maxSize, value: \"10 gigs\"}\n")),
              Finds("fault", "component-field", "10 gigs",
                    "- {name: maxSize, value: \\\"10Gi\\\"}"));
}

// Which daprd fills in, and Init takes.
TEST_F(DoctorComponentTest, AValueThatDaprdHasFromElsewhere) {
  const Outcome outcome =
      Told(Yaml("  - {name: dataDir, value: \"{appID}\"}\n"));
  EXPECT_THAT(outcome, Finds("warning", "component-elsewhere", "{appID}",
                             "statecpp config orders"));
  EXPECT_THAT(Found(outcome, "component-field"), IsEmpty());
}

TEST_F(DoctorComponentTest, AFieldThatIsUnknown) {
  EXPECT_THAT(Told(Yaml("  - {name: redisHost, value: \"redis:6379\"}\n")),
              Finds("warning", "component-field", "is unknown",
                    "remove the field redisHost"));
  EXPECT_THAT(Told(Yaml("  - {name: maxSiz, value: 10Gi}\n")),
              Finds("warning", "component-field", "did you mean",
                    "- {name: maxSize, value: "));
}

TEST_F(DoctorComponentTest, AFieldThatHasDaprdEncrypt) {
  EXPECT_THAT(Told(Yaml("  - {name: primaryEncryptionKey, value: abc}\n")),
              Finds("warning", "component-daprd-encrypts", "refuses queries",
                    "remove the field primaryEncryptionKey"));
}

TEST_F(DoctorComponentTest, AKeyThatARestartForgets) {
  if (!TestsAreSealed()) return;  // where it has no effect at all
  EXPECT_THAT(Told(Yaml("  - name: encryptionKey\n"
                        "    secretKeyRef: {name: key, key: key}\n")),
              Finds("warning", "component-key-forgotten", "after a restart",
                    "- {name: encryptionKeyFile, value: "));
}

TEST_F(DoctorComponentTest, AKeyThatHasNoEffect) {
  if (TestsAreSealed()) return;
  EXPECT_THAT(Told(Yaml("  - {name: encryptionKeyFile, value: a.key}\n")),
              Finds("warning", "component-field", "has no effect",
                    "- {name: encryption, value: \\\"required\\\"}"));
}

TEST_F(DoctorComponentTest, AnInitTimeoutThatIsShorterThanOurs) {
  EXPECT_THAT(Told(Yaml("  - {name: lockTimeout, value: 10s}\n")),
              Finds("warning", "component-init-timeout", "daprd waits 5s",
                    "initTimeout: 12s"));
  const std::string longer =
      With(Yaml(), "  version: v1\n", "  version: v1\n  initTimeout: 30s\n");
  EXPECT_THAT(Found(Told(longer), "component-init-timeout"), IsEmpty());
}

TEST_F(DoctorComponentTest, AnInitTimeoutThatDaprdDoesNotRead) {
  EXPECT_THAT(Told(With(Yaml(), "  version: v1\n",
                        "  version: v1\n  initTimeout: \"2\"\n")),
              Finds("warning", "component-init-timeout", "is no duration",
                    "initTimeout: 30s"));
}

TEST_F(DoctorComponentTest, AnInitTimeoutThatGoReadsOtherwise) {
  for (const char* text : {"inf", "00", "1d", "300000000h"}) {
    EXPECT_THAT(Told(With(Yaml(), "  version: v1\n",
                          absl::StrCat("  version: v1\n  initTimeout: \"", text,
                                       "\"\n"))),
                Finds("warning", "component-init-timeout", "is no duration",
                      "initTimeout: 30s"))
        << text;
  }
  for (const char* text : {"30000000µs", "0.5m", "1h1s"}) {
    EXPECT_THAT(Found(Told(With(Yaml(), "  version: v1\n",
                                absl::StrCat("  version: v1\n  initTimeout: \"",
                                             text, "\"\n"))),
                      "component-init-timeout"),
                IsEmpty())
        << text;
  }
}

TEST_F(DoctorComponentTest, WhatIsNoFile) {
  fs::create_directory(dir_.Path("components"));
  const std::string pipe = dir_.Path("components/a.yaml");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  Write("b.yaml", Yaml());
  const Outcome outcome = ToldOfAll();
  EXPECT_THAT(outcome, Finds("fault", "component-yaml", "it is no file",
                             "statecpp doctor --component " + pipe));
  EXPECT_THAT(outcome, Finds("ok", "component", "store orders", ""));
}

TEST_F(DoctorComponentTest, TwoThatKeepActors) {
  const std::string keeps = "  - {name: actorStateStore, value: \"true\"}\n";
  Write("a.yaml", Yaml(keeps));
  Write("b.yaml", Redis("other", absl::StrCat("  metadata:\n", keeps)));
  EXPECT_THAT(ToldOfAll(),
              Finds("fault", "component-actor-store", "detected duplicate",
                    "- {name: actorStateStore, value: \\\"false\\\"}"));
  // Of which no app has both.
  Write("b.yaml",
        absl::StrCat(Redis("other", absl::StrCat("  metadata:\n", keeps)),
                     "scopes: [other, more]\n"));
  EXPECT_THAT(Found(ToldOfAll(), "component-actor-store"), IsEmpty());
  Write("c.yaml",
        absl::StrCat(Redis("third", absl::StrCat("  metadata:\n", keeps)),
                     "scopes: [more]\n"));
  EXPECT_THAT(ToldOfAll(), Finds("fault", "component-actor-store",
                                 "b.yaml (other)", "actorStateStore"));
}

TEST_F(DoctorComponentTest, DocumentsAreSplitAsDaprdSplitsThem) {
  Write("all.yaml", absl::StrCat(Redis("cache"), "---\n", Yaml(), "---\n",
                                 Yaml("", "carts")));
  const std::string found = Found(ToldOfAll(), "component");
  EXPECT_THAT(found, HasSubstr("all.yaml (orders)"));
  EXPECT_THAT(found, HasSubstr("all.yaml (carts)"));
}

TEST_F(DoctorComponentTest, AFileOrAFolderAndNotBoth) {
  EXPECT_THAT(Doctor({"--component", "a.yaml", "--resources-path", "."}),
              Exits(kUsage, HasSubstr("give one of the two")));
  EXPECT_THAT(Doctor({"--resources-path", dir_.Path("none")}),
              Exits(kNotFound, HasSubstr("--resources-path names")));
}

}  // namespace
}  // namespace statecpp
