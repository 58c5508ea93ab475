// SPDX-License-Identifier: Apache-2.0
//
// A component's YAML, read as daprd reads it.
#include "cli/component_file.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<ComponentFile> Read(const std::string& text) {
  return ComponentFileFromYaml(text, "a.yaml");
}

// A component with these lines in its list of metadata.
std::string Component(const std::string& metadata) {
  return R"(apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: orders
spec:
  type: state.cpp
  version: v1
  metadata:
)" + metadata;
}

auto Says(const char* text) {
  return StatusIs(kInvalid, AllOf(HasSubstr("a.yaml: "), HasSubstr(text),
                                  HasSubstr("nothing was done")));
}

TEST(ComponentFileTest, ReadsWhatInitWouldBring) {
  const absl::StatusOr<ComponentFile> file = Read(Component(R"(
  - name: DATADIR
    value: shop/orders
  - name: encryptionKeyFile
    value: " orders.key "
  - name: maxSize
    value: 20Gi
  - name: ttlInSeconds
    value: 3600
  - {name: actorStateStore, value: true}
scopes: [shop]
)"));
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->name, "orders");
  EXPECT_EQ(file->config.data_dir, "shop/orders");
  EXPECT_EQ(file->config.encryption, Encryption::kRequired);
  EXPECT_EQ(file->config.own_key.place, OwnKey::Place::kKeyFile);
  EXPECT_EQ(file->config.own_key.text, "orders.key");
  EXPECT_EQ(file->config.max_size, uint64_t{20} << 30);
  EXPECT_EQ(file->config.settings.default_ttl, absl::Hours(1));
  EXPECT_THAT(file->warnings, IsEmpty());
  EXPECT_THAT(file->given, ElementsAre("dataDir", "maxSize", "ttlInSeconds",
                                       "encryptionKeyFile"));
}

TEST(ComponentFileTest, AComponentNeedsNoMetadata) {
  for (const char* list : {"", "  []\n", "  ~\n"}) {
    const absl::StatusOr<ComponentFile> file = Read(Component(list));
    ASSERT_THAT(file, IsOk()) << list;
    EXPECT_EQ(file->config.data_dir, "orders");
    EXPECT_THAT(file->given, IsEmpty());
  }
}

// daprd's YAML is 1.1, where a bare off is false, and Init refuses that.
TEST(ComponentFileTest, ReadsBareWordsAsDaprdDoes) {
  EXPECT_THAT(Read(Component("  - {name: encryption, value: off}\n")),
              Says("\"false\""));
  const auto quoted = Read(Component("  - {name: encryption, value: 'off'}\n"));
  ASSERT_THAT(quoted, IsOk());
  EXPECT_EQ(quoted->config.encryption, Encryption::kOff);
  const auto bare = Read(Component("  - {name: strictMetadata, value: yes}\n"));
  ASSERT_THAT(bare, IsOk());
  EXPECT_TRUE(bare->config.strict_metadata);
}

TEST(ComponentFileTest, WhatInitRefusesIsRefusedInItsWords) {
  EXPECT_THAT(
      Read(Component("  - {name: cleanupInterval, value: 5 minutes}\n")),
      Says("\"5 minutes\""));
  EXPECT_THAT(Read(Component("  - {name: encryptionKeyCommand, value: x}\n")),
              Says("run a command"));
}

TEST(ComponentFileTest, WarnsAsTheServerWould) {
  const auto file = Read(Component("  - {name: maxsise, value: 1Gi}\n"));
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->warnings, ElementsAre(HasSubstr("\"maxSize\"")));
}

TEST(ComponentFileTest, NeitherSecretsNorWhatIsUnknownIsKept) {
  const auto file = Read(Component(R"(
  - {name: encryptionKey, secretKeyRef: {name: a, key: b}}
  - {name: redisPassword, value: canary}
)"));
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->config.own_key.place, OwnKey::Place::kValue);
  EXPECT_THAT(file->given, ElementsAre("encryptionKey"));
  for (const std::string& warning : file->warnings) {
    EXPECT_THAT(warning, Not(HasSubstr("canary")));
  }
}

TEST(ComponentFileTest, WhatDaprdTakesFromElsewhereNeedsAFlag) {
  EXPECT_THAT(
      Read(Component("  - {name: dataDir, secretKeyRef: {name: a, key: b}}\n")),
      Says("\"dataDir\" from a secret store, which is not known here; name the "
           "store by --store"));
  EXPECT_THAT(Read(Component("  - {name: encryptionKeyFile, envRef: KEY}\n")),
              Says("from a variable of its own, which is not known here; give "
                   "the key by --key-file"));
  EXPECT_THAT(Read(Component("  - {name: dataDir, value: '{podName}'}\n")),
              Says("where it runs ({podName}), which is not known here; name "
                   "the store by --store"));
}

TEST(ComponentFileTest, FindsTheOneComponentAmongSeveralDocuments) {
  const std::string redis =
      "kind: Component\nmetadata: {name: cache}\nspec: {type: state.redis}\n";
  const std::string other = "kind: Subscription\nmetadata: {name: s}\n";
  const auto file =
      Read(other + "---\n" + redis + "---\n" + Component("") + "---\n");
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->name, "orders");
  EXPECT_THAT(Read(other + "---\n" + redis),
              Says("no component of type state.cpp; it has: cache "
                   "(state.redis)"));
  EXPECT_THAT(Read(Component("") + "---\n" + Component("")),
              Says("2 components of type state.cpp: orders, orders"));
}

TEST(ComponentFileTest, WhatIsNoComponentIsSaid) {
  EXPECT_THAT(Read(""), Says("\"kind: Component\""));
  EXPECT_THAT(Read("a text"), Says("\"kind: Component\""));
  EXPECT_THAT(Read("{"), Says("it is no YAML"));
  EXPECT_THAT(Read("kind: Component\nspec: {type: state.cpp}\n"),
              Says("metadata.name"));
  EXPECT_THAT(Read("kind: Component\nmetadata: {name: a}\nspec: 3\n"),
              Says("a ()"));
  EXPECT_THAT(Read(Component("    dataDir: orders\n")), Says("not a list"));
  EXPECT_THAT(Read(Component("  - dataDir\n")), Says("has no name"));
  EXPECT_THAT(Read(Component("  - {name: dataDir, value: [a]}\n")),
              Says("\"dataDir\" is neither"));
}

TEST(ComponentFileTest, ReadsAFile) {
  const TempDir dir;
  std::ofstream(dir.Path("a.yaml")) << Component("");
  const auto file = ReadComponentFile(dir.Path("a.yaml"));
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->name, "orders");
  EXPECT_THAT(ReadComponentFile(dir.Path("absent.yaml")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent.yaml")));
  EXPECT_THAT(ReadComponentFile(dir.path()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(dir.path())));
  std::ofstream(dir.Path("large")) << std::string((1 << 20) + 1, '#');
  EXPECT_THAT(ReadComponentFile(dir.Path("large")),
              StatusIs(kInvalid, HasSubstr("more than 1048576 bytes")));
}

}  // namespace
}  // namespace statecpp
