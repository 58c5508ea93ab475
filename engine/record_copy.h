// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_RECORD_COPY_H_
#define STATECPP_ENGINE_RECORD_COPY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "crypto/keyring.h"
#include "crypto/secret.h"
#include "engine/accumulator.h"
#include "engine/closed_store.h"
#include "engine/content_sum.h"
#include "engine/copy_writer.h"
#include "engine/store_copy.h"

// The walks over a store of which a copy is made, and over the copy: what is
// read, what is written of it, and what both come to. Parts of store_copy.cc.
namespace statecpp {

// What a walk came to.
struct CopySums {
  CopySums(const Keyring& keyring, const Secret& content_key)
      : records(keyring), contents(content_key) {}

  void Add(absl::string_view place, absl::string_view record,
           const RecordContent& content) {
    records.Replace(place, std::nullopt, record);
    contents.Add(content);
  }

  // Records and places, as they stand in the store that was walked.
  Accumulator records;
  ContentSum contents;
  // Of the copy, whichever was walked.
  uint64_t expiry_entries = 0;
};

// All the following return CANCELLED when the caller wants no more, and
// DATA_LOSS for what the store that is read has damaged.

// Copies all tables byte for byte. `sums` are those of the source.
absl::Status CopyAsItIs(const ClosedStore& source, const CopyOptions& options,
                        CopyWriter& copy, CopySums& sums);

// Writes the store of that header, with all records of the source sealed under
// its keyring. `sums` are those of the source.
absl::Status CopySealed(const ClosedStore& source, const std::string& header,
                        const Keyring& keyring, const CopyOptions& options,
                        CopyWriter& copy, CopySums& sums);

// Opens every record of a copy, to compare.
absl::Status SumCopy(const ClosedStore& copy, const CopyOptions& options,
                     CopySums& sums);

}  // namespace statecpp

#endif  // STATECPP_ENGINE_RECORD_COPY_H_
