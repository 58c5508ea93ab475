// SPDX-License-Identifier: Apache-2.0
//
// What is remembered of an instance is the same when it is written and read
// again, and holds no name that is not to be remembered.
#include <google/protobuf/stubs/logging.h>

#include <string>

#include "absl/strings/ascii.h"
#include "api/component_fields.h"
#include "api/instance_name.h"
#include "api/instance_record.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/reference_like.h"

namespace statecpp {
namespace {

void CheckNames(const std::string& instance) {
  const absl::StatusOr<std::string> file = FileNameOf(instance);
  if (!file.ok()) return;
  for (const std::string& character : ReferenceCharacters(*file)) {
    Expect(character.size() > 1 || absl::ascii_isascii(character.front()),
           "a file name is UTF-8");
  }
  Expect(file->find('/') == file->npos && file->find('\0') == file->npos &&
             *file != "." && *file != "..",
         "a file name is the name of a file in its folder");
  Expect(NameOfFile(*file) == instance, "a file name says its name");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  // It has a line to say of each text that is not UTF-8.
  static auto* const log = google::protobuf::SetLogHandler(nullptr);
  (void)log;
  const std::string json(input.Rest());
  const std::string instance = InstanceOfRecord(json);
  CheckNames(instance);
  CheckNames(json);
  const absl::StatusOr<InstanceRecord> record =
      InstanceRecordFromJson(instance, json);
  if (!record.ok()) {
    Expect(absl::IsUnavailable(record.status()), "the next Init mends it");
    return;
  }
  Expect(record->instance == InstanceName(instance),
         "a record is of its instance");
  for (const auto& [name, value] : record->properties) {
    const ComponentField* field = FindComponentField(name);
    Expect(field != nullptr && field->Remembered() && field->name == name,
           "only what may be remembered is, by its own name");
  }
  const absl::StatusOr<InstanceRecord> again =
      InstanceRecordFromJson(instance, InstanceRecordToJson(*record));
  Expect(again.ok() && *again == *record, "a record reads back");
}

}  // namespace statecpp
