// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_PROGRAM_SCRAPE_H_
#define STATECPP_TESTS_PROGRAM_SCRAPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace statecpp {

// Where a server answers over HTTP, from its log: "http://127.0.0.1:40123";
// empty: nowhere.
std::string MetricsUrl(absl::string_view log);

// The answer to GET `url` + `path`, status line and headers included; empty if
// there is none.
std::string HttpGet(const std::string& url, absl::string_view path);

// Of a scrape, the number that a series has, written as in the text:
//
//   SampleOf(text, R"(statecpp_keys{component="orders"})")
//
// "(none)" where the series is not there.
std::string SampleOf(absl::string_view text, absl::string_view series);

}  // namespace statecpp

#endif  // STATECPP_TESTS_PROGRAM_SCRAPE_H_
