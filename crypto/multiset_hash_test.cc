// SPDX-License-Identifier: Apache-2.0
#include "crypto/multiset_hash.h"

#include "gtest/gtest.h"

namespace statecpp {
namespace {

MultisetHash::Term Filled(uint8_t byte) {
  MultisetHash::Term term;
  term.fill(byte);
  return term;
}

TEST(MultisetHashTest, IgnoresTheOrderOfElements) {
  MultisetHash forth;
  MultisetHash back;
  forth.Add(Filled(1));
  forth.Add(Filled(0xfe));
  back.Add(Filled(0xfe));
  back.Add(Filled(1));
  EXPECT_EQ(forth, back);
  EXPECT_NE(forth, MultisetHash());
}

TEST(MultisetHashTest, SubtractUndoesAddAcrossEveryCarry) {
  MultisetHash hash;
  hash.Add(Filled(0xff));
  hash.Add(Filled(0xff));
  hash.Subtract(Filled(0xff));
  hash.Subtract(Filled(0xff));
  EXPECT_EQ(hash, MultisetHash());

  // Below zero and back again.
  hash.Subtract(Filled(7));
  hash.Add(Filled(7));
  EXPECT_EQ(hash, MultisetHash());
}

TEST(MultisetHashTest, CountsAnElementThatIsThereTwice) {
  MultisetHash once;
  MultisetHash twice;
  once.Add(Filled(3));
  twice.Add(Filled(3));
  twice.Add(Filled(3));
  EXPECT_NE(once, twice);
}

}  // namespace
}  // namespace statecpp
