// SPDX-License-Identifier: Apache-2.0
#include "engine/lmdb_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "engine/coding.h"
#include "engine/errors.h"

namespace statecpp {
namespace {

struct Metas {
  LmdbMeta even;
  LmdbMeta odd;

  const LmdbMeta& newer() const {
    return even.transaction > odd.transaction ? even : odd;
  }
  const LmdbMeta& older() const {
    return even.transaction > odd.transaction ? odd : even;
  }
};

// Here and below `error` is what errno said of a read, and untouched where none
// failed: a file that cannot be read now is not one that is damaged.
std::optional<Metas> ReadMetas(int fd, int& error) {
  const std::optional<LmdbMeta> even = ReadLmdbMeta(fd, 0, &error);
  if (!even.has_value()) return std::nullopt;
  const std::optional<LmdbMeta> odd = ReadLmdbMeta(fd, even->page_size, &error);
  if (!odd.has_value() || odd->page_size != even->page_size) {
    return std::nullopt;
  }
  return Metas{*even, *odd};
}

// The last transaction that freed pages, as that meta page knows it; 0: none
// did. nullopt: its tree of free pages is damaged.
std::optional<uint64_t> LastToFree(int fd, const LmdbMeta& meta, int& error) {
  if (meta.free.root == LmdbTree::kNoRoot) return 0;
  if (meta.free.depth > LmdbTree::kMaxDepth) return std::nullopt;
  uint64_t number = meta.free.root;
  for (int depth = 1; depth <= meta.free.depth; ++depth) {
    std::string bytes;
    if (number > meta.last_page ||
        !LmdbPage::Read(fd, number * meta.page_size, meta.page_size, bytes,
                        &error)) {
      return std::nullopt;
    }
    const LmdbPage page(bytes);
    const bool is_leaf = depth == meta.free.depth;
    const size_t nodes = page.node_count().value_or(0);
    if (page.number() != number || nodes == 0 ||
        page.kind() != (is_leaf ? LmdbPage::kLeaf : LmdbPage::kBranch)) {
      return std::nullopt;
    }
    const std::optional<LmdbNode> last = page.NodeAt(nodes - 1);
    if (!last.has_value()) return std::nullopt;
    if (is_leaf) {
      if (last->key.size() != sizeof(uint64_t)) return std::nullopt;
      return LoadFixed<uint64_t>(last->key.data());
    }
    number = last->child();
  }
  return std::nullopt;
}

// What is wrong with the two together; empty if nothing is. LMDB would take the
// one with the larger number and never know: that may be the state before the
// last commit, or what a page holds that was never one.
std::string WrongWith(int fd, const Metas& metas, int& error) {
  const std::string transactions =
      absl::StrCat("its meta pages are of the transactions ",
                   metas.even.transaction, " and ", metas.odd.transaction);
  if (metas.even.transaction % 2 != 0 || metas.odd.transaction % 2 != 1 ||
      metas.newer().transaction != metas.older().transaction + 1) {
    return absl::StrCat(transactions, ", which do not follow each other");
  }
  // Each commit frees the pages that it replaces.
  const std::optional<uint64_t> older = LastToFree(fd, metas.older(), error);
  const std::optional<uint64_t> newer = LastToFree(fd, metas.newer(), error);
  if (!older.has_value() || !newer.has_value()) {
    return "its lists of free pages are damaged";
  }
  if (*newer <= *older || *newer > metas.newer().transaction) {
    return absl::StrCat(transactions, ", but the last to free pages were ",
                        metas.even.transaction > metas.odd.transaction
                            ? absl::StrCat(*newer, " and ", *older)
                            : absl::StrCat(*older, " and ", *newer));
  }
  return "";
}

}  // namespace

std::optional<LmdbMeta> ReadNewerMeta(int fd) {
  int ignored = 0;
  const std::optional<Metas> metas = ReadMetas(fd, ignored);
  if (!metas.has_value()) return std::nullopt;
  return metas->newer();
}

absl::Status CheckLmdbFile(const std::string& file) {
  // Not to wait for a writer where the file is a pipe.
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return error::System("open", file, errno);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  return CheckOpenLmdbFile(file, fd);
}

absl::StatusOr<int> OpenLoneLmdbFile(const std::string& file) {
  const int fd =
      open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0 && errno == ELOOP) {
    return error::NotLookedAt(file, "it is a link");
  }
  if (fd < 0) return error::System("open", file, errno);
  absl::Cleanup close_fd = [fd] { close(fd); };
  struct stat info;
  if (fstat(fd, &info) != 0) return error::System("look at", file, errno);
  if (S_ISREG(info.st_mode) && info.st_nlink != 1) {
    return error::NotLookedAt(file,
                              absl::StrCat("it has ", info.st_nlink, " names"));
  }
  const absl::Status checked = CheckOpenLmdbFile(file, fd);
  if (!checked.ok()) return checked;
  std::move(close_fd).Cancel();
  return fd;
}

absl::Status CheckOpenLmdbFile(const std::string& file, int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0) return error::System("look at", file, errno);
  if (!S_ISREG(stat.st_mode)) {
    return error::FileDamaged(file, "it is not a regular file");
  }
  if (stat.st_size == 0) return error::FileDamaged(file, "it is empty");

  int read_error = 0;
  const std::optional<Metas> metas = ReadMetas(fd, read_error);
  if (read_error != 0) return error::System("read", file, read_error);
  if (!metas.has_value()) {
    return error::FileDamaged(
        file, absl::StrCat("its ", stat.st_size,
                           " bytes do not begin with two meta pages"));
  }
  const LmdbMeta& newer = metas->newer();
  const uint64_t pages = static_cast<uint64_t>(stat.st_size) / newer.page_size;
  if (newer.last_page >= pages) {
    return error::FileDamaged(
        file, absl::StrCat("it has ", pages, " pages of ", newer.page_size,
                           " bytes, and needs ", newer.last_page + 1));
  }
  const std::string wrong = WrongWith(fd, *metas, read_error);
  if (read_error != 0) return error::System("read", file, read_error);
  if (!wrong.empty()) return error::FileDamaged(file, wrong);
  return absl::OkStatus();
}

absl::Status CheckSameFile(const std::string& file, int fd) {
  struct stat served;
  struct stat named;
  if (fstat(fd, &served) != 0) return error::System("look at", file, errno);
  if (stat(file.c_str(), &named) != 0) {
    if (errno == ENOENT) return error::FileReplaced(file);
    return error::System("look at", file, errno);
  }
  if (served.st_dev != named.st_dev || served.st_ino != named.st_ino) {
    return error::FileReplaced(file);
  }
  return absl::OkStatus();
}

}  // namespace statecpp
