// SPDX-License-Identifier: Apache-2.0
#include "engine/record_copy.h"

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/random.h"
#include "engine/errors.h"
#include "engine/key_order.h"
#include "engine/keys.h"
#include "engine/meta_table.h"
#include "engine/record.h"

namespace statecpp {
namespace {

using Table = LmdbEnvironment::Table;
using Step = CopyOptions::Step;

// Says now and then how far a step is, and asks whether to go on.
class Pace {
 public:
  Pace(const CopyOptions& options, Step step, uint64_t total)
      : options_(options), step_(step), total_(total) {}

  // One record more.
  absl::Status Count(uint64_t bytes) {
    constexpr uint64_t kRecords = 256;
    constexpr uint64_t kBytes = uint64_t{1} << 20;
    ++done_;
    bytes_ += bytes;
    if (done_ % kRecords != 0 && bytes_ < kBytes) return absl::OkStatus();
    bytes_ = 0;
    return Ask();
  }

  absl::Status Ask() const {
    if (options_.on_progress == nullptr ||
        options_.on_progress(step_, done_, total_)) {
      return absl::OkStatus();
    }
    return error::CopyCancelled(options_.path);
  }

 private:
  const CopyOptions& options_;
  const Step step_;
  const uint64_t total_;
  uint64_t done_ = 0;
  uint64_t bytes_ = 0;
};

// Adds the places that `key_of` gives the records of a store, by their heads.
absl::Status AddPlaces(
    const ClosedStore& source, const CopyOptions& options, PlaceSink add,
    absl::FunctionRef<std::optional<std::string>(const RecordReader& reader)>
        key_of) {
  Pace pace(options, Step::kSort, source.accumulator().records());
  const absl::Status scanned = source.Scan(
      Table::kRecords, [&](absl::string_view place, absl::string_view record) {
        const absl::StatusOr<RecordReader> reader =
            RecordReader::Open(source.keyring(), place, record);
        if (!reader.ok()) return reader.status();
        const std::optional<std::string> key = key_of(*reader);
        if (key.has_value()) add(Place(*key, place, record));
        return pace.Count(0);
      });
  return scanned.ok() ? pace.Ask() : scanned;
}

absl::Status SealRecords(const ClosedStore& source, const Keyring& keyring,
                         const CopyOptions& options, CopyWriter& copy,
                         Accumulator& accumulator, CopySums& sums) {
  const auto add_places = [&](PlaceSink add) {
    return AddPlaces(source, options, add, [&](const RecordReader& reader) {
      return std::make_optional(RecordKey(keyring.paths(), reader.key()));
    });
  };
  Pace pace(options, Step::kCopy, source.accumulator().records());
  const auto seal = [&](const Place& place) {
    return source.WithRecord(
        place.former_key(), place.record(), [&](const RecordContent& content) {
          sums.Add(place.former_key(), place.record(), content);
          const std::string record =
              SealRecord(keyring, SystemRandom(), place.key(), content);
          accumulator.Replace(place.key(), std::nullopt, record);
          const absl::Status appended =
              copy.Append(Table::kRecords, place.key(), record);
          return appended.ok() ? pace.Count(record.size()) : appended;
        });
  };
  const absl::Status sealed =
      VisitInOrder(options.places_in_memory, add_places, seal);
  return sealed.ok() ? pace.Ask() : sealed;
}

// One for each record that expires. The source may have more of them, of
// records that were written again since.
absl::Status WriteExpiryEntries(const ClosedStore& source,
                                const Keyring& keyring,
                                const CopyOptions& options, CopyWriter& copy,
                                CopySums& sums) {
  const absl::Time now = options.clock->Now();
  const auto key_of =
      [&](const RecordReader& reader) -> std::optional<std::string> {
    if (reader.expires_ms() == 0) return std::nullopt;
    return ExpiryKey(now, absl::FromUnixMillis(reader.expires_ms()),
                     RecordKey(keyring.paths(), reader.key()));
  };
  return VisitInOrder(
      options.places_in_memory,
      [&](PlaceSink add) { return AddPlaces(source, options, add, key_of); },
      [&](const Place& place) {
        ++sums.expiry_entries;
        return copy.Append(Table::kExpiry, place.key(), "");
      });
}

}  // namespace

absl::Status CopyAsItIs(const ClosedStore& source, const CopyOptions& options,
                        CopyWriter& copy, CopySums& sums) {
  absl::Status done = source.Scan(
      Table::kMeta, [&](absl::string_view key, absl::string_view value) {
        return copy.Append(Table::kMeta, key, value);
      });
  if (!done.ok()) return done;
  Pace pace(options, Step::kCopy, source.accumulator().records());
  done = source.Scan(Table::kRecords, [&](absl::string_view place,
                                          absl::string_view record) {
    return source.WithRecord(place, record, [&](const RecordContent& content) {
      sums.Add(place, record, content);
      const absl::Status appended = copy.Append(Table::kRecords, place, record);
      return appended.ok() ? pace.Count(record.size()) : appended;
    });
  });
  if (done.ok()) done = pace.Ask();
  if (!done.ok()) return done;
  return source.Scan(Table::kExpiry,
                     [&](absl::string_view key, absl::string_view value) {
                       ++sums.expiry_entries;
                       return copy.Append(Table::kExpiry, key, value);
                     });
}

absl::Status CopySealed(const ClosedStore& source, const std::string& header,
                        const Keyring& keyring, const CopyOptions& options,
                        CopyWriter& copy, CopySums& sums) {
  Accumulator accumulator(keyring);
  accumulator.ContinueFrom(source.accumulator());
  absl::Status done =
      SealRecords(source, keyring, options, copy, accumulator, sums);
  if (done.ok() && sums.contents.expiring() > 0) {
    done = WriteExpiryEntries(source, keyring, options, copy, sums);
  }
  if (done.ok()) {
    done = copy.Append(Table::kMeta, kAccumulatorKey,
                       accumulator.SealNextCommit(SystemRandom()));
  }
  if (!done.ok()) return done;
  return copy.Append(Table::kMeta, kHeaderKey, header);
}

absl::Status SumCopy(const ClosedStore& copy, const CopyOptions& options,
                     CopySums& sums) {
  Pace pace(options, Step::kCheck, copy.accumulator().records());
  const absl::Status done = copy.Scan(
      Table::kRecords, [&](absl::string_view place, absl::string_view record) {
        return copy.WithRecord(place, record,
                               [&](const RecordContent& content) {
                                 sums.Add(place, record, content);
                                 return pace.Count(record.size());
                               });
      });
  if (!done.ok()) return done;
  if (const absl::Status asked = pace.Ask(); !asked.ok()) return asked;
  return copy.Scan(Table::kExpiry, [&](absl::string_view, absl::string_view) {
    ++sums.expiry_entries;
    return absl::OkStatus();
  });
}

}  // namespace statecpp
