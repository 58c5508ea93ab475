// SPDX-License-Identifier: Apache-2.0
#include "cli/expected_stores.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "api/component_fields.h"
#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "api/instance_record.h"
#include "engine/file_system.h"
#include "server/data_root.h"

namespace statecpp {
namespace {

constexpr absl::string_view kMaxSize = "maxSize";

bool NamesMaxSize(const Properties& properties) {
  for (const auto& [name, value] : properties) {
    const ComponentField* const field = FindComponentField(name);
    if (field != nullptr && field->name == kMaxSize &&
        !absl::StripAsciiWhitespace(value).empty()) {
      return true;
    }
  }
  return false;
}

}  // namespace

// nullopt: it says nothing that can be read.
std::optional<ExpectedStores::Remembered> ExpectedStores::Recall(
    const std::string& data_root, const std::string& file) {
  const absl::StatusOr<std::optional<std::string>> text =
      DataRoot::ReadInstanceIn(data_root, file);
  if (!text.ok()) return std::nullopt;
  const absl::StatusOr<InstanceRecord> record =
      InstanceRecordFromJson(NameOfFile(file), text->value_or(""));
  if (!record.ok()) return std::nullopt;
  const absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(record->instance, record->properties);
  if (!parsed.ok()) return std::nullopt;
  return Remembered{parsed->config, statecpp::NamesMaxSize(record->properties)};
}

ExpectedStores::ExpectedStores(const std::string& data_root,
                               std::vector<ComponentFile> components)
    : data_root_(data_root), given_(std::move(components)) {
  const absl::StatusOr<std::vector<std::string>> files =
      DataRoot::ListInstancesIn(data_root);
  if (!files.ok()) return;
  for (const std::string& file : *files) {
    std::optional<Remembered> found = Recall(data_root, file);
    if (found.has_value()) remembered_.push_back(*std::move(found));
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
  for (const Remembered& remembered : remembered_) {
    if (remembered.config.data_dir == store) return remembered.config.max_size;
  }
  return ComponentConfig().max_size;
}

bool ExpectedStores::NamesMaxSize(const std::string& store) const {
  if (const ComponentFile* given = GivenFor(store)) {
    return std::find(given->given.begin(), given->given.end(), kMaxSize) !=
           given->given.end();
  }
  return std::any_of(remembered_.begin(), remembered_.end(),
                     [&store](const Remembered& remembered) {
                       return remembered.config.data_dir == store &&
                              remembered.names_max_size;
                     });
}

uint64_t ExpectedStores::RoomFor(const std::string& store) const {
  if (!NamesMaxSize(store)) return 0;
  const uint64_t max_size = MaxSizeOf(store);
  const absl::StatusOr<std::string> file = FileNameOf(store);
  if (!file.ok()) return 0;
  const uint64_t taken =
      FileSize(absl::StrCat(data_root_, "/stores/", *file, "/data.mdb"));
  return max_size - std::min(taken, max_size);
}

}  // namespace statecpp
