// SPDX-License-Identifier: Apache-2.0
#include "tests/program/confidential.h"

#include <algorithm>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"

namespace statecpp {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Shorter texts, or numbers, could be in a log by chance.
constexpr size_t kShortest = 8;
// Of large values the beginning is looked for.
constexpr size_t kLongest = 64;
// Of the thousands of items of some tests the first.
constexpr size_t kMost = 2000;

struct Items {
  std::set<std::string> keys;
  std::set<std::string> values;
};

class Kept {
 public:
  static Kept& Get() {
    static Kept* const kept = new Kept;
    return *kept;
  }
  void Add(const Items& items) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    for (const std::string& key : items.keys) AddTo(items_.keys, key);
    for (const std::string& value : items.values) AddTo(items_.values, value);
  }
  Items items() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return items_;
  }

 private:
  static void AddTo(std::set<std::string>& texts, absl::string_view text) {
    if (text.size() < kShortest || texts.size() >= kMost ||
        std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) {
      return;
    }
    texts.emplace(text.substr(0, kLongest));
  }

  mutable absl::Mutex mutex_;
  Items items_ ABSL_GUARDED_BY(mutex_);
};

// Wherever in a message: Dapr's call them so in each.
void Collect(const Message& message, Items& items) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_map()) continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!field->is_repeated()) {
        // An ETag's text is called a value as well.
        if (field->name() == "etag") continue;
        Collect(reflection.GetMessage(message, field), items);
        continue;
      }
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        Collect(reflection.GetRepeatedMessage(message, field, i), items);
      }
    } else if (!field->is_repeated() &&
               field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (field->name() == "key") {
        items.keys.insert(reflection.GetString(message, field));
      } else if (field->name() == "value") {
        items.values.insert(reflection.GetString(message, field));
      }
    }
  }
}

void AddFound(const std::set<std::string>& texts, absl::string_view in,
              std::set<std::string>& found) {
  for (const std::string& text : texts) {
    // As it is, or as it is quoted.
    if (absl::StrContains(in, text) ||
        absl::StrContains(in, absl::CEscape(text))) {
      found.insert(text);
    }
  }
}

}  // namespace

void KeepSecret(absl::string_view secret) {
  Items items;
  items.values = {std::string(secret), absl::BytesToHexString(secret),
                  absl::Base64Escape(secret)};
  Kept::Get().Add(items);
}

void KeepItemsOf(const Message& request) {
  Items items;
  Collect(request, items);
  Kept::Get().Add(items);
}

std::set<std::string> ConfidentialInLog(absl::string_view log) {
  std::set<std::string> found;
  const Items kept = Kept::Get().items();
  AddFound(kept.keys, log, found);
  AddFound(kept.values, log, found);
  return found;
}

std::set<std::string> ConfidentialInError(absl::string_view error,
                                          const Message& request) {
  std::set<std::string> found;
  const Items kept = Kept::Get().items();
  AddFound(kept.keys, error, found);
  AddFound(kept.values, error, found);
  Items own;
  Collect(request, own);
  for (const std::string& key : own.keys) {
    for (auto text = found.begin(); text != found.end();) {
      text = absl::StrContains(key, *text) ? found.erase(text) : ++text;
    }
  }
  return found;
}

}  // namespace statecpp
