// SPDX-License-Identifier: Apache-2.0
//
// The library behind lines of text, for format_test.py. Bytes are in hex, and
// "-" stands for none of them.
//
//   store_peer write STORE KEY
//
// Opens the store, which KEY seals ("-": a plain one), and does as it is told:
//
//   set KEY VALUE TYPE TTL_MS    etag ETAG EXPIRES_MS  (0: never)
//   delete KEY                   deleted
//   rotate                       rotated ID    when all records are under it
//   retire ID                    retired
//   add NAME KEY                 added         a slot of that name
//
//   store_peer read HEADER KEY
//
// Opens a store's header and with it records as they come:
//
//   KEY PLACE RECORD
//       place PLACE item VERSION EXPIRES_MS KEY TYPE VALUE
//       place PLACE refused
//
// where the PLACE that is answered is the one that the user's KEY stands at.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/keys.h"
#include "engine/record.h"
#include "engine/store.h"
#include "engine/store_header.h"
#include "engine/store_keys.h"

namespace statecpp {
namespace {

std::string Bytes(const std::string& hex) {
  return hex == "-" ? "" : absl::HexStringToBytes(hex);
}

std::string Hex(absl::string_view bytes) {
  return bytes.empty() ? "-" : absl::BytesToHexString(bytes);
}

[[noreturn]] void Fail(absl::string_view what) {
  std::cerr << "store_peer: " << what << "\n";
  std::exit(1);
}

MasterKey KeyOf(const std::string& name, const std::string& hex) {
  const std::string bytes = Bytes(hex);
  return MasterKey::FromKey(
      name,
      Secret({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
}

std::shared_ptr<const MasterKeys> KeysOf(const std::string& hex) {
  if (hex == "-") return nullptr;
  auto keys = std::make_shared<MasterKeys>();
  keys->push_back(KeyOf("first", hex));
  return keys;
}

std::string Set(Store& store, std::istringstream& words) {
  std::string key, value, type;
  int64_t ttl_ms = 0;
  words >> key >> value >> type >> ttl_ms;
  WriteOp op = {
      .key = Bytes(key), .value = Bytes(value), .content_type = Bytes(type)};
  if (ttl_ms != 0) op.ttl = absl::Milliseconds(ttl_ms);
  const absl::StatusOr<ETag> etag = store.Set(std::move(op));
  if (!etag.ok()) Fail(etag.status().ToString());
  const absl::StatusOr<std::optional<Item>> item = store.Get(Bytes(key));
  if (!item.ok() || !item->has_value()) Fail("what was set is not there");
  return absl::StrCat(
      "etag ", etag->ToString(), " ",
      absl::ToUnixMillis((*item)->expires.value_or(absl::UnixEpoch())));
}

std::string Do(Store& store, const std::string& line) {
  std::istringstream words(line);
  std::string verb, key, name, answer;
  words >> verb;
  if (verb == "set") return Set(store, words);
  absl::Status status = absl::OkStatus();
  if (verb == "delete") {
    words >> key;
    status = store.Delete({.key = Bytes(key)});
    answer = "deleted";
  } else if (verb == "rotate") {
    const absl::StatusOr<uint32_t> id = store.keys().Rotate();
    status = id.status();
    if (id.ok()) answer = absl::StrCat("rotated ", *id);
    if (!store.keys().WaitForResealer(absl::Minutes(1))) Fail("is re-sealing");
  } else if (verb == "retire") {
    uint32_t id = 0;
    words >> id;
    status = store.keys().Retire(id);
    answer = "retired";
  } else if (verb == "add") {
    words >> name >> key;
    status = store.keys().AddSlot(KeyOf(name, key));
    answer = "added";
  } else {
    Fail(absl::StrCat("no such verb: ", line));
  }
  if (!status.ok()) Fail(absl::StrCat(line, ": ", status.ToString()));
  return answer;
}

int Write(const std::string& path, const std::string& key) {
  const absl::StatusOr<std::unique_ptr<Store>> store =
      Store::Open({.path = path,
                   .keys = KeysOf(key),
                   .cleanup_interval = absl::ZeroDuration()});
  if (!store.ok()) Fail(store.status().ToString());
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << Do(**store, line) << std::endl;
  }
  return 0;
}

std::string Read(const Keyring& keyring, const std::string& line) {
  std::istringstream words(line);
  std::string key, place, record;
  words >> key >> place >> record;
  place = Bytes(place);
  record = Bytes(record);
  std::string answer =
      absl::StrCat("place ", Hex(RecordKey(keyring.paths(), Bytes(key))));
  const absl::StatusOr<RecordReader> reader =
      RecordReader::Open(keyring, place, record);
  const absl::StatusOr<std::string> value =
      reader.ok() ? reader->ReadValue() : reader.status();
  if (!value.ok()) return absl::StrCat(answer, " refused");
  return absl::StrCat(answer, " item ", reader->version(), " ",
                      reader->expires_ms(), " ", Hex(reader->key()), " ",
                      Hex(reader->content_type()), " ", Hex(*value));
}

int ReadRecords(const std::string& header, const std::string& key) {
  const absl::StatusOr<OpenedHeader> opened =
      OpenHeader(Bytes(header), KeysOf(key).get(), "the header given");
  if (!opened.ok()) Fail(opened.status().ToString());
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << Read(*opened->keyring, line) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) {
  const std::string verb = argc == 4 ? argv[1] : "";
  if (verb == "write") return statecpp::Write(argv[2], argv[3]);
  if (verb == "read") return statecpp::ReadRecords(argv[2], argv[3]);
  std::cerr << "store_peer write STORE KEY | store_peer read HEADER KEY\n";
  return 2;
}
