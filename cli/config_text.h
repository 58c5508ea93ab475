// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_CONFIG_TEXT_H_
#define STATECPP_CLI_CONFIG_TEXT_H_

#include <string>
#include <vector>

#include "api/component_config.h"

// What `statecpp config` prints. Nothing of it is secret. Thread-safe.
namespace statecpp {

struct ConfigView {
  std::string instance;
  // Where it is from: "remembered", or a file.
  std::string source;
  ComponentConfig config;
  // Fields that the component sets, in our spelling; the others have their
  // defaults.
  std::vector<std::string> given;
};

// A line for each field, with its value and whose choice it is.
std::string ConfigText(const ConfigView& view);
// One object on a line.
std::string ConfigJson(const ConfigView& view);

}  // namespace statecpp

#endif  // STATECPP_CLI_CONFIG_TEXT_H_
