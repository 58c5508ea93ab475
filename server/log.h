// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_LOG_H_
#define STATECPP_SERVER_LOG_H_

#include <initializer_list>
#include <utility>

#include "absl/strings/string_view.h"

namespace statecpp {

// The server's log, on standard error, one line an event, with the fields that
// daprd's own lines begin with:
//
//   time="2026-01-02T03:04:05.678Z" level=info msg="ready" scope=statecpp
//
// Never an item's key or value, and never a property of a component: both may
// be secret. Thread-safe; a line is written whole.
enum class LogLevel { kInfo, kWarning, kError };

using LogField = std::pair<absl::string_view, absl::string_view>;

void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields = {});

inline void LogInfo(absl::string_view message,
                    std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message,
                       std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

}  // namespace statecpp

#endif  // STATECPP_SERVER_LOG_H_
