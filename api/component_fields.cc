// SPDX-License-Identifier: Apache-2.0
#include "api/component_fields.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "api/instance_name.h"
#include "api/metadata_value.h"

namespace statecpp {
namespace {

using Use = ComponentField::Use;

constexpr uint64_t kMinMaxSize = uint64_t{1} << 20;
// What a process can map, with room for more stores than one.
constexpr uint64_t kMaxMaxSize = uint64_t{16} << 40;
// Shorter ones keep a processor busy, or fail every call.
constexpr absl::Duration kMinDuration = absl::Milliseconds(10);

bool ParseSize(absl::string_view value, uint64_t min, uint64_t max,
               uint64_t& out) {
  const std::optional<uint64_t> size = ParseByteSize(value);
  if (!size.has_value() || *size < min || *size > max) return false;
  out = *size;
  return true;
}

bool ParseDataDir(absl::string_view value, ComponentConfig& config) {
  if (!IsDataDir(value)) return false;
  config.data_dir = std::string(value);
  return true;
}

bool ParseEncryption(absl::string_view value, ComponentConfig& config) {
  if (absl::EqualsIgnoreCase(value, "off")) {
    config.encryption = Encryption::kOff;
  } else if (absl::EqualsIgnoreCase(value, "required")) {
    config.encryption = Encryption::kRequired;
  } else {
    return false;
  }
  return true;
}

// Not beyond the folder: whoever can connect could otherwise learn what files
// there are. An absolute path may lead into it; the server knows.
template <OwnKey::Place place>
bool ParseKeyPath(absl::string_view value, ComponentConfig& config) {
  for (const absl::string_view segment : absl::StrSplit(value, '/')) {
    if (segment == "..") return false;
  }
  config.own_key = {.place = place, .text = std::string(value)};
  return true;
}

template <OwnKey::Place place>
std::string PrintKey(const ComponentConfig& config) {
  return config.own_key.place == place ? config.own_key.text : "(none)";
}

bool ParseMaxSize(absl::string_view value, ComponentConfig& config) {
  return ParseSize(value, kMinMaxSize, kMaxMaxSize, config.max_size);
}

bool ParseMaxValueSize(absl::string_view value, ComponentConfig& config) {
  return ParseSize(value, 1, kMaxValueSize, config.settings.max_value_size);
}

bool ParseDefaultTtl(absl::string_view value, ComponentConfig& config) {
  const std::optional<Ttl> ttl = ParseTtl(value);
  if (!ttl.has_value()) return false;
  config.settings.default_ttl = *ttl;
  return true;
}

bool ParseCleanupInterval(absl::string_view value, ComponentConfig& config) {
  const std::optional<absl::Duration> interval = ParseDuration(value);
  if (!interval.has_value()) return false;
  if (*interval > absl::ZeroDuration() && *interval < kMinDuration) {
    return false;
  }
  config.cleanup_interval = std::max(*interval, absl::ZeroDuration());
  return true;
}

bool ParseTimeout(absl::string_view value, ComponentConfig& config) {
  const std::optional<absl::Duration> timeout = ParseDuration(value);
  if (!timeout.has_value() || *timeout < kMinDuration) return false;
  config.settings.timeout = *timeout;
  return true;
}

bool ParseBulkMode(absl::string_view value, ComponentConfig& config) {
  if (absl::EqualsIgnoreCase(value, "perItem")) {
    config.settings.bulk_mode = BulkMode::kPerItem;
  } else if (absl::EqualsIgnoreCase(value, "atomic")) {
    config.settings.bulk_mode = BulkMode::kAtomic;
  } else {
    return false;
  }
  return true;
}

bool ParseMaxTxnOps(absl::string_view value, ComponentConfig& config) {
  const std::optional<int64_t> limit = ParseInteger(value);
  // daprd reads the limit into an int, which may have 32 bits.
  if (!limit.has_value() || *limit < 0 ||
      *limit > std::numeric_limits<int32_t>::max()) {
    return false;
  }
  config.settings.max_txn_ops = *limit;
  return true;
}

bool ParseMaxScan(absl::string_view value, ComponentConfig& config) {
  const std::optional<int64_t> limit = ParseInteger(value);
  if (!limit.has_value() || *limit < 0) return false;
  config.settings.max_scan = *limit;
  return true;
}

bool ParseQueryRequirePrefix(absl::string_view value, ComponentConfig& config) {
  config.settings.query_require_prefix = IsTruthy(value);
  return true;
}

bool ParseLockTimeout(absl::string_view value, ComponentConfig& config) {
  const std::optional<absl::Duration> timeout = ParseDuration(value);
  if (!timeout.has_value() || *timeout < absl::ZeroDuration()) return false;
  config.lock_timeout = *timeout;
  return true;
}

bool ParseStrictMetadata(absl::string_view value, ComponentConfig& config) {
  config.strict_metadata = IsTruthy(value);
  return true;
}

std::string PrintDefaultTtl(const ComponentConfig& config) {
  const std::optional<absl::Duration>& ttl = config.settings.default_ttl;
  return ttl.has_value() ? absl::StrCat(absl::ToInt64Seconds(*ttl)) : "-1";
}

std::string PrintEncryption(const ComponentConfig& config) {
  return config.encryption == Encryption::kOff ? "off" : "required";
}

std::string PrintBulkMode(const ComponentConfig& config) {
  return config.settings.bulk_mode == BulkMode::kAtomic ? "atomic" : "perItem";
}

constexpr absl::string_view kKeyPath =
    "a file in the server's --key-dir, such as \"orders.key\", without \"..\"";
// Whoever can connect can send an Init.
constexpr absl::string_view kNotFromHere =
    "a component may not have the server run a command or read its "
    "environment, since whoever can connect to the socket can send one; give "
    "the key to the server (statecpp serve --key-command or --key-env), or "
    "name "
    "an encryptionKeyFile";

constexpr ComponentField kFields[] = {
    {.name = "dataDir",
     .use = Use::kSetting,
     .expected = "the name of a folder in the server's data root, such as "
                 "\"orders\" or "
                 "\"shop/orders\": relative, without empty segments and "
                 "without segments that begin with a dot",
     .parse = ParseDataDir,
     .print = [](const ComponentConfig& config) { return config.data_dir; }},
    // YAML 1.1, which Kubernetes and daprd read, takes a bare off for false.
    {.name = "encryption",
     .use = Use::kSetting,
     .expected = "\"required\" or \"off\", in quotes (YAML reads a bare off as "
                 "false)",
     .parse = ParseEncryption,
     .print = PrintEncryption},
    {.name = "maxSize",
     .use = Use::kSetting,
     .expected = "a size from 1Mi to 16Ti, such as \"10Gi\" (Ki, Mi, Gi, Ti or "
                 "k, M, G, T)",
     .parse = ParseMaxSize,
     .print =
         [](const ComponentConfig& config) {
           return FormatByteSize(config.max_size);
         }},
    {.name = "maxValueSize",
     .use = Use::kSetting,
     .expected = "a size of at most 4090Ki, such as \"1Mi\": daprd cannot "
                 "receive a reply of more than 4Mi",
     .parse = ParseMaxValueSize,
     .print =
         [](const ComponentConfig& config) {
           return FormatByteSize(config.settings.max_value_size);
         }},
    {.name = "ttlInSeconds",
     .use = Use::kSetting,
     .expected = "whole seconds up to 2147483647, such as \"3600\", or -1 for "
                 "never",
     .parse = ParseDefaultTtl,
     .print = PrintDefaultTtl},
    {.name = "cleanupInterval",
     .use = Use::kSetting,
     .expected = "a duration of at least 10ms, such as \"5m\", \"1h30m\" or "
                 "\"90\" (seconds), or 0 for never",
     .parse = ParseCleanupInterval,
     .print =
         [](const ComponentConfig& config) {
           return absl::FormatDuration(config.cleanup_interval);
         }},
    {.name = "timeout",
     .use = Use::kSetting,
     .expected = "a duration of at least 10ms, such as \"20s\", \"1m30s\" or "
                 "\"20\" (seconds)",
     .parse = ParseTimeout,
     .print =
         [](const ComponentConfig& config) {
           return absl::FormatDuration(config.settings.timeout);
         }},
    {.name = "bulkMode",
     .use = Use::kSetting,
     .expected = "\"perItem\" or \"atomic\"",
     .parse = ParseBulkMode,
     .print = PrintBulkMode},
    {.name = "maxTxnOps",
     .use = Use::kSetting,
     .expected = "a number of operations up to 2147483647, such as \"1000\", "
                 "or 0 for no limit",
     .parse = ParseMaxTxnOps,
     .print =
         [](const ComponentConfig& config) {
           return absl::StrCat(config.settings.max_txn_ops);
         }},
    {.name = "maxScan",
     .use = Use::kSetting,
     .expected = "a number of records, such as \"1000000\", or 0 for no limit",
     .parse = ParseMaxScan,
     .print =
         [](const ComponentConfig& config) {
           return absl::StrCat(config.settings.max_scan);
         }},
    {.name = "queryRequirePrefix",
     .use = Use::kSetting,
     .expected = "\"true\" or \"false\"",
     .parse = ParseQueryRequirePrefix,
     .print = [](const ComponentConfig& config) -> std::string {
       return config.settings.query_require_prefix ? "true" : "false";
     }},
    {.name = "lockTimeout",
     .use = Use::kSetting,
     .expected = "a duration, such as \"3s\", \"500ms\" or \"3\" (seconds), or "
                 "0 for no wait",
     .parse = ParseLockTimeout,
     .print =
         [](const ComponentConfig& config) {
           return absl::FormatDuration(config.lock_timeout);
         }},
    {.name = "strictMetadata",
     .use = Use::kSetting,
     .expected = "\"true\" or \"false\"",
     .parse = ParseStrictMetadata,
     .print = [](const ComponentConfig& config) -> std::string {
       return config.strict_metadata ? "true" : "false";
     }},
    {.name = "encryptionKey",
     .use = Use::kKeySource,
     .secret = true,
     .print = PrintKey<OwnKey::Place::kValue>},
    {.name = "encryptionKeyFile",
     .use = Use::kKeySource,
     .expected = kKeyPath,
     .parse = ParseKeyPath<OwnKey::Place::kKeyFile>,
     .print = PrintKey<OwnKey::Place::kKeyFile>},
    {.name = "encryptionPassphraseFile",
     .use = Use::kKeySource,
     .expected = kKeyPath,
     .parse = ParseKeyPath<OwnKey::Place::kPassphraseFile>,
     .print = PrintKey<OwnKey::Place::kPassphraseFile>},
    {.name = "encryptionKeyringFile",
     .use = Use::kKeySource,
     .expected = kKeyPath,
     .parse = ParseKeyPath<OwnKey::Place::kKeyringFile>,
     .print = PrintKey<OwnKey::Place::kKeyringFile>},
    {.name = "encryptionKeyring",
     .use = Use::kRefused,
     .secret = true,
     .expected = "a keyring is a file; name it in encryptionKeyringFile"},
    {.name = "encryptionPassphrase",
     .use = Use::kRefused,
     .secret = true,
     .expected =
         "a passphrase is in a file; name it in encryptionPassphraseFile"},
    {.name = "encryptionKeyCommand",
     .use = Use::kRefused,
     .secret = true,
     .expected = kNotFromHere},
    {.name = "encryptionKeyEnv",
     .use = Use::kRefused,
     .secret = true,
     .expected = kNotFromHere},
    {.name = "actorStateStore", .use = Use::kDaprd},
    {.name = "keyPrefix", .use = Use::kDaprd},
    {.name = "outboxPublishPubsub", .use = Use::kDaprd},
    {.name = "outboxPublishTopic", .use = Use::kDaprd},
    {.name = "outboxPubsub", .use = Use::kDaprd},
    {.name = "outboxDiscardWhenMissingState", .use = Use::kDaprd},
    {.name = "primaryEncryptionKey", .use = Use::kDaprdSeal, .secret = true},
    {.name = "secondaryEncryptionKey", .use = Use::kDaprdSeal, .secret = true},
};

// Levenshtein's distance of two lower-case names.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

absl::Span<const ComponentField> ComponentFields() { return kFields; }

const ComponentField* FindComponentField(absl::string_view name) {
  for (const ComponentField& field : kFields) {
    if (absl::EqualsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

absl::string_view NearestComponentField(absl::string_view name) {
  const std::string wanted = absl::AsciiStrToLower(name);
  // Past a third of its letters another word is no slip of the pen. The bound
  // also keeps a name of megabytes from being compared.
  if (wanted.size() > 64) return "";
  size_t nearest = wanted.size() / 3 + 1;
  absl::string_view found;
  for (const ComponentField& field : kFields) {
    const size_t distance =
        EditDistance(wanted, absl::AsciiStrToLower(field.name));
    if (distance >= nearest) continue;
    nearest = distance;
    found = field.name;
  }
  return found;
}

std::string DescribeChange(const ComponentField& field,
                           absl::string_view before, absl::string_view after) {
  if (field.secret) {
    constexpr absl::string_view kNone = "(none)";
    return absl::StrCat(field.name, ": ", before == kNone ? kNone : "(secret)",
                        " -> ",
                        after == kNone    ? kNone
                        : before == kNone ? "(secret)"
                                          : "(another secret)");
  }
  return absl::StrCat(field.name, ": ", before, " -> ", after);
}

}  // namespace statecpp
