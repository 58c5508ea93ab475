// SPDX-License-Identifier: Apache-2.0
#include "server/remembered_encryption.h"

#include <algorithm>
#include <optional>

#include "api/component_metadata.h"
#include "api/instance_name.h"
#include "api/instance_record.h"

namespace statecpp {
namespace {

// As components spell it.
constexpr const char* kEncryption = "encryption";

// Whether a record is of an instance whose store is that one, in clear.
bool IsOfPlainStore(const InstanceRecord& record, absl::string_view data_dir) {
  const absl::StatusOr<ParsedComponent> parsed =
      ComponentConfigFromProperties(record.instance, record.properties);
  return parsed.ok() && parsed->config.data_dir == data_dir &&
         parsed->config.encryption == Encryption::kOff;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> RequireEncryptionOf(
    const DataRoot& root, absl::string_view data_dir) {
  const absl::StatusOr<std::vector<std::string>> files = root.ListInstances();
  if (!files.ok()) return files.status();
  std::vector<std::string> changed;
  for (const std::string& file : *files) {
    const absl::StatusOr<std::optional<std::string>> text =
        root.ReadInstance(file);
    if (!text.ok()) return text.status();
    absl::StatusOr<InstanceRecord> record =
        InstanceRecordFromJson(NameOfFile(file), text->value_or(""));
    if (!record.ok() || !IsOfPlainStore(*record, data_dir)) continue;
    record->properties.erase(kEncryption);
    const absl::Status written =
        root.WriteInstance(file, InstanceRecordToJson(*record));
    if (!written.ok()) return written;
    changed.push_back(record->instance);
  }
  std::sort(changed.begin(), changed.end());
  return changed;
}

}  // namespace statecpp
