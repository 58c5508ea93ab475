// SPDX-License-Identifier: Apache-2.0
//
//   store_walker FOLDER [WORD]...
//
// The part of `statecpp` that walks over a store for another process.
#include "engine/walk_child.h"

int main(int argc, char** argv) {
  return statecpp::WalkForParent({argv + 1, argv + argc}).ok() ? 0 : 1;
}
