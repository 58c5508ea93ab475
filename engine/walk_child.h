// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_WALK_CHILD_H_
#define STATECPP_ENGINE_WALK_CHILD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace statecpp {

// What a walk is to do, as it travels to the process that makes it.
struct WalkRequest {
  std::string folder;
  // Decides what counts as expired.
  absl::Time now = absl::UnixEpoch();
  // Another process has the store open and writes to it.
  bool served = false;
  bool quick = false;
  bool show_keys = false;
  bool accept = false;
  bool drop_damaged = false;
};

// As words of a command line: folder, milliseconds since 1970, what else is
// asked for.
std::vector<std::string> PrintWalkRequest(const WalkRequest& request);

// The main part of a program that walks over a store for another process, which
// waits for it (store_verifier.h): reads the store's root key from standard
// input and writes lines (walk_lines.h) to standard output.
//
//   int main(int argc, char** argv) {
//     return statecpp::WalkForParent({argv + 1, argv + argc}).ok() ? 0 : 1;
//   }
//
// LMDB may find its own structures broken on the way, or not find it and crash.
// So the process ends there and then, after an assertion with exit code 70; it
// should leave no core, which would hold keys and values.
//
// INVALID_ARGUMENT: the words are no request. All else is in the lines.
absl::Status WalkForParent(const std::vector<std::string>& words);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_WALK_CHILD_H_
