// SPDX-License-Identifier: Apache-2.0
//
// The documents of a YAML file, as daprd tells them apart.
#include "cli/component_document.h"

#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

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
using ::testing::SizeIs;

absl::StatusOr<std::vector<ComponentDocument>> Read(const std::string& text) {
  return ComponentDocumentsFromYaml(text, "a.yaml");
}

TEST(ComponentDocumentTest, ShowsWhatDaprdLooksAtFirst) {
  const auto documents = Read(R"(apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: orders
spec:
  type: state.cpp
  version: v1
  initTimeout: 30s
  metadata:
  - name: ACTORSTATESTORE
    value: "on"
scopes: [shop, cart]
)");
  ASSERT_THAT(documents, IsOk());
  ASSERT_THAT(*documents, SizeIs(1));
  const ComponentDocument& document = documents->front();
  EXPECT_EQ(document.path, "a.yaml");
  EXPECT_EQ(document.api_version, "dapr.io/v1alpha1");
  EXPECT_EQ(document.kind, "Component");
  EXPECT_EQ(document.name, "orders");
  EXPECT_EQ(document.type, "state.cpp");
  EXPECT_EQ(document.version, "v1");
  EXPECT_EQ(document.init_timeout, "30s");
  EXPECT_THAT(document.scopes, ElementsAre("shop", "cart"));
  EXPECT_TRUE(document.keeps_actors);
}

TEST(ComponentDocumentTest, WhatIsNotThereIsEmpty) {
  const auto documents = Read("kind: Component\nspec: 1\nscopes: all\n");
  ASSERT_THAT(documents, IsOk());
  ASSERT_THAT(*documents, SizeIs(1));
  EXPECT_EQ(documents->front().name, "");
  EXPECT_EQ(documents->front().type, "");
  EXPECT_THAT(documents->front().scopes, IsEmpty());
  EXPECT_FALSE(documents->front().keeps_actors);
}

TEST(ComponentDocumentTest, ALineOfDashesSeparatesThem) {
  const auto documents =
      Read("---\nkind: A\n---\n# nothing\n--- # more\nkind: B\n---");
  ASSERT_THAT(documents, IsOk());
  ASSERT_THAT(*documents, SizeIs(2));
  EXPECT_EQ((*documents)[0].kind, "A");
  EXPECT_EQ((*documents)[1].kind, "B");
  // Each by itself is a file of one document.
  EXPECT_THAT((*documents)[1].yaml, AllOf(HasSubstr("kind: B")));
}

TEST(ComponentDocumentTest, WhatIsNoYamlIsRefused) {
  EXPECT_THAT(Read("kind: [A\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a.yaml: "), HasSubstr("no YAML"))));
  EXPECT_THAT(Read(""), IsOk());
}

TEST(ComponentDocumentTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_THAT(ReadComponentDocuments("/nowhere/a.yaml"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("a.yaml")));
}

TEST(YamlFilesTest, AreThoseThatDaprdReads) {
  const TempDir dir;
  for (const char* name : {"b.yml", "a.yaml", "c.yaml.bak", "d.json"}) {
    std::ofstream(dir.Path(name)) << "";
  }
  ASSERT_EQ(mkdir(dir.Path("e.yaml").c_str(), 0700), 0);
  EXPECT_THAT(YamlFilesIn(dir.path()),
              ElementsAre(dir.Path("a.yaml"), dir.Path("b.yml")));
  EXPECT_THAT(YamlFilesIn(dir.Path("none")), IsEmpty());
}

}  // namespace
}  // namespace statecpp
