// SPDX-License-Identifier: Apache-2.0
#include "engine/store_walk.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "engine/errors.h"
#include "engine/keys.h"
#include "engine/meta_table.h"
#include "engine/record.h"
#include "engine/store_header.h"

namespace statecpp {
namespace {

using Kind = WalkFinding::Kind;
using Table = LmdbEnvironment::Table;

// Between two calls for progress: less than a millisecond of work, unless
// values are large.
constexpr uint64_t kProgressEvery = 64;

class Walk {
 public:
  Walk(const LmdbReader& reader, const WalkOptions& options, WalkFound found,
       WalkProgress progress)
      : reader_(reader),
        options_(options),
        found_(found),
        progress_(progress) {}

  WalkOutcome Run(const Secret& root) {
    report().findings = options_.findings;
    if (!OpenHeader(root)) return std::move(outcome_);
    report().sealed = outcome_.keyring->sealed();
    outcome_.counted.emplace(*outcome_.keyring);
    // Each as far as it goes, whatever became of the others.
    const bool meta = WalkTable(Table::kMeta, [this](auto name, auto value) {
      LookAtMeta(name, value);
    });
    const bool records = WalkTable(
        Table::kRecords,
        [this](auto place, auto record) { LookAtRecord(place, record); });
    const bool expiry = WalkTable(
        Table::kExpiry, [this](auto entry, auto) { LookAtExpiryEntry(entry); });
    report().complete = meta && records && expiry;
    OpenAccumulator();
    if (report().complete) CompareAccumulators();
    return std::move(outcome_);
  }

 private:
  WalkReport& report() { return outcome_.report; }

  void Find(Kind kind, absl::string_view place, absl::string_view key,
            std::string reason) {
    ++report().findings;
    found_({.kind = kind,
            .place = std::string(place),
            .key = std::string(key),
            .reason = std::move(reason)});
  }

  bool OpenHeader(const Secret& root) {
    const absl::StatusOr<std::string> bytes = ReadHeaderEntry(reader_);
    absl::Status opened = bytes.status();
    if (opened.ok()) {
      absl::StatusOr<OpenedHeader> header = OpenHeaderByRoot(*bytes, root, "");
      opened = header.status();
      if (opened.ok()) outcome_.keyring = std::move(header->keyring);
    }
    if (!opened.ok()) {
      Find(Kind::kHeader, "", "", error::ReasonOf(opened));
    }
    return opened.ok();
  }

  // Visits the entries of a table, and looks for each as a reader would. False
  // where LMDB does not get to its end.
  bool WalkTable(
      Table table,
      absl::FunctionRef<void(absl::string_view key, absl::string_view value)>
          visit) {
    std::string last;
    uint64_t seen = 0;
    bool in_order = true;
    const absl::Status scanned = reader_.Scan(
        table, "", [&](absl::string_view key, absl::string_view value) {
          // Also the end of a tree that leads back into itself.
          in_order = seen == 0 || last < key;
          if (!in_order) return false;
          last.assign(key.data(), key.size());
          ++seen;
          LookUp(table, key, value);
          visit(key, value);
          return true;
        });
    if (!scanned.ok()) {
      Find(Kind::kTree, "", "", error::ReasonOf(scanned));
      return false;
    }
    if (!in_order) {
      Find(Kind::kTree, last, "", error::OutOfOrder());
      return false;
    }
    return true;
  }

  void LookUp(Table table, absl::string_view key, absl::string_view value) {
    const absl::StatusOr<std::optional<absl::string_view>> there =
        reader_.Get(table, key);
    if (there.ok() && there->has_value() && (*there)->data() == value.data()) {
      return;
    }
    Find(table == Table::kRecords ? Kind::kHidden : Kind::kTree, key, "",
         error::Hidden());
  }

  void LookAtMeta(absl::string_view name, absl::string_view value) {
    if (name == kHeaderKey || name == kAccumulatorKey) return;
    Find(Kind::kMeta, name, "", error::UnknownMetaEntry(value.size()));
  }

  void LookAtRecord(absl::string_view place, absl::string_view record) {
    ++report().records;
    report().bytes += place.size() + record.size();
    const absl::StatusOr<RecordFrame> frame = RecordFrame::Parse(record);
    if (!frame.ok()) {
      ++report().damaged;
      Find(Kind::kDamaged, place, "", error::ReasonOf(frame.status()));
    } else {
      outcome_.counted->Replace(place, std::nullopt, record);
      if (!options_.quick) OpenRecord(place, record);
    }
    if (report().records % kProgressEvery == 0) {
      progress_(report().records, report().bytes);
    }
  }

  void OpenRecord(absl::string_view place, absl::string_view record) {
    const Keyring& keyring = *outcome_.keyring;
    const absl::StatusOr<RecordReader> reader =
        RecordReader::Open(keyring, place, record);
    const absl::Status opened =
        reader.ok() ? reader->ReadValue().status() : reader.status();
    if (!opened.ok()) {
      ++report().damaged;
      // The key is in the head, which may be whole where the body is not.
      Find(Kind::kDamaged, place, reader.ok() ? reader->key() : "",
           error::ReasonOf(opened));
      return;
    }
    if (RecordKey(keyring.paths(), reader->key()) != place) {
      ++report().damaged;
      Find(Kind::kForeign, place, reader->key(), error::Foreign());
      return;
    }
    if (reader->expires_ms() == 0) return;
    if (reader->IsExpired(options_.now)) ++report().expired;
    const bool will_be_removed = AnyExpiryKey(
        absl::FromUnixMillis(reader->expires_ms()), place,
        [this](absl::string_view entry) {
          const absl::StatusOr<std::optional<absl::string_view>> there =
              reader_.Get(Table::kExpiry, entry);
          return there.ok() && there->has_value();
        });
    if (!will_be_removed) {
      Find(Kind::kExpiry, place, reader->key(), error::NotInExpiryIndex());
    }
  }

  void LookAtExpiryEntry(absl::string_view entry) {
    ++report().expiry_entries;
    const std::optional<ExpiryEntry> parsed = ParseExpiryKey(entry);
    if (parsed.has_value()) {
      const absl::StatusOr<std::optional<absl::string_view>> record =
          reader_.Get(Table::kRecords, parsed->record_key);
      if (record.ok() && record->has_value()) return;
    }
    ++report().stray_entries;
  }

  void OpenAccumulator() {
    const absl::StatusOr<std::optional<absl::string_view>> sealed =
        reader_.Get(Table::kMeta, kAccumulatorKey);
    if (sealed.ok()) {
      outcome_.kept =
          Accumulator::Open(*outcome_.keyring, sealed->value_or(""));
    }
    if (!outcome_.kept.has_value()) {
      Find(Kind::kAccumulator, "", "", error::AccumulatorDamaged());
      return;
    }
    report().commit_seq = outcome_.kept->commit_seq();
    report().unreadable = outcome_.kept->unreadable();
  }

  void CompareAccumulators() {
    if (!outcome_.kept.has_value()) return;
    const Accumulator& counted = *outcome_.counted;
    const Accumulator& kept = *outcome_.kept;
    std::map<uint32_t, WalkReport::DataKey> keys;
    for (const auto& [id, count] : counted.records_by_key()) {
      keys[id].counted = count;
    }
    for (const auto& [id, count] : kept.records_by_key()) keys[id].kept = count;
    for (auto& [id, key] : keys) {
      key.id = id;
      report().data_keys.push_back(key);
    }
    if (counted.SameRecords(kept) && kept.unreadable() == 0) {
      report().accumulator = WalkReport::Accumulator::kAgrees;
      return;
    }
    report().accumulator = WalkReport::Accumulator::kDiffers;
    Find(Kind::kRecords, "", "",
         error::RecordsDiffer(report().records, kept.records(),
                              report().damaged, kept.unreadable()));
  }

  const LmdbReader& reader_;
  const WalkOptions options_;
  const WalkFound found_;
  const WalkProgress progress_;
  WalkOutcome outcome_;
};

}  // namespace

uint64_t FindPageDamage(PageCheck& pages, WalkFound found) {
  uint64_t count = 0;
  pages.Run([&](uint64_t page, absl::string_view what) {
    ++count;
    found({.kind = Kind::kTree,
           .place = "",
           .key = "",
           .reason = error::PageDamaged(page, what)});
  });
  return count;
}

WalkOutcome WalkStore(const LmdbReader& reader, const Secret& root,
                      const WalkOptions& options, WalkFound found,
                      WalkProgress progress) {
  return Walk(reader, options, found, progress).Run(root);
}

absl::StatusOr<std::string> ReadHeaderEntry(const LmdbReader& reader) {
  const absl::StatusOr<std::optional<absl::string_view>> header =
      reader.Get(Table::kMeta, kHeaderKey);
  if (!header.ok()) return header.status();
  if (!header->has_value()) return error::HeaderDamaged("", "missing");
  return std::string(**header);
}

}  // namespace statecpp
