// SPDX-License-Identifier: Apache-2.0
#include "engine/page_check.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/errors.h"
#include "engine/lmdb_file.h"

namespace statecpp {
namespace {

constexpr size_t kMaxKey = 511;
constexpr size_t kNumberSize = sizeof(uint64_t);

}  // namespace

absl::StatusOr<PageCheck> PageCheck::Of(int fd) {
  const std::optional<LmdbMeta> meta = ReadNewerMeta(fd);
  if (!meta.has_value()) {
    return error::FileDamaged("the store's file", "it has no two meta pages");
  }
  return PageCheck(fd, *meta);
}

absl::StatusOr<PageCheck> PageCheck::Of(const LmdbReader& reader) {
  const uint64_t transaction = reader.SnapshotId();
  const uint64_t at = transaction % kLmdbMetaPages * reader.page_size();
  // Twice, as it may just be written anew.
  const std::optional<LmdbMeta> meta = ReadLmdbMeta(reader.descriptor(), at);
  const std::optional<LmdbMeta> again = ReadLmdbMeta(reader.descriptor(), at);
  if (!meta.has_value() || meta != again || meta->transaction != transaction) {
    return absl::UnavailableError("the snapshot's meta page is gone");
  }
  return PageCheck(reader.descriptor(), *meta);
}

bool PageCheck::Take(uint64_t page, uint64_t count) {
  if (page < kLmdbMetaPages || page >= used_.size() ||
      count > used_.size() - page) {
    return false;
  }
  const auto begin = used_.begin() + static_cast<ptrdiff_t>(page);
  const auto end = begin + static_cast<ptrdiff_t>(count);
  if (std::find(begin, end, true) != end) return false;
  std::fill(begin, end, true);
  return true;
}

// Goes through one tree, and through those that are in it.
class PageCheck::TreeCheck {
 public:
  TreeCheck(PageCheck& pages, TreeKind kind, const LmdbTree& tree, Found found)
      : pages_(pages), kind_(kind), tree_(tree), found_(found) {}

  // `page` is where the tree stands, to be named.
  void Run(uint64_t page) {
    if (tree_.depth > LmdbTree::kMaxDepth ||
        (tree_.depth == 0) != (tree_.root == LmdbTree::kNoRoot) ||
        tree_.flags != (kind_ == TreeKind::kFree ? LmdbTree::kNumbers : 0)) {
      return found_(page, "a tree in it has an impossible depth, root or flag");
    }
    if (tree_.root != LmdbTree::kNoRoot) {
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
    if (!Read(page, pages_.meta_.page_size, bytes)) {
      return Wrong(page, "it cannot be read");
    }
    const LmdbPage nodes(bytes);
    const bool is_leaf = depth == tree_.depth;
    if (nodes.number() != page ||
        nodes.kind() != (is_leaf ? LmdbPage::kLeaf : LmdbPage::kBranch)) {
      return Wrong(page, "its number or kind is wrong");
    }
    const std::optional<size_t> count = nodes.node_count();
    const size_t fewest = is_leaf || kind_ == TreeKind::kFree ? 1 : 2;
    if (!count.has_value() || *count < fewest) {
      return Wrong(page, "its bounds are impossible");
    }
    is_leaf ? VisitLeaf(page, nodes, *count, low, high)
            : VisitBranch(page, nodes, *count, depth, low, high);
  }

  bool Read(uint64_t page, size_t size, std::string& bytes) const {
    return LmdbPage::Read(pages_.fd_, page * pages_.meta_.page_size, size,
                          bytes);
  }

  void VisitBranch(uint64_t page, const LmdbPage& nodes, size_t count,
                   uint16_t depth, Key low, Key high) {
    ++branch_pages_;
    std::optional<LmdbNode> next = nodes.NodeAt(0);
    Key from = low;
    for (size_t i = 0; i < count; ++i) {
      const std::optional<LmdbNode> node = next;
      next = i + 1 < count ? nodes.NodeAt(i + 1) : std::nullopt;
      if (!node.has_value() || (i + 1 < count && !next.has_value())) {
        return Wrong(page, "a node is not within it");
      }
      if (next.has_value() && !IsKey(next->key)) {
        return Wrong(page, "a key has an impossible size");
      }
      const Key to = next.has_value() ? Key(next->key) : high;
      if ((from.has_value() && to.has_value() && !Less(*from, *to)) ||
          (high.has_value() && to.has_value() && Less(*high, *to))) {
        return Wrong(page, "its keys are out of order");
      }
      Visit(page, node->child(), depth + 1, from, to);
      from = to;
    }
  }

  void VisitLeaf(uint64_t page, const LmdbPage& nodes, size_t count, Key low,
                 Key high) {
    ++leaf_pages_;
    Key last;
    for (size_t i = 0; i < count; ++i) {
      const std::optional<LmdbNode> node = nodes.NodeAt(i);
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

  void VisitData(uint64_t page, const LmdbNode& node) {
    const uint16_t kind = kind_ == TreeKind::kNames ? LmdbNode::kIsTree : 0;
    if ((node.flags & ~LmdbNode::kInOverflow) != kind) {
      return Wrong(page, "a node is of another kind");
    }
    const bool in_overflow = (node.flags & LmdbNode::kInOverflow) != 0;
    if ((in_overflow ? kNumberSize : node.size()) > node.rest.size()) {
      return Wrong(page, "a node is not within it");
    }
    std::string bytes;
    absl::string_view data = node.rest.substr(0, node.size());
    if (in_overflow) {
      const uint64_t first = LoadFixed<uint64_t>(node.rest.data());
      if (!VisitOverflow(page, first, node.size(), bytes)) return;
      data = absl::string_view(bytes).substr(LmdbPage::kHeaderSize);
    }
    if (kind_ == TreeKind::kFree) VisitFreePages(page, data);
    if (kind_ == TreeKind::kNames) {
      if (data.size() != LmdbTree::kSize)
        return Wrong(page, "a tree is not one");
      TreeCheck(pages_, TreeKind::kTable, LmdbTree::Load(data.data()), found_)
          .Run(page);
    }
  }

  // False where the pages are not those of `size` bytes. Reads these only where
  // they are needed.
  bool VisitOverflow(uint64_t page, uint64_t first, uint64_t size,
                     std::string& bytes) {
    const std::string where = absl::StrCat("it leads to page ", first);
    const uint64_t count =
        (LmdbPage::kHeaderSize - 1 + size) / pages_.meta_.page_size + 1;
    if (first < kLmdbMetaPages || first >= pages_.used_.size() ||
        count > pages_.used_.size() - first) {
      Wrong(page, absl::StrCat(where, ", which is none"));
      return false;
    }
    const size_t read =
        LmdbPage::kHeaderSize + (kind_ == TreeKind::kFree ? size : 0);
    if (!Read(first, read, bytes)) {
      Wrong(first, "it cannot be read");
      return false;
    }
    const LmdbPage head(bytes);
    const uint64_t there = head.pages();
    if (head.number() != first || head.kind() != LmdbPage::kOverflow ||
        there < count) {
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

  bool Less(absl::string_view a, absl::string_view b) const {
    if (kind_ != TreeKind::kFree) return a < b;
    return LoadFixed<uint64_t>(a.data()) < LoadFixed<uint64_t>(b.data());
  }

  PageCheck& pages_;
  const TreeKind kind_;
  const LmdbTree tree_;
  const Found found_;
  bool whole_ = true;
  uint64_t branch_pages_ = 0;
  uint64_t leaf_pages_ = 0;
  uint64_t overflow_pages_ = 0;
  uint64_t entries_ = 0;
};

void PageCheck::Run(Found found) {
  // The free pages last: where one is in use as well, their list is to blame.
  const uint64_t page = meta_.transaction % kLmdbMetaPages;
  TreeCheck(*this, TreeKind::kNames, meta_.names, found).Run(page);
  TreeCheck(*this, TreeKind::kFree, meta_.free, found).Run(page);
}

}  // namespace statecpp
