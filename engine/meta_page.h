// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_META_PAGE_H_
#define STATECPP_ENGINE_META_PAGE_H_

#include <cstdint>
#include <string>

namespace statecpp {

// The meta page that a commit is to write over, as it stands before.
//
//   const FormerMetaPage former(fd, transaction, page_size);
//   int code = mdb_txn_commit(txn);
//   if (code != 0) former.PutBack();
//
// Where LMDB fails to write a meta page, the cache may hold the new one all the
// same. LMDB then puts back the former numbers, but not the former trees: a
// page of two transactions, which CheckLmdbFile must take for a damaged one.
class FormerMetaPage {
 public:
  // `transaction` is the one that will be committed.
  FormerMetaPage(int fd, uint64_t transaction, uint32_t page_size);

  // Without a sync: the disk has failed, and has the former page or the whole
  // new one.
  void PutBack() const;

 private:
  const int fd_;
  const uint64_t offset_;
  std::string bytes_;
};

// Writes both meta pages once more, as they are read, and syncs them: what a
// process before this one failed to write, the cache may show for ever and the
// disk never get. 0, or what errno says.
int SettleMetaPages(int fd, uint32_t page_size);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_META_PAGE_H_
