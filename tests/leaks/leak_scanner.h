// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_LEAKS_LEAK_SCANNER_H_
#define STATECPP_TESTS_LEAKS_LEAK_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace statecpp {

// How a secret stands in a file.
enum class LeakForm { kText, kRaw, kHex, kBase64 };

struct Leak {
  std::string what;  // as the secret was named to the scanner
  LeakForm form;
  size_t offset;  // of the first place

  bool operator==(const Leak&) const = default;
};

void PrintTo(const Leak& leak, std::ostream* out);

// Finds secrets in files.
//
//   LeakScanner scanner;
//   scanner.AddSecret("the root key", root.RevealKeyBytes());
//   scanner.AddText("a key name", "orders||42");
//   EXPECT_THAT(scanner.ScanFile("data.mdb"), IsEmpty());
//
// A secret is found by any 8 bytes of it in a row, as a copy that was partly
// overwritten would leave them: raw, in hex of either case, or in base64 of
// either alphabet, wherever the 8 bytes stand in what was encoded. A text is
// found as it is and as a whole.
//
// Looks at 8 bytes at each place of a file, with a filter that few places pass:
// about a second for a gigabyte, however much is looked for.
class LeakScanner {
 public:
  static constexpr size_t kRun = 8;

  LeakScanner() : filter_(kFilterBits / 64) {}

  // Both must be of kRun bytes at least.
  void AddSecret(const std::string& what, absl::Span<const uint8_t> secret);
  void AddText(const std::string& what, absl::string_view text);

  // One leak for each secret or text and form in which it is there.
  std::vector<Leak> Scan(absl::string_view bytes) const;

  // A failed test if the file cannot be read.
  std::vector<Leak> ScanFile(const std::string& path) const;

 private:
  static constexpr size_t kFilterBits = 1 << 21;

  // What one sequence of bytes means.
  struct Meaning {
    size_t what;  // in names_
    LeakForm form;
  };
  // By length, so that many that begin alike cost no more than one.
  using Needles =
      std::map<size_t, std::unordered_multimap<std::string, Meaning>>;

  void AddNeedle(const std::string& bytes, LeakForm form);
  static size_t FilterBit(uint64_t start);

  std::vector<std::string> names_;
  // By their first 8 bytes.
  std::unordered_map<uint64_t, Needles> needles_;
  // A bit for each start of a needle, and for as many others as collide.
  std::vector<uint64_t> filter_;
};

// The forms that 8 bytes or more can take, for the scanner and for what tests
// it. In base64 only the characters that depend on nothing but `bytes`, when
// `before` (0 to 2) bytes of a group of three precede them.
std::string HexOf(absl::Span<const uint8_t> bytes, bool upper_case);
std::string Base64Within(absl::Span<const uint8_t> bytes, size_t before,
                         bool for_urls);

}  // namespace statecpp

#endif  // STATECPP_TESTS_LEAKS_LEAK_SCANNER_H_
