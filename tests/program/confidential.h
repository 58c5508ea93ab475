// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_CONFIDENTIAL_H_
#define STATECPP_TESTS_PROGRAM_CONFIDENTIAL_H_

#include <google/protobuf/message.h>

#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// What the tests of this process gave to programs and what these must not tell:
// keys and values of items, and secrets. Program looks for it in each log, and
// Client in each error, so that every test that uses them is a test of this,
// too, as far as its keys and values are long enough to be recognised.
//
// Thread-safe, all of it.

// Secrets belong in no log and no answer, as raw bytes, hex digits or base64.
void KeepSecret(absl::string_view secret);

// Notes the keys and values of the items in a request.
void KeepItemsOf(const google::protobuf::Message& request);

// Of what was kept, whatever is in a log.
std::set<std::string> ConfidentialInLog(absl::string_view log);

// Of what was kept, whatever is in the error that answers `request`: it may
// name the keys of that request, and none of its values.
std::set<std::string> ConfidentialInError(
    absl::string_view error, const google::protobuf::Message& request);

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_CONFIDENTIAL_H_
