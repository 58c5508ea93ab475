// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_METADATA_VALUE_H_
#define STATECPP_API_METADATA_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Reads the values of Dapr metadata, which are all text, the way Dapr's own
// components do.
//
//   ParseDuration("1h30m")   // 90 minutes
//   ParseDuration("90")      // 90 seconds
//   ParseByteSize("10Gi")    // 10 * 2^30
//
// Every Parse function returns nullopt for text that is not of its form, and
// for a number that does not fit. None skips white space. Thread-safe.
namespace statecpp {

// Go's syntax (a sign, then numbers with an optional fraction and a unit of ns,
// us, µs, ms, s, m or h) or a whole number of seconds. At most 292 years either
// way, as in Go.
std::optional<absl::Duration> ParseDuration(absl::string_view text);

// A Kubernetes quantity of bytes: a decimal number with an optional fraction
// and Ki, Mi, Gi, Ti (powers of 1024) or k, M, G, T (powers of 1000). The
// result must be a whole number of bytes.
std::optional<uint64_t> ParseByteSize(absl::string_view text);

// The shortest text that ParseByteSize reads as `size`, in powers of 1024.
std::string FormatByteSize(uint64_t size);

// A whole number in base 10, a sign allowed.
std::optional<int64_t> ParseInteger(absl::string_view text);

// A time to live; nullopt: never expires.
using Ttl = std::optional<absl::Duration>;

// The value of `ttlInSeconds`: whole seconds from -1 to 2147483647, of which
// both -1 and 0 mean "never expires".
std::optional<Ttl> ParseTtl(absl::string_view text);

// Dapr's idea of a boolean: "y", "yes", "true", "t", "on" and "1" in any case
// are true, all other text is false.
bool IsTruthy(absl::string_view text);

}  // namespace statecpp

#endif  // STATECPP_API_METADATA_VALUE_H_
