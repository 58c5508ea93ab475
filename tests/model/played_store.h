// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_MODEL_PLAYED_STORE_H_
#define STATECPP_TESTS_MODEL_PLAYED_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/master_key.h"
#include "engine/options.h"
#include "engine/store.h"
#include "tests/model/reference_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_dir.h"

namespace statecpp {

// How a store is opened.
struct Opening {
  bool is_sealed = false;
  // As in Options. A store that is given less than there grows when it is full.
  uint64_t max_size = Options().max_size;
};

// A store in a folder of its own, the reference beside it, and what may happen
// to a store between two calls. What should not be is an error, INTERNAL, that
// says what it is.
class PlayedStore {
 public:
  // Always there, and never expires: reading it makes the store look at the
  // clock, and writing it makes it keep the time.
  static constexpr char kSentinel[] = "sentinel";

  explicit PlayedStore(const Opening& opening);

  absl::Status Make();
  Store& store() { return *store_; }
  ReferenceStore& reference() { return reference_; }
  const ReferenceStore& reference() const { return reference_; }

  absl::Status Advance(absl::Duration span);
  absl::Status Jump(absl::Duration span);
  absl::Status SetSentinel();
  // How many items it removed.
  absl::StatusOr<int64_t> Sweep();

  absl::Status Reopen(absl::Duration pause);
  // The store goes on with its files as a kill would leave them now.
  absl::Status Crash();
  // What keys there are, which a plain store refuses.
  absl::Status Rotate();
  absl::Status Retire();
  absl::Status ReplaceMasterKey();
  // A plain store is sealed from here on; a sealed one stays as it is.
  absl::Status Encrypt();
  absl::Status Compact();

  // Lets the store grow if `full` is what it says of being full.
  bool GrowsAt(const absl::Status& full);
  // Lets it have room for so many bytes more.
  absl::Status MakeRoom(uint64_t bytes);

  // How often the store had to grow.
  int growths() const { return growths_; }

 private:
  absl::Status Open();
  absl::Status Grow(uint64_t bytes);
  absl::Status Look();
  // Waits for what the store does by itself.
  absl::Status Settle();
  absl::Status ChangeClosed(absl::FunctionRef<absl::Status()> change);
  MasterKey NextMasterKey();

  MemoryDir dir_;
  const std::string path_ = dir_.Path("store");
  Opening opening_;
  std::shared_ptr<const MasterKeys> keys_;
  int master_keys_ = 0;
  int growths_ = 0;
  FakeClock clock_;
  ReferenceStore reference_;
  std::unique_ptr<Store> store_;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_MODEL_PLAYED_STORE_H_
