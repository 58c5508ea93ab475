// SPDX-License-Identifier: Apache-2.0
#include "server/http_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/errors.h"
#include "server/http_address.h"

namespace statecpp {
namespace {

// Connections that the kernel keeps for us.
constexpr int kBacklog = 16;
constexpr std::chrono::milliseconds kWithoutDescriptors(200);

absl::string_view Reason(int code) {
  switch (code) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

std::string Formatted(const HttpAnswer& answer, bool with_body) {
  return absl::StrCat("HTTP/1.1 ", answer.code, " ", Reason(answer.code),
                      "\r\nContent-Type: ", answer.content_type,
                      "\r\nContent-Length: ", answer.body.size(),
                      "\r\nCache-Control: no-store\r\nConnection: close",
                      answer.code == 405 ? "\r\nAllow: GET, HEAD" : "",
                      "\r\n\r\n", with_body ? answer.body : "");
}

// Where the headers end, and with them the request.
bool IsWhole(absl::string_view request) {
  return absl::StrContains(request, "\r\n\r\n") ||
         absl::StrContains(request, "\n\n");
}

}  // namespace

// Reads a request, writes the answer, says that this was all, and reads on
// until the peer has left: closed earlier, the answer could be lost to a peer
// that still sends.
struct HttpListener::Connection {
  enum class State { kReading, kWriting, kClosing };

  int fd;
  Clock::time_point end;
  State state = State::kReading;
  std::string request = "";
  std::string answer = "";
  size_t written = 0;
  short ready = 0;
};

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::Listen(
    const std::string& address, const Limits& limits, Handler handler) {
  absl::StatusOr<HttpAddress> parsed = ParseHttpAddress(address);
  if (!parsed.ok()) return parsed.status();
  const int fd = socket(parsed->bytes.ss_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return error::HttpSystem("open a socket for", address, errno);
  absl::Cleanup close_fd = [fd] { close(fd); };
  const int yes = 1;
  // Else the port of a process before this one is not free for a minute.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(fd, parsed->get(), parsed->size) != 0 || listen(fd, kBacklog) != 0) {
    return error::HttpSystem("listen on", address, errno);
  }
  parsed->size = sizeof(parsed->bytes);
  if (getsockname(fd, parsed->get(), &parsed->size) != 0) {
    return error::HttpSystem("ask for the port of", address, errno);
  }
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return error::HttpSystem("make an event for", address, errno);
  std::move(close_fd).Cancel();
  return std::unique_ptr<HttpListener>(new HttpListener(
      fd, wake, HttpAddressText(*parsed), limits, std::move(handler)));
}

HttpListener::HttpListener(int listener, int wake, std::string address,
                           const Limits& limits, Handler handler)
    : listener_(listener),
      wake_(wake),
      address_(std::move(address)),
      limits_(limits),
      handler_(std::move(handler)) {}

HttpListener::~HttpListener() {
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof(one));
  if (thread_.joinable()) thread_.join();
  for (const Connection& connection : connections_) close(connection.fd);
  close(wake_);
  close(listener_);
}

void HttpListener::Start() {
  thread_ = std::thread([this] { Run(); });
}

void HttpListener::Run() {
  while (!ending_) {
    Wait();
    for (auto each = connections_.begin(); each != connections_.end();) {
      if (Clock::now() < each->end && Proceed(*each)) {
        ++each;
        continue;
      }
      close(each->fd);
      each = connections_.erase(each);
    }
    if (can_accept_) Accept();
  }
}

void HttpListener::Wait() {
  std::vector<pollfd> polled = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
  const Clock::time_point now = Clock::now();
  Clock::time_point next = Clock::time_point::max();
  if (now < accept_again_) {
    polled[1].fd = -1;  // not looked at
    next = accept_again_;
  }
  for (const Connection& connection : connections_) {
    const bool writes = connection.state == Connection::State::kWriting;
    polled.push_back(
        {connection.fd, static_cast<short>(writes ? POLLOUT : POLLIN), 0});
    next = std::min(next, connection.end);
  }
  const int timeout =
      next == Clock::time_point::max()
          ? -1
          : static_cast<int>(std::clamp<int64_t>(
                std::chrono::ceil<std::chrono::milliseconds>(next - now)
                    .count(),
                0, 60'000));
  poll(polled.data(), polled.size(), timeout);
  ending_ = polled[0].revents != 0;
  can_accept_ = polled[1].revents != 0;
  size_t i = 2;
  for (Connection& connection : connections_) {
    connection.ready = polled[i++].revents;
  }
}

void HttpListener::Accept() {
  const int fd =
      accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    // It would be ready to accept again at once, and fail again.
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
      accept_again_ = Clock::now() + kWithoutDescriptors;
    }
    return;
  }
  if (connections_.size() >= limits_.connections) MakeRoom();
  connections_.push_back({.fd = fd, .end = Clock::now() + limits_.time});
}

void HttpListener::MakeRoom() {
  auto oldest = std::find_if(connections_.begin(), connections_.end(),
                             [](const Connection& each) {
                               return each.state != Connection::State::kWriting;
                             });
  if (oldest == connections_.end()) oldest = connections_.begin();
  close(oldest->fd);
  connections_.erase(oldest);
}

bool HttpListener::Proceed(Connection& connection) {
  if (connection.ready == 0) return true;
  return connection.state == Connection::State::kWriting ? Write(connection)
                                                         : Read(connection);
}

bool HttpListener::Read(Connection& connection) {
  char bytes[4096];
  const ssize_t got = recv(connection.fd, bytes, sizeof(bytes), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  if (connection.state == Connection::State::kClosing) return true;
  connection.request.append(bytes, got);
  const bool whole = IsWhole(connection.request);
  if (!whole && connection.request.size() <= limits_.request_bytes) return true;
  connection.answer =
      connection.request.size() <= limits_.request_bytes
          ? AnswerTo(connection.request)
          : Formatted({.code = 431, .body = "the request is too large\n"},
                      /*with_body=*/true);
  connection.request = std::string();
  connection.state = Connection::State::kWriting;
  return Write(connection);
}

bool HttpListener::Write(Connection& connection) {
  const absl::string_view left =
      absl::string_view(connection.answer).substr(connection.written);
  const ssize_t sent =
      send(connection.fd, left.data(), left.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  connection.written += sent;
  if (connection.written < connection.answer.size()) return true;
  connection.answer = std::string();
  connection.state = Connection::State::kClosing;
  return shutdown(connection.fd, SHUT_WR) == 0;
}

std::string HttpListener::AnswerTo(absl::string_view request) const {
  const absl::string_view line =
      request.substr(0, request.find_first_of("\r\n"));
  const size_t first = line.find(' ');
  const size_t second = line.rfind(' ');
  if (first == absl::string_view::npos || first == second ||
      !absl::StartsWith(line.substr(second + 1), "HTTP/1.")) {
    return Formatted({.code = 400, .body = "this is not HTTP/1\n"}, true);
  }
  const absl::string_view method = line.substr(0, first);
  const absl::string_view target = line.substr(first + 1, second - first - 1);
  if (method != "GET" && method != "HEAD") {
    return Formatted({.code = 405, .body = "only GET and HEAD\n"}, true);
  }
  return Formatted(handler_(target.substr(0, target.find('?'))),
                   method == "GET");
}

}  // namespace statecpp
