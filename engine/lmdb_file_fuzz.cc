// SPDX-License-Identifier: Apache-2.0
//
// A file that passes the check before LMDB maps it is whole, and the walk over
// its pages comes to an end, whatever stands in them.
//
// The input is the file. Its pages may be of 512 bytes, which keeps it small.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/lmdb_file.h"
#include "engine/page_check.h"
#include "tests/fuzz/fuzz_target.h"

namespace statecpp {
namespace {

// A file in memory with these bytes; the same one each time.
int FileOf(absl::string_view bytes) {
  static const int fd = memfd_create("data.mdb", MFD_CLOEXEC);
  Expect(fd >= 0 && ftruncate(fd, 0) == 0 &&
             pwrite(fd, bytes.data(), bytes.size(), 0) ==
                 static_cast<ssize_t>(bytes.size()),
         "a file can be made");
  return fd;
}

template <typename Int>
Int At(absl::string_view bytes, size_t offset) {
  Expect(offset + sizeof(Int) <= bytes.size(), "a meta page is in the file");
  return LoadFixed<Int>(bytes.data() + offset);
}

// What lmdb_file.h promises of a file that was passed, read once more.
void ExpectWhole(absl::string_view bytes) {
  const uint64_t page_size = At<uint32_t>(bytes, 40);
  uint64_t last_pages[2];
  uint64_t transactions[2];
  for (size_t i = 0; i < 2; ++i) {
    const size_t start = i * page_size;
    Expect(At<uint32_t>(bytes, start + 16) == 0xBEEFC0DE &&
               At<uint32_t>(bytes, start + 20) == 1 &&
               At<uint32_t>(bytes, start + 40) == page_size,
           "both meta pages are LMDB's");
    last_pages[i] = At<uint64_t>(bytes, start + 136);
    transactions[i] = At<uint64_t>(bytes, start + 144);
  }
  const int newer = transactions[1] > transactions[0] ? 1 : 0;
  Expect(transactions[newer] == transactions[1 - newer] + 1,
         "one transaction follows the other");
  Expect(last_pages[newer] < bytes.size() / page_size,
         "the file has all its pages");
}

}  // namespace

void FuzzOne(FuzzInput input) {
  const absl::string_view bytes = input.Rest();
  const int fd = FileOf(bytes);
  if (!CheckLmdbFile(absl::StrCat("/proc/self/fd/", fd)).ok()) return;
  ExpectWhole(bytes);
  absl::StatusOr<PageCheck> pages = PageCheck::Of(fd);
  Expect(pages.ok(), "a file that was passed has meta pages");
  pages->Run([](uint64_t, absl::string_view what) {
    Expect(!what.empty(), "what is wrong is said");
  });
}

}  // namespace statecpp
