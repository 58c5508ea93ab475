// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_INSTANCE_NAME_H_
#define STATECPP_API_INSTANCE_NAME_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// How the names that users choose become names of files.
//
//   FileNameOf("orders")       // "orders"
//   FileNameOf("shop/orders")  // "shop%2Forders"
//
// Thread-safe.
namespace statecpp {

// The instance that a request's `x-component-instance` names. daprd may name
// none, or an empty one: that is "default".
absl::string_view InstanceName(absl::string_view id);

// A file name that no other name has: control characters, "/", "%" and a dot in
// front are percent-encoded. Short enough for an extension. One name is one
// file or folder, never one inside another's.
//
// INVALID_ARGUMENT: the name is too long for a file name, or is not UTF-8, as
// the text has to be that remembers an instance.
absl::StatusOr<std::string> FileNameOf(absl::string_view name);

// The name that FileNameOf made this of.
std::string NameOfFile(absl::string_view file_name);

// Whether a component's `dataDir` may be `text`. It is a name, but looks like a
// path; one that is absolute, or has a segment that is empty or begins with a
// dot, is meant to lead out of the server's folder and is none.
bool IsDataDir(absl::string_view text);

}  // namespace statecpp

#endif  // STATECPP_API_INSTANCE_NAME_H_
