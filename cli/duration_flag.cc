// SPDX-License-Identifier: Apache-2.0
#include "cli/duration_flag.h"

#include <optional>
#include <string>

#include "api/metadata_value.h"

namespace statecpp {

CLI::Option* AddDuration(CLI::App* verb, const char* name,
                         absl::Duration& duration, const char* help) {
  return verb
      ->add_option_function<std::string>(
          name,
          [&duration, name](const std::string& text) {
            const std::optional<absl::Duration> parsed = ParseDuration(text);
            if (!parsed.has_value() || *parsed < absl::ZeroDuration()) {
              throw CLI::ValidationError(
                  name, "\"" + text + "\" is not a duration such as 30s or 2m");
            }
            duration = *parsed;
          },
          help)
      ->type_name("DURATION");
}

}  // namespace statecpp
