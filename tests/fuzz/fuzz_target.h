// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FUZZ_FUZZ_TARGET_H_
#define STATECPP_TESTS_FUZZ_FUZZ_TARGET_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"

// What the file of a fuzz target begins with; it defines FuzzOne.
//
//   void FuzzOne(FuzzInput input) {
//     const std::optional<Frame> frame = ParseFrame(input.Rest());
//     if (!frame.has_value()) return;
//     Expect(ParseFrame(PrintFrame(*frame)) == *frame, "a frame reads back");
//   }
//
// The rule fuzz_target (fuzz_target.bzl) makes a fuzzer of it, and a test that
// plays the corpus in the tree to it.
namespace statecpp {

// Takes values off the front of the bytes that a fuzzer made. Past their end
// come zeros, so that every input is one.
class FuzzInput {
 public:
  explicit FuzzInput(absl::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  uint8_t Byte() {
    const absl::string_view taken = Take(1);
    return taken.empty() ? 0 : static_cast<uint8_t>(taken.front());
  }
  // Below `limit`, which is at most 256.
  int Below(int limit) { return Byte() % limit; }

  // Little endian.
  template <typename Int>
  Int Number() {
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof(Int); ++i) {
      number |= uint64_t{Byte()} << 8 * i;
    }
    return static_cast<Int>(number);
  }

  // `size` bytes, or as many as are left.
  absl::string_view Take(size_t size) {
    size = std::min(size, bytes_.size());
    const absl::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  // As many as the byte in front of them says.
  absl::string_view Sized() { return Take(Byte()); }
  // Those up to a line's end, or to the end; without it.
  absl::string_view Line() {
    const absl::string_view line = Take(std::min(bytes_.find('\n'), size()));
    Take(1);
    return line;
  }
  absl::string_view Rest() { return Take(size()); }

 private:
  size_t size() const { return bytes_.size(); }

  absl::string_view bytes_;
};

// Ends the process, as a crash does, where something does not hold.
inline void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "EXPECTED: %s\n", what);
  std::abort();
}

// The bytes outlive this call and nothing else.
void FuzzOne(FuzzInput input);

}  // namespace statecpp

#endif  // STATECPP_TESTS_FUZZ_FUZZ_TARGET_H_
