// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_COMPONENT_CONFIG_H_
#define STATECPP_API_COMPONENT_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"

// What a Dapr component says of one instance, as plain data. Made by
// ComponentConfigFromProperties (component_metadata.h).
namespace statecpp {

// `spec.metadata` of a component, names in the user's spelling. Of a field that
// is secret or unknown the name is here and the value is not (init_request.h).
using Properties = std::map<std::string, std::string>;

// daprd receives replies of up to 4 MiB and cannot be told otherwise. A value
// that passes this limit could be written and never read again; the 6 KiB that
// are left are for the rest of the reply.
inline constexpr uint64_t kMaxValueSize = uint64_t{4090} << 10;

// What becomes of the other items when one item of a bulk write fails.
enum class BulkMode {
  kPerItem,  // they are written, as Dapr's own stores do
  kAtomic,   // none is written
};

// The part of a configuration that every request reads. A later Init may
// replace it while the store stays open.
struct InstanceSettings {
  // Of key, value and content type together.
  uint64_t max_value_size = kMaxValueSize;
  // The time to live of writes that name none; nullopt: they never expire.
  std::optional<absl::Duration> default_ttl = std::nullopt;
  // How long an operation may take.
  absl::Duration timeout = absl::Seconds(20);
  BulkMode bulk_mode = BulkMode::kPerItem;
  // Operations in a transaction; 0: no limit.
  int64_t max_txn_ops = 0;
  // Records that a query may look at for a page; 0: no limit.
  int64_t max_scan = 0;
  // Whether a query needs a prefix that bounds what it looks at.
  bool query_require_prefix = false;

  bool operator==(const InstanceSettings&) const = default;
};

enum class Encryption {
  kOff,
  kRequired,  // no key, no store
};

// Where the key of an instance's store is.
struct OwnKey {
  enum class Place {
    kNone,  // the component names none; the server's key it is
    kValue,
    kKeyFile,
    kPassphraseFile,
    kKeyringFile,
  };

  Place place = Place::kNone;
  // Of the three files: as the component names it, in the server's --key-dir.
  // Of a value: what tells it from another in this process and says nothing of
  // it.
  std::string text = "";

  bool operator==(const OwnKey&) const = default;
};

// How to open an instance's store, and how to serve it.
struct ComponentConfig {
  // The name of the store in the data root; its folder is FileNameOf() this.
  std::string data_dir = "";
  Encryption encryption = Encryption::kRequired;
  OwnKey own_key = {};
  uint64_t max_size = uint64_t{10} << 30;
  // Zero: expired items are never removed, only invisible.
  absl::Duration cleanup_interval = absl::Minutes(1);
  // How long opening waits for another process that holds the store.
  absl::Duration lock_timeout = absl::Seconds(3);
  // An unknown field is an error instead of a warning.
  bool strict_metadata = false;
  InstanceSettings settings = {};

  bool operator==(const ComponentConfig&) const = default;
};

}  // namespace statecpp

#endif  // STATECPP_API_COMPONENT_CONFIG_H_
