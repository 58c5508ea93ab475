// SPDX-License-Identifier: Apache-2.0
//
// The layout of LMDB 0.9 on a 64-bit machine (mdb.c), as far as it is read
// here; integers are the machine's:
//
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
// The meta page that belongs to a transaction is the one of its number's parity
// (lmdb_file.cc). It has two trees: one of free pages, which maps the number of
// a transaction to the pages it freed (their count, then their numbers from the
// largest down, u64 each), and one of names, which maps those of tables to
// their trees.
#include "engine/page_check.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/errors.h"
#include "engine/lmdb_file.h"

namespace statecpp {
namespace {

constexpr size_t kHeaderSize = 16;
constexpr uint16_t kBranch = 1;
constexpr uint16_t kLeaf = 2;
constexpr uint16_t kOverflow = 4;

constexpr size_t kNodeSize = 8;
constexpr uint16_t kInOverflow = 1;
constexpr uint16_t kIsTree = 2;
constexpr size_t kMaxKey = 511;

constexpr size_t kTreeSize = 48;
constexpr uint16_t kIntegerKeys = 8;
constexpr uint64_t kNoRoot = ~uint64_t{0};
// LMDB's cursors have room for no more.
constexpr uint16_t kMaxDepth = 32;

constexpr size_t kFreeTreeAt = 40;
constexpr size_t kMainTreeAt = 88;
constexpr size_t kLastPageAt = 136;
constexpr size_t kTransactionAt = 144;
constexpr size_t kMetaSize = 152;
constexpr uint64_t kMetaPages = 2;

constexpr size_t kNumberSize = sizeof(uint64_t);

// A node, as far as its page holds it.
struct Node {
  uint16_t lo;
  uint16_t hi;
  uint16_t flags;
  absl::string_view key;
  absl::string_view rest;  // of the page

  uint64_t child() const {
    return lo | uint64_t{hi} << 16 | uint64_t{flags} << 32;
  }
  uint64_t size() const { return lo | uint64_t{hi} << 16; }
};

// A branch or leaf page whose offsets lie within it.
class NodePage {
 public:
  static std::optional<NodePage> Parse(absl::string_view page) {
    const size_t lower = LoadFixed<uint16_t>(page.data() + 12);
    const size_t upper = LoadFixed<uint16_t>(page.data() + 14);
    if (lower < kHeaderSize || lower % 2 != 0 || lower > upper ||
        upper > page.size()) {
      return std::nullopt;
    }
    return NodePage(page, (lower - kHeaderSize) / 2, upper);
  }

  size_t count() const { return count_; }

  // nullopt: it is not within the page.
  std::optional<Node> At(size_t i) const {
    const size_t at = LoadFixed<uint16_t>(page_.data() + kHeaderSize + 2 * i);
    if (at < upper_ || at % 2 != 0 || at + kNodeSize > page_.size()) {
      return std::nullopt;
    }
    const char* const node = page_.data() + at;
    const size_t key_size = LoadFixed<uint16_t>(node + 6);
    const absl::string_view rest = page_.substr(at + kNodeSize);
    if (key_size > rest.size()) return std::nullopt;
    return Node{LoadFixed<uint16_t>(node), LoadFixed<uint16_t>(node + 2),
                LoadFixed<uint16_t>(node + 4), rest.substr(0, key_size),
                rest.substr(key_size)};
  }

 private:
  NodePage(absl::string_view page, size_t count, size_t upper)
      : page_(page), count_(count), upper_(upper) {}

  absl::string_view page_;
  size_t count_;
  size_t upper_;
};

}  // namespace

PageCheck::Tree PageCheck::LoadTree(const char* bytes) {
  return {.flags = LoadFixed<uint16_t>(bytes + 4),
          .depth = LoadFixed<uint16_t>(bytes + 6),
          .branch_pages = LoadFixed<uint64_t>(bytes + 8),
          .leaf_pages = LoadFixed<uint64_t>(bytes + 16),
          .overflow_pages = LoadFixed<uint64_t>(bytes + 24),
          .entries = LoadFixed<uint64_t>(bytes + 32),
          .root = LoadFixed<uint64_t>(bytes + 40)};
}

absl::StatusOr<PageCheck> PageCheck::Of(int fd) {
  const std::optional<LmdbMeta> meta = ReadNewerMeta(fd);
  if (!meta.has_value()) {
    return error::FileDamaged("the store's file", "it has no two meta pages");
  }
  return Of(fd, meta->page_size, meta->transaction);
}

absl::StatusOr<PageCheck> PageCheck::Of(const LmdbReader& reader) {
  return Of(reader.descriptor(), reader.page_size(), reader.SnapshotId());
}

absl::StatusOr<PageCheck> PageCheck::Of(int fd, size_t page_size,
                                        uint64_t transaction) {
  const uint64_t meta_page = transaction % kMetaPages;
  const off_t at = static_cast<off_t>(page_size * meta_page);
  char first[kMetaSize];
  char second[kMetaSize];
  // Twice, as it may just be written anew.
  for (char* const meta : {first, second}) {
    const ssize_t size = pread(fd, meta, kMetaSize, at);
    if (size != ssize_t{kMetaSize}) {
      return error::System("read", "the meta page", size < 0 ? errno : EIO);
    }
  }
  if (!std::equal(first, first + kMetaSize, second) ||
      LoadFixed<uint64_t>(first + kTransactionAt) != transaction) {
    return absl::UnavailableError("the snapshot's meta page is gone");
  }
  return PageCheck(
      fd, page_size, meta_page, LoadFixed<uint64_t>(first + kLastPageAt) + 1,
      LoadTree(first + kFreeTreeAt), LoadTree(first + kMainTreeAt));
}

bool PageCheck::Take(uint64_t page, uint64_t count) {
  if (page < kMetaPages || page >= used_.size() ||
      count > used_.size() - page) {
    return false;
  }
  const auto begin = used_.begin() + static_cast<ptrdiff_t>(page);
  const auto end = begin + static_cast<ptrdiff_t>(count);
  if (std::find(begin, end, true) != end) return false;
  std::fill(begin, end, true);
  return true;
}

bool PageCheck::Read(uint64_t page, size_t size, std::string& bytes) const {
  bytes.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd_, bytes.data() + done, size - done,
                              static_cast<off_t>(page * page_size_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

// Goes through one tree, and through those that are in it.
class PageCheck::TreeCheck {
 public:
  TreeCheck(PageCheck& pages, TreeKind kind, const Tree& tree, Found found)
      : pages_(pages), kind_(kind), tree_(tree), found_(found) {}

  // `page` is where the tree stands, to be named.
  void Run(uint64_t page) {
    if (tree_.depth > kMaxDepth ||
        (tree_.depth == 0) != (tree_.root == kNoRoot) ||
        tree_.flags != (kind_ == TreeKind::kFree ? kIntegerKeys : 0)) {
      return found_(page, "a tree in it has an impossible depth, root or flag");
    }
    if (tree_.root != kNoRoot) {
      Visit(page, tree_.root, 1, std::nullopt, std::nullopt);
    }
    if (whole_ && (branch_pages_ != tree_.branch_pages ||
                   leaf_pages_ != tree_.leaf_pages ||
                   overflow_pages_ != tree_.overflow_pages ||
                   entries_ != tree_.entries)) {
      found_(page, "a tree in it has other numbers of pages or entries");
    }
  }

 private:
  using Key = std::optional<absl::string_view>;

  void Wrong(uint64_t page, absl::string_view what) {
    whole_ = false;
    found_(page, what);
  }

  // All keys of `page` are in [low, high).
  void Visit(uint64_t parent, uint64_t page, uint16_t depth, Key low,
             Key high) {
    if (!pages_.Take(page, 1)) {
      return Wrong(parent, absl::StrCat("it leads to page ", page,
                                        ", which is none or used elsewhere"));
    }
    std::string bytes;
    if (!pages_.Read(page, pages_.page_size_, bytes)) {
      return Wrong(page, "it cannot be read");
    }
    const bool is_leaf = depth == tree_.depth;
    if (LoadFixed<uint64_t>(bytes.data()) != page ||
        LoadFixed<uint16_t>(bytes.data() + 10) != (is_leaf ? kLeaf : kBranch)) {
      return Wrong(page, "its number or kind is wrong");
    }
    const std::optional<NodePage> nodes = NodePage::Parse(bytes);
    const size_t fewest = is_leaf || kind_ == TreeKind::kFree ? 1 : 2;
    if (!nodes.has_value() || nodes->count() < fewest) {
      return Wrong(page, "its bounds are impossible");
    }
    is_leaf ? VisitLeaf(page, *nodes, low, high)
            : VisitBranch(page, *nodes, depth, low, high);
  }

  void VisitBranch(uint64_t page, const NodePage& nodes, uint16_t depth,
                   Key low, Key high) {
    ++branch_pages_;
    for (size_t i = 0; i < nodes.count(); ++i) {
      const std::optional<Node> node = nodes.At(i);
      const std::optional<Node> next =
          i + 1 < nodes.count() ? nodes.At(i + 1) : std::nullopt;
      if (!node.has_value() || (i + 1 < nodes.count() && !next.has_value())) {
        return Wrong(page, "a node is not within it");
      }
      if (i > 0 && !IsKey(node->key)) {
        return Wrong(page, "a key has an impossible size");
      }
      const Key from = i == 0 ? low : Key(node->key);
      const Key to = next.has_value() ? Key(next->key) : high;
      if (!AreInOrder(low, from) || !AreInOrder(to, high) ||
          (from.has_value() && to.has_value() && !Less(*from, *to))) {
        return Wrong(page, "its keys are out of order");
      }
      Visit(page, node->child(), depth + 1, from, to);
    }
  }

  void VisitLeaf(uint64_t page, const NodePage& nodes, Key low, Key high) {
    ++leaf_pages_;
    Key last;
    for (size_t i = 0; i < nodes.count(); ++i) {
      const std::optional<Node> node = nodes.At(i);
      if (!node.has_value()) return Wrong(page, "a node is not within it");
      if (!IsKey(node->key)) {
        return Wrong(page, "a key has an impossible size");
      }
      if ((low.has_value() && Less(node->key, *low)) ||
          (high.has_value() && !Less(node->key, *high)) ||
          (last.has_value() && !Less(*last, node->key))) {
        return Wrong(page, "its keys are out of order");
      }
      last = node->key;
      ++entries_;
      VisitData(page, *node);
    }
  }

  void VisitData(uint64_t page, const Node& node) {
    const uint16_t kind = kind_ == TreeKind::kMain ? kIsTree : 0;
    if ((node.flags & ~kInOverflow) != kind) {
      return Wrong(page, "a node is of another kind");
    }
    const bool in_overflow = (node.flags & kInOverflow) != 0;
    if ((in_overflow ? kNumberSize : node.size()) > node.rest.size()) {
      return Wrong(page, "a node is not within it");
    }
    std::string bytes;
    absl::string_view data = node.rest.substr(0, node.size());
    if (in_overflow) {
      const uint64_t first = LoadFixed<uint64_t>(node.rest.data());
      if (!VisitOverflow(page, first, node.size(), bytes)) return;
      data = absl::string_view(bytes).substr(kHeaderSize);
    }
    if (kind_ == TreeKind::kFree) VisitFreePages(page, data);
    if (kind_ == TreeKind::kMain) {
      if (data.size() != kTreeSize) return Wrong(page, "a tree is not one");
      TreeCheck(pages_, TreeKind::kTable, LoadTree(data.data()), found_)
          .Run(page);
    }
  }

  // False where the pages are not those of `size` bytes. Reads these only where
  // they are needed.
  bool VisitOverflow(uint64_t page, uint64_t first, uint64_t size,
                     std::string& bytes) {
    const std::string where = absl::StrCat("it leads to page ", first);
    const uint64_t count = (kHeaderSize - 1 + size) / pages_.page_size_ + 1;
    if (first < kMetaPages || first >= pages_.used_.size() ||
        count > pages_.used_.size() - first) {
      Wrong(page, absl::StrCat(where, ", which is none"));
      return false;
    }
    const size_t read = kHeaderSize + (kind_ == TreeKind::kFree ? size : 0);
    if (!pages_.Read(first, read, bytes)) {
      Wrong(first, "it cannot be read");
      return false;
    }
    const uint64_t there = LoadFixed<uint32_t>(bytes.data() + 12);
    if (LoadFixed<uint64_t>(bytes.data()) != first ||
        LoadFixed<uint16_t>(bytes.data() + 10) != kOverflow || there < count) {
      Wrong(first, "its number, kind or length is wrong");
      return false;
    }
    if (!pages_.Take(first, there)) {
      Wrong(page, absl::StrCat(where, ", which is none or used elsewhere"));
      return false;
    }
    overflow_pages_ += there;
    return true;
  }

  void VisitFreePages(uint64_t page, absl::string_view list) {
    const size_t numbers = list.size() / kNumberSize;
    const auto number = [list](size_t i) {
      return LoadFixed<uint64_t>(list.data() + i * kNumberSize);
    };
    if (numbers == 0 || list.size() % kNumberSize != 0 ||
        number(0) != numbers - 1) {
      return Wrong(page, "a list of free pages is not one");
    }
    for (size_t i = 1; i < numbers; ++i) {
      if (i > 1 && number(i) >= number(i - 1)) {
        return Wrong(page, "a list of free pages is out of order");
      }
      if (!pages_.Take(number(i), 1)) {
        Wrong(page, absl::StrCat("page ", number(i),
                                 " is free, and is none or used elsewhere"));
      }
    }
  }

  bool IsKey(absl::string_view key) const {
    if (kind_ == TreeKind::kFree) return key.size() == kNumberSize;
    return !key.empty() && key.size() <= kMaxKey;
  }

  // A bound that is not known is no bound.
  bool AreInOrder(Key a, Key b) const {
    return !a.has_value() || !b.has_value() || !Less(*b, *a);
  }

  bool Less(absl::string_view a, absl::string_view b) const {
    if (kind_ != TreeKind::kFree) return a < b;
    return LoadFixed<uint64_t>(a.data()) < LoadFixed<uint64_t>(b.data());
  }

  PageCheck& pages_;
  const TreeKind kind_;
  const Tree tree_;
  const Found found_;
  bool whole_ = true;
  uint64_t branch_pages_ = 0;
  uint64_t leaf_pages_ = 0;
  uint64_t overflow_pages_ = 0;
  uint64_t entries_ = 0;
};

void PageCheck::Run(Found found) {
  // The free pages last: where one is in use as well, their list is to blame.
  TreeCheck(*this, TreeKind::kMain, main_, found).Run(meta_page_);
  TreeCheck(*this, TreeKind::kFree, free_, found).Run(meta_page_);
}

}  // namespace statecpp
