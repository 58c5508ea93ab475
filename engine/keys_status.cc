// SPDX-License-Identifier: Apache-2.0
#include "engine/keys_status.h"

#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/types/span.h"
#include "engine/errors.h"
#include "engine/file_system.h"
#include "engine/store_meta.h"

namespace statecpp {
namespace {

std::string HexOf(absl::Span<const uint8_t> bytes) {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

KeysStatus::Slot SlotStatus(const KeySlot& slot) {
  return {.name = slot.name,
          .passphrase = slot.derivation == KeySlot::Derivation::kArgon2id,
          .fingerprint = HexOf(absl::MakeSpan(slot.check_value).first(4))};
}

KeysStatus KeysStatusOf(const StoreHeader& header,
                        const Accumulator* accumulator) {
  KeysStatus status = {
      .store_id = HexOf(header.store_id),
      .sealed = header.sealed,
      .slots = {},
      .data_keys = {},
      .counted = accumulator != nullptr,
      .records = accumulator != nullptr ? accumulator->records() : 0,
      .resealer = {}};
  for (const KeySlot& slot : header.slots) {
    status.slots.push_back(SlotStatus(slot));
  }
  for (const WrappedDataKey& key : header.data_keys) {
    uint64_t records = 0;
    if (accumulator != nullptr) {
      const auto count = accumulator->records_by_key().find(key.id);
      if (count != accumulator->records_by_key().end()) records = count->second;
    }
    const bool active = key.id == header.active_key_id;
    status.data_keys.push_back(
        {.id = key.id, .active = active, .records = records});
    if (!active) status.resealer.left += records;
  }
  return status;
}

absl::StatusOr<KeysStatus> PeekKeys(const Options& options) {
  const absl::StatusOr<StorePeek> peek = PeekStore(options);
  if (!peek.ok()) return peek.status();
  return peek->keys;
}

absl::StatusOr<StorePeek> PeekStore(const Options& options) {
  const std::string path = WithoutSlashes(options.path);
  const absl::StatusOr<StoreMeta> meta =
      ReadStoreMeta(path, options.on_assertion);
  if (!meta.ok()) return meta.status();
  const absl::StatusOr<StoreHeader> header = ReadHeader(meta->header, path);
  if (!header.ok()) return header.status();
  // A plain store wants none.
  const MasterKeys* const keys = header->sealed ? options.keys.get() : nullptr;
  if (header->sealed && keys == nullptr) {
    return StorePeek{KeysStatusOf(*header, nullptr), meta->used_bytes};
  }
  const absl::StatusOr<OpenedHeader> opened =
      OpenHeader(meta->header, keys, path);
  if (!opened.ok()) return opened.status();
  const std::optional<Accumulator> accumulator =
      Accumulator::Open(*opened->keyring, meta->accumulator);
  if (!accumulator.has_value()) {
    return error::HeaderDamaged(path, "its accumulator does not open");
  }
  return StorePeek{KeysStatusOf(opened->header, &*accumulator),
                   meta->used_bytes};
}

}  // namespace statecpp
