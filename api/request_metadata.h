// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_REQUEST_METADATA_H_
#define STATECPP_API_REQUEST_METADATA_H_

#include <google/protobuf/map.h>

#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// The metadata of a request.
using RequestMetadata = google::protobuf::Map<std::string, std::string>;

// The value under `name`, nullptr for none. The case may differ: metadata also
// arrives through the query part of a URL. The exact spelling wins, then the
// first in order, since the map itself has none.
const std::string* FindMetadata(const RequestMetadata& metadata,
                                absl::string_view name);

}  // namespace statecpp

#endif  // STATECPP_API_REQUEST_METADATA_H_
