// SPDX-License-Identifier: Apache-2.0
#include "server/log.h"

#include <limits.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/json_text.h"

namespace statecpp {
namespace {

// For lines in JSON; written before other threads are there to read them.
struct Format {
  LogFormat format = LogFormat::kText;
  std::string host;
  std::string version;
};
Format& CurrentFormat() {
  static Format& format = *new Format();
  return format;
}

// As Go's logfmt writers quote: what ends the value or the line, and no more.
std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    if (static_cast<unsigned char>(c) < ' ') {
      absl::StrAppend(&quoted, "\\x", absl::Hex(c, absl::kZeroPad2));
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

}  // namespace

void SetLogFormat(LogFormat format, absl::string_view version) {
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof(host) - 1);
  CurrentFormat() = {format, host, std::string(version)};
}

void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields) {
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                                            absl::UTCTimeZone());
  const Format& format = CurrentFormat();
  const bool json = format.format == LogFormat::kJson;
  std::string line =
      json ? absl::StrCat("{\"time\":\"", time, "\",\"level\":\"",
                          LevelName(level),
                          "\",\"type\":\"log\",\"msg\":", JsonText(message),
                          ",\"scope\":\"statecpp\"",
                          ",\"instance\":", JsonText(format.host),
                          ",\"ver\":", JsonText(format.version))
           : absl::StrCat("time=\"", time, "\" level=", LevelName(level),
                          " msg=", Quoted(message), " scope=statecpp");
  for (const auto& [name, value] : fields) {
    if (json && name == "ver") continue;  // every line has it
    if (json) {
      absl::StrAppend(&line, ",\"", name, "\":", JsonText(value));
    } else {
      absl::StrAppend(&line, " ", name, "=", Quoted(value));
    }
  }
  if (json) line.push_back('}');
  line.push_back('\n');
  // One call, so that lines of several threads do not mix. If even the log
  // cannot be written, there is nobody left to tell.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace statecpp
