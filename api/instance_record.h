// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_INSTANCE_RECORD_H_
#define STATECPP_API_INSTANCE_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/component_config.h"

// What is remembered of an instance on disk, so that it can be served after a
// restart of ours: daprd does not configure it a second time.
//
//   {"format": 1, "instance": "orders",
//    "properties": {"encryption": "off", "maxSize": "20Gi"}}
//
// The file is not ours alone to protect, so nothing secret is ever in it.
//
// Thread-safe.
namespace statecpp {

struct InstanceRecord {
  // As InstanceName() gives it.
  std::string instance = "";
  // Those of the component's properties that are ours and not secret, under
  // their documented names. A fresh Init with them gives the same
  // configuration.
  Properties properties = {};
  // Documented names of the secret properties that were given and left out. If
  // one of them is needed to open the store, only daprd can bring it again.
  std::vector<std::string> secrets = {};

  // Whether the key that the store was opened with is one of them.
  bool ForgotKey() const;

  bool operator==(const InstanceRecord&) const = default;
};

// What may be remembered of an Init. What is unknown could be a secret under a
// misspelled name and is left out without a trace.
InstanceRecord InstanceRecordFromProperties(absl::string_view instance,
                                            const Properties& properties);

// The text of the file.
std::string InstanceRecordToJson(const InstanceRecord& record);

// Reads the text of the file of that instance. Properties that a hand put there
// and that are never remembered are dropped.
//
// UNAVAILABLE: the text is damaged, of another instance, or of a newer program.
// The instance is then one that was never configured: daprd's next Init mends
// it.
absl::StatusOr<InstanceRecord> InstanceRecordFromJson(
    absl::string_view instance, absl::string_view json);

// The name of the instance that the text is of; empty if it says none.
std::string InstanceOfRecord(absl::string_view json);

}  // namespace statecpp

#endif  // STATECPP_API_INSTANCE_RECORD_H_
