// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_API_COMPONENT_FIELDS_H_
#define STATECPP_API_COMPONENT_FIELDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "api/component_config.h"

// The table of the metadata fields that a component may have: one row says all
// there is to know of a field.
//
//   const ComponentField* field = FindComponentField("MAXSIZE");
//   field->name             // "maxSize"
//   field->parse("20Gi", config)
//   field->print(config)    // "20Gi"
//
// Thread-safe: the table is constant.
namespace statecpp {

struct ComponentField {
  enum class Use {
    kSetting,    // of ours; `expected`, `parse` and `print` are set
    kKeySource,  // of ours; where the key of a sealed store comes from: as a
                 // setting, but that a secret one has no `parse`
    kRefused,    // what might be taken for a key source; `expected` says why
                 // it is none
    kDaprd,      // daprd's own, which it passes on to every component
    kDaprdSeal,  // daprd's own; switches its encryption on
  };

  // As documented. Users may write it in any case.
  absl::string_view name;
  Use use;
  // Whether the value must never be shown or stored.
  bool secret = false;
  // What a value looks like: follows "expected" in an error. Of what is refused
  // the reason, and what to do instead.
  absl::string_view expected = "";
  // Reads a value, which is not empty, into its place. False, with `config`
  // unchanged, where it is not what is expected.
  bool (*parse)(absl::string_view value, ComponentConfig& config) = nullptr;
  // The value that is in effect, in a form that `parse` reads.
  std::string (*print)(const ComponentConfig& config) = nullptr;

  // Whether a file on disk may remember the value.
  bool Remembered() const {
    return !secret && (use == Use::kSetting || use == Use::kKeySource);
  }
};

// Every field, in the order of the documentation.
absl::Span<const ComponentField> ComponentFields();

// The field of that name, matched case-insensitively; nullptr for none.
const ComponentField* FindComponentField(absl::string_view name);

// The name that an unknown one was probably meant to be; empty where none is
// near.
absl::string_view NearestComponentField(absl::string_view name);

// "name: before -> after"; of a secret, that it changed.
std::string DescribeChange(const ComponentField& field,
                           absl::string_view before, absl::string_view after);

}  // namespace statecpp

#endif  // STATECPP_API_COMPONENT_FIELDS_H_
