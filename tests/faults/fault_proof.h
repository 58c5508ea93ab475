// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_FAULTS_FAULT_PROOF_H_
#define STATECPP_TESTS_FAULTS_FAULT_PROOF_H_

#include <cstdint>
#include <string>

#include "tests/faults/fault_loop.h"
#include "tests/support/long_run.h"

namespace statecpp {

// What runs came to, all in all.
struct FaultProof {
  uint64_t operations = 0;
  uint64_t points = 0;  // calls of an operation that no fault befell
  uint64_t runs = 0;
  uint64_t second_faults = 0;
  uint64_t done = 0;
  uint64_t refused = 0;
  uint64_t unknown = 0;
  uint64_t killed = 0;

  uint64_t lost = 0;
  uint64_t torn = 0;
  uint64_t wrong = 0;  // in any other way

  void Add(const FaultLoop::Outcome& outcome);
  void Add(const FaultProof& other);

  // As "37 runs (2 done, 8 refused, 16 unknown, 11 killed)".
  std::string Describe() const;

  void ReportTo(LongRun& run) const;
};

}  // namespace statecpp

#endif  // STATECPP_TESTS_FAULTS_FAULT_PROOF_H_
