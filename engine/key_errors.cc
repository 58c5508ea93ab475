// SPDX-License-Identifier: Apache-2.0
//
// The errors of engine/errors.h that are about keys.
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/errors.h"

namespace statecpp::error {
namespace {

// The first bytes of a check value: they tell keys apart and say nothing of
// them.
std::string Prefix(const KeySlot::CheckValue& value) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(value.data()), 4));
}

std::string Names(const std::vector<KeySlot>& slots) {
  return absl::StrJoin(slots, ", ", [](std::string* out, const KeySlot& slot) {
    absl::StrAppend(out, absl::CEscape(slot.name), " (",
                    Prefix(slot.check_value), ")");
  });
}

std::string Names(const MasterKeys& keys, const StoreId& store_id) {
  return absl::StrJoin(
      keys, ", ", [&store_id](std::string* out, const MasterKey& key) {
        absl::StrAppend(out, key.name(), " (",
                        key.key() != nullptr
                            ? Prefix(CheckValueOf(*key.key(), store_id))
                            : "a passphrase",
                        ")");
      });
}

}  // namespace

absl::Status NoKeyGiven(absl::string_view path,
                        const std::vector<KeySlot>& slots) {
  return KeyRefused(
      absl::StrCat("the store at ", path,
                   " is sealed, and no key is configured; sealed "
                   "for: ",
                   Names(slots),
                   "; name the file of one of these keys; nothing "
                   "was opened or made"));
}

absl::Status NoKeyOpens(absl::string_view path, const StoreId& store_id,
                        const std::vector<KeySlot>& slots,
                        const MasterKeys& keys) {
  return KeyRefused(absl::StrCat(
      "no configured key opens the store at ", path,
      "; sealed for: ", Names(slots), "; configured: ", Names(keys, store_id),
      "; configure one of the former; nothing was opened or changed"));
}

absl::Status SlotTooCostly(absl::string_view path, absl::string_view slot,
                           uint32_t passes, uint32_t memory_kib) {
  return KeyRefused(absl::StrCat(
      "key slot \"", absl::CEscape(slot), "\" of the store at ", path,
      " wants Argon2id with ", memory_kib, " KiB and ", passes,
      " passes, which is more than the limits of ", kMaxArgon2idMemoryKib,
      " KiB and ", kMaxArgon2idPasses,
      " or than this machine can give; the key was not tried, nothing was "
      "opened; if the store never asked for so much, restore it from a "
      "backup"));
}

absl::Status StoreIsPlain(absl::string_view path) {
  return InvalidArgument(absl::StrCat(
      "the store at ", path,
      " is not encrypted, but encryption is required; "
      "seal it with: statecpp encrypt; or, to keep its records in clear, set "
      "encryption to \"off\"; nothing was opened"));
}

absl::Status OtherRootKey(absl::string_view path) {
  return KeyRefused(absl::StrCat(
      "the key opens none of the slots of the store at ", path,
      ", which is open under another; add it first: statecpp keys add; "
      "nothing was changed"));
}

absl::Status NoKeysInPlainStore() {
  return InvalidArgument(
      "the store is not encrypted and has no keys; seal it first: statecpp "
      "encrypt; nothing was changed");
}

absl::Status BadKeyName(absl::string_view name) {
  return InvalidArgument(absl::StrCat(
      "\"", absl::CEscape(name),
      "\" is no name for a key: 1 to 64 characters of A-Z, a-z, 0-9, \".\", "
      "\"_\" and \"-\" are expected; give the key another name; nothing was "
      "made or changed"));
}

absl::Status SlotNameTaken(absl::string_view name) {
  return WithHttpCode(absl::AlreadyExistsError(
                          absl::StrCat("the store has a key slot \"", name,
                                       "\" already; give the new one "
                                       "another name; nothing was changed")),
                      409);
}

absl::Status KeyHasSlot(absl::string_view name) {
  return WithHttpCode(absl::AlreadyExistsError(absl::StrCat(
                          "the key opens the store already, by its slot \"",
                          name, "\"; nothing was changed")),
                      409);
}

absl::Status SlotsFull(size_t limit) {
  return InvalidArgument(
      absl::StrCat("the store has ", limit,
                   " key slots, and no room for another; remove "
                   "one first: statecpp keys remove; nothing was changed"));
}

absl::Status SlotUnknown(absl::string_view name,
                         const std::vector<KeySlot>& slots) {
  return WithHttpCode(
      absl::NotFoundError(
          absl::StrCat("the store has no key slot \"", absl::CEscape(name),
                       "\"; it has: ", Names(slots), "; nothing was changed")),
      404);
}

absl::Status LastSlot(absl::string_view name) {
  return InvalidArgument(absl::StrCat(
      "\"", name,
      "\" is the store's only key slot; without it nobody could "
      "open the store; add another first: statecpp keys add; nothing was "
      "changed"));
}

absl::Status LastOpenableSlot(absl::string_view name) {
  return InvalidArgument(absl::StrCat(
      "\"", name,
      "\" is the only key slot that the configured keys open; "
      "configure the key of another slot first; nothing was changed"));
}

absl::Status DataKeyUnknown(uint32_t id) {
  return WithHttpCode(
      absl::NotFoundError(
          absl::StrCat("the store has no data key ", id,
                       ": it was retired, or never made; nothing was changed")),
      404);
}

absl::Status DataKeyActive(uint32_t id) {
  return InvalidArgument(
      absl::StrCat("data key ", id,
                   " is the one that new records are sealed under; make "
                   "another first: statecpp keys rotate; nothing was changed"));
}

absl::Status DataKeyInUse(uint32_t id, uint64_t records) {
  return InvalidArgument(absl::StrCat(
      records, " records are still sealed under data key ", id,
      "; it can go when they are re-sealed: statecpp keys status; nothing was "
      "changed"));
}

absl::Status DataKeyMayStillSeal(uint32_t id) {
  return WithHttpCode(
      absl::UnavailableError(absl::StrCat(
          "writes that were sealed under data key ", id,
          " are still on their way; try again; nothing was changed")),
      503);
}

absl::Status TooManyDataKeys(size_t count) {
  return InvalidArgument(absl::StrCat(
      "the store has ", count,
      " data keys, which is as many as it can have; "
      "retire those without records: statecpp keys retire; nothing was "
      "changed"));
}

}  // namespace statecpp::error
