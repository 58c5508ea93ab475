// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_HTTP_LISTENER_H_
#define STATECPP_SERVER_HTTP_LISTENER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace statecpp {

struct HttpAnswer {
  int code = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = "";
};

// Answers GET and HEAD on a TCP port, for probes and for Prometheus, and
// nothing else: one request a connection, no body, no TLS.
//
//   absl::StatusOr<std::unique_ptr<HttpListener>> http = HttpListener::Listen(
//       "127.0.0.1:9464", {}, [](absl::string_view path) { ... });
//   if (!http.ok()) return http.status();
//   (*http)->Start();
//
// Whoever can reach the port can ask, so it is bounded in everything: one
// thread, so many connections, so large a request, so much time for all of an
// exchange. Where there are as many connections as may be, the oldest that has
// not said yet what it wants makes room. No call to the store waits for any of
// it.
//
// By hand, and not by Debian's cpp-httplib 0.11: that queues connections
// without limit, each with a descriptor that the store may need, holds a thread
// for as long as a client sends a header now and then, takes any number of
// those, and brings OpenSSL and brotli into a process that holds keys.
class HttpListener {
 public:
  struct Limits {
    size_t connections = 16;
    // Of the request's line and headers together.
    size_t request_bytes = 8 << 10;
    // From accepting to the last byte of the answer.
    std::chrono::milliseconds time = std::chrono::seconds(10);
  };
  // Called on the listener's thread, with the path and no query.
  using Handler = std::function<HttpAnswer(absl::string_view path)>;

  // Binds "HOST:PORT", HOST an address such as 127.0.0.1 or [::1], or
  // localhost; port 0 takes any that is free. Connections wait until Start.
  //
  // INVALID_ARGUMENT: that is none; UNAVAILABLE: it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Listen(
      const std::string& address, const Limits& limits, Handler handler);

  // Closes every connection.
  ~HttpListener();

  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // As it is bound: "127.0.0.1:9464".
  const std::string& address() const { return address_; }

  void Start();

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection;

  HttpListener(int listener, int wake, std::string address,
               const Limits& limits, Handler handler);

  void Run();
  void Wait();
  void Accept();
  void MakeRoom();
  // False: it is over.
  bool Proceed(Connection& connection);
  bool Read(Connection& connection);
  bool Write(Connection& connection);
  std::string AnswerTo(absl::string_view request) const;

  const int listener_;
  const int wake_;  // an eventfd: the end has come
  const std::string address_;
  const Limits limits_;
  const Handler handler_;
  std::list<Connection> connections_;  // the oldest first
  // No descriptor was left for a connection; looks again after a while.
  Clock::time_point accept_again_ = Clock::time_point::min();
  bool can_accept_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_HTTP_LISTENER_H_
