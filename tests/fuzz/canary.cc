// SPDX-License-Identifier: Apache-2.0
//
// A small parser with a planted mistake, three times over: one for each thing
// that has to tell of a mistake. A run of the fuzz targets counts only if all
// three are found in it.
//
//   frame := "FZ" kind(u8) size(u8) body[size]
#include <cstdint>
#include <limits>
#include <memory>

#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

#if defined(CANARY_MEMORY)

// Trusts the size: for ASan.
int Handle(uint8_t size, absl::string_view body) {
  const std::unique_ptr<char[]> copy(new char[body.size()]);
  std::copy(body.begin(), body.end(), copy.get());
  const volatile char* const bytes = copy.get();
  int sum = 0;
  for (int i = 0; i < size; ++i) sum += bytes[i];
  return sum;
}

#elif defined(CANARY_UNDEFINED)

// Overflows: for UBSan.
int Handle(uint8_t size, absl::string_view body) {
  volatile int sum = std::numeric_limits<int>::max() - 3;
  if (body.size() == 2) sum = sum + size;
  return sum;
}

#elif defined(CANARY_ORACLE)

// Does no harm, and is wrong: for Expect.
int Handle(uint8_t size, absl::string_view body) {
  const int wrong = size == body.size() && size > 1 && body[1] == '!' ? 1 : 0;
  const int sum = size + wrong;
  Expect(sum - size == 0, "a frame has its size");
  return sum;
}

#endif

}  // namespace

void FuzzOne(FuzzInput input) {
  if (input.Byte() != 'F' || input.Byte() != 'Z') return;
  const int kind = input.Byte();
  const uint8_t size = input.Byte();
  if (kind == 7) (void)Handle(size, input.Rest());
}

}  // namespace statecpp
