// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_BENCH_WIRE_OPERATION_MIX_H_
#define STATECPP_BENCH_WIRE_OPERATION_MIX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp::wire {

enum class Operation { kPing, kGet, kSet, kBulkGet, kTransact };

constexpr std::array<const char*, 5> kOperationNames = {"ping", "get", "set",
                                                        "bulkget", "transact"};

// Which operations a load consists of, in what proportion.
//
//   OperationMix::Parse("get")              // nothing else
//   OperationMix::Parse("get:9,set:1")      // one Set to nine Gets
class OperationMix {
 public:
  // INVALID_ARGUMENT: it is none; the text says what is wrong with it.
  static absl::StatusOr<OperationMix> Parse(absl::string_view text);

  // The sum of all parts, at least 1.
  uint64_t parts() const { return parts_; }

  // The operation that part `part`, from 0 to parts() - 1, stands for.
  Operation At(uint64_t part) const;

 private:
  std::array<uint64_t, kOperationNames.size()> weights_ = {};
  uint64_t parts_ = 0;
};

}  // namespace statecpp::wire

#endif  // STATECPP_BENCH_WIRE_OPERATION_MIX_H_
