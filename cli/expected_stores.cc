// SPDX-License-Identifier: Apache-2.0
#include "cli/expected_stores.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "api/instance_record.h"
#include "engine/file_system.h"
#include "server/data_root.h"

namespace statecpp {
namespace {

// nullopt: it says nothing that can be read.
std::optional<ComponentConfig> Recall(const std::string& data_root,
                                      const std::string& file) {
  const absl::StatusOr<std::optional<std::string>> text =
      DataRoot::ReadInstanceIn(data_root, file);
  if (!text.ok()) return std::nullopt;
  const absl::StatusOr<InstanceRecord> record =
      InstanceRecordFromJson(NameOfFile(file), text->value_or(""));
  if (!record.ok()) return std::nullopt;
  const absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(record->instance, record->properties);
  if (!parsed.ok()) return std::nullopt;
  return parsed->config;
}

}  // namespace

ExpectedStores::ExpectedStores(const std::string& data_root,
                               std::vector<ComponentFile> components)
    : data_root_(data_root), given_(std::move(components)) {
  const absl::StatusOr<std::vector<std::string>> files =
      DataRoot::ListInstancesIn(data_root);
  if (!files.ok()) return;
  for (const std::string& file : *files) {
    std::optional<ComponentConfig> config = Recall(data_root, file);
    if (config.has_value()) remembered_.push_back(*std::move(config));
  }
}

const ComponentFile* ExpectedStores::GivenFor(const std::string& store) const {
  for (const ComponentFile& component : given_) {
    if (component.config.data_dir == store) return &component;
  }
  return nullptr;
}

uint64_t ExpectedStores::MaxSizeOf(const std::string& store) const {
  if (const ComponentFile* given = GivenFor(store)) {
    return given->config.max_size;
  }
  for (const ComponentConfig& config : remembered_) {
    if (config.data_dir == store) return config.max_size;
  }
  return ComponentConfig().max_size;
}

uint64_t ExpectedStores::RoomFor(const std::string& store) const {
  const uint64_t max_size = MaxSizeOf(store);
  const absl::StatusOr<std::string> file = FileNameOf(store);
  if (!file.ok()) return 0;
  const uint64_t taken =
      FileSize(absl::StrCat(data_root_, "/stores/", *file, "/data.mdb"));
  return max_size - std::min(taken, max_size);
}

}  // namespace statecpp
