// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_LMDB_PAGE_H_
#define STATECPP_ENGINE_LMDB_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// LMDB's file as it stands on disk: LMDB 0.9 on a 64-bit machine (mdb.c), as
// far as it is read here, past LMDB. Integers are the machine's:
//
//   file     := meta meta page*
//   meta     := number(u64) 0[8] magic(u32) = 0xBEEFC0DE version(u32) = 1
//               address(u64) map_size(u64) tree tree last_page(u64)
//               transaction(u64) ...
//   page     := number(u64) pad(u16) flags(u16) (lower(u16) upper(u16) |
//               pages(u32)) ...
//   flags    := 1: branch; 2: leaf; 4: the first of `pages` overflow pages
//   branch, leaf: offsets(u16) of nodes from byte 16 up to `lower`, in order of
//               their keys; the nodes from `upper` to the page's end
//   node     := lo(u16) hi(u16) flags(u16) key_size(u16) key data
//   of a branch, lo, hi and flags are the number of a page, all of whose keys
//               are no less than the node's key (that of the first one counts
//               as less than any) and less than the next one's
//   of a leaf, lo and hi are the size of the data; flags := 1: it stands in
//               overflow pages, and the node has their number(u64); 2: it is a
//               tree
//   tree     := pad(u32) flags(u16) depth(u16) branch_pages(u64)
//               leaf_pages(u64) overflow_pages(u64) entries(u64) root(u64)
//
// A transaction writes the meta page of its number's parity, and the other one
// is that of the transaction before. The trees of a meta page: the first maps
// numbers of transactions to the pages that each freed (their count, then their
// numbers from the largest down, u64 each; its `pad` is the size of a page),
// the second maps the names of tables to their trees.

// The pages before those of trees.
inline constexpr uint64_t kLmdbMetaPages = 2;

struct LmdbTree {
  static constexpr size_t kSize = 48;
  static constexpr uint64_t kNoRoot = ~uint64_t{0};
  // LMDB's cursors have room for no more.
  static constexpr uint16_t kMaxDepth = 32;
  // Its keys are u64, and ordered as numbers.
  static constexpr uint16_t kNumbers = 8;

  // `bytes` are kSize.
  static LmdbTree Load(const char* bytes);

  uint16_t flags;
  uint16_t depth;  // pages from root to leaf
  uint64_t branch_pages;
  uint64_t leaf_pages;
  uint64_t overflow_pages;
  uint64_t entries;
  uint64_t root;

  friend bool operator==(const LmdbTree&, const LmdbTree&) = default;
};

struct LmdbMeta {
  uint32_t page_size;
  uint64_t last_page;
  uint64_t transaction;
  LmdbTree free;
  LmdbTree names;

  friend bool operator==(const LmdbMeta&, const LmdbMeta&) = default;
};

// The meta page at that offset; nullopt: there is none of LMDB's, or it cannot
// be read. Then `error` is what errno said.
std::optional<LmdbMeta> ReadLmdbMeta(int fd, uint64_t offset,
                                     int* error = nullptr);

// A node, as far as its page holds it.
struct LmdbNode {
  static constexpr uint16_t kInOverflow = 1;
  static constexpr uint16_t kIsTree = 2;

  uint16_t lo;
  uint16_t hi;
  uint16_t flags;
  absl::string_view key;
  absl::string_view rest;  // of the page

  // Of a branch: the page below.
  uint64_t child() const {
    return lo | uint64_t{hi} << 16 | uint64_t{flags} << 32;
  }
  // Of a leaf: of its data.
  uint64_t size() const { return lo | uint64_t{hi} << 16; }
};

// A page, whose bytes outlive this: all of them where it has nodes.
class LmdbPage {
 public:
  static constexpr size_t kHeaderSize = 16;
  enum Kind : uint16_t { kBranch = 1, kLeaf = 2, kOverflow = 4 };

  explicit LmdbPage(absl::string_view bytes) : bytes_(bytes) {}

  // False where the file ends before, or the bytes cannot be read. Then
  // `error` is what errno said.
  static bool Read(int fd, uint64_t offset, size_t size, std::string& bytes,
                   int* error = nullptr);

  uint64_t number() const;
  uint16_t kind() const;
  // Of the first of overflow pages.
  uint64_t pages() const;

  // Of branch and leaf; nullopt: its bounds are impossible.
  std::optional<size_t> node_count() const;
  // nullopt: it is not within the page.
  std::optional<LmdbNode> NodeAt(size_t i) const;

 private:
  size_t lower() const;
  size_t upper() const;

  absl::string_view bytes_;
};

}  // namespace statecpp

#endif  // STATECPP_ENGINE_LMDB_PAGE_H_
