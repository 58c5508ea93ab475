// SPDX-License-Identifier: Apache-2.0
#include "api/instance_record.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "api/component_fields.h"
#include "api/errors.h"
#include "api/instance_name.h"
#include "statecpp/v1/instance.pb.h"

namespace statecpp {
namespace {

// On disk. Raise it when an older program must not read the file.
constexpr int kFormat = 1;

void SortOut(const Properties& properties, InstanceRecord& record) {
  for (const auto& [name, value] : properties) {
    const ComponentField* field = FindComponentField(name);
    if (field == nullptr) continue;
    if (field->Remembered()) {
      record.properties.emplace(field->name, value);
    } else if (field->secret) {
      record.secrets.emplace_back(field->name);
    }
  }
}

// False says no more than that: the parser's own words would quote the file.
bool Read(absl::string_view json, v1::InstanceRecord& message) {
  return google::protobuf::util::JsonStringToMessage({json.data(), json.size()},
                                                     &message)
      .ok();
}

}  // namespace

InstanceRecord InstanceRecordFromProperties(absl::string_view instance,
                                            const Properties& properties) {
  InstanceRecord record = {.instance = std::string(InstanceName(instance))};
  SortOut(properties, record);
  return record;
}

std::string InstanceRecordToJson(const InstanceRecord& record) {
  v1::InstanceRecord message;
  message.set_format(kFormat);
  message.set_instance(record.instance);
  message.mutable_properties()->insert(record.properties.begin(),
                                       record.properties.end());
  message.mutable_secrets()->Add(record.secrets.begin(), record.secrets.end());

  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string json;
  // Fails only for messages with Any fields, of which there are none.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json;
}

bool InstanceRecord::ForgotKey() const {
  return std::find(secrets.begin(), secrets.end(), "encryptionKey") !=
         secrets.end();
}

std::string InstanceOfRecord(absl::string_view json) {
  v1::InstanceRecord message;
  return Read(json, message) ? message.instance() : "";
}

absl::StatusOr<InstanceRecord> InstanceRecordFromJson(
    absl::string_view instance, absl::string_view json) {
  instance = InstanceName(instance);
  v1::InstanceRecord message;
  if (!Read(json, message)) {
    return error::InstanceRecordUnreadable(
        instance, "it is not JSON with the fields that this program knows");
  }
  if (message.format() != kFormat) {
    return error::InstanceRecordUnreadable(
        instance, absl::StrCat("its format is ", message.format(),
                               ", and this program reads ", kFormat));
  }
  if (message.instance() != instance) {
    return error::InstanceRecordUnreadable(
        instance,
        absl::StrCat("it is of instance \"", message.instance(), "\""));
  }
  InstanceRecord record = {.instance = std::string(instance)};
  record.secrets.assign(message.secrets().begin(), message.secrets().end());
  SortOut({message.properties().begin(), message.properties().end()}, record);
  std::sort(record.secrets.begin(), record.secrets.end());
  record.secrets.erase(
      std::unique(record.secrets.begin(), record.secrets.end()),
      record.secrets.end());
  return record;
}

}  // namespace statecpp
