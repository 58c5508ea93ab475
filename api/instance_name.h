// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_INSTANCE_NAME_H_
#define STATECPP_API_INSTANCE_NAME_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// How the names that users choose become names of files.
//
//   InstanceFileName("orders")       // "orders"
//   InstanceFileName("a/b")          // "a%2Fb"
//   DataDirFromText("shop/orders")   // "shop/orders"
//   DataDirFromText("../orders")     // nullopt
//
// Thread-safe.
namespace statecpp {

// The instance that a request's `x-component-instance` names. daprd may name
// none, or an empty one: that is "default".
absl::string_view InstanceName(absl::string_view id);

// A file name that no other instance has: control characters, "/", "%" and a
// dot in front are percent-encoded. Short enough for an extension.
//
// INVALID_ARGUMENT: the name is too long for a file name.
absl::StatusOr<std::string> InstanceFileName(absl::string_view instance);

// The folder that a component's `dataDir` names, below the server's own, with
// "/" between segments; control characters and "%" are percent-encoded.
// nullopt where the text is absolute, has an empty segment or one too long for
// a file name, or one that begins with a dot: such names lead out of the folder
// or are kept for stores in the making.
std::optional<std::string> DataDirFromText(absl::string_view text);

}  // namespace statecpp

#endif  // STATECPP_API_INSTANCE_NAME_H_
