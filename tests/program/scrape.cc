// SPDX-License-Identifier: Apache-2.0
#include "tests/program/scrape.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace statecpp {

std::string MetricsUrl(absl::string_view log) {
  const size_t begin = log.rfind("http://127.0.0.1:");
  if (begin == absl::string_view::npos) return "";
  return std::string(
      log.substr(begin, log.find_first_of("\" \n", begin) - begin));
}

std::string HttpGet(const std::string& url, absl::string_view path) {
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  uint32_t port = 0;
  if (!absl::SimpleAtoi(url.substr(url.rfind(':') + 1), &port)) return "";
  to.sin_port = htons(static_cast<uint16_t>(port));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    const std::string request =
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    (void)!write(fd, request.data(), request.size());
    char bytes[65536];
    ssize_t got = 0;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
      answer.append(bytes, got);
    }
  }
  close(fd);
  return answer;
}

std::string SampleOf(absl::string_view text, absl::string_view series) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, series) && absl::ConsumePrefix(&line, " ")) {
      return std::string(line);
    }
  }
  return "(none)";
}

}  // namespace statecpp
