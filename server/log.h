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
// or, with LogFormat::kJson, as daprd writes them with --log-as-json:
//
//   {"time":"…","level":"info","type":"log","msg":"ready","scope":"statecpp",
//    "instance":"<host>","ver":"0.1.0"}
//
// Never an item's key or value, and never a property of a component: both may
// be secret. Thread-safe; a line is written whole.
enum class LogLevel { kInfo, kWarning, kError };

using LogField = std::pair<absl::string_view, absl::string_view>;

enum class LogFormat { kText, kJson };

// From now on lines have that format. Before there is more than one thread.
void SetLogFormat(LogFormat format, absl::string_view version);

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
