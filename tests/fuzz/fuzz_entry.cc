// SPDX-License-Identifier: Apache-2.0
//
// Where libFuzzer enters a target.
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  statecpp::FuzzOne(
      statecpp::FuzzInput({reinterpret_cast<const char*>(data), size}));
  return 0;
}
