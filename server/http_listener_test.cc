// SPDX-License-Identifier: Apache-2.0
//
// What the listener answers, and what it bears from whoever reaches the port.
#include "server/http_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/http_address.h"
#include "tests/support/status_matchers.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// One connection of a client that may do what it likes.
class Peer {
 public:
  explicit Peer(const std::string& address) {
    HttpAddress to = *ParseHttpAddress(address);
    fd_ = socket(to.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd_, to.get(), to.size), 0);
  }
  ~Peer() { close(fd_); }

  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Send(absl::string_view bytes) {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // All that comes until the other end closes.
  std::string Rest() {
    std::string rest;
    char bytes[4096];
    ssize_t got;
    while ((got = recv(fd_, bytes, sizeof(bytes), 0)) > 0) {
      rest.append(bytes, got);
    }
    return rest;
  }

 private:
  int fd_;
};

class HttpListenerTest : public ::testing::Test {
 protected:
  void Listen(const HttpListener::Limits& limits = {}) {
    absl::StatusOr<std::unique_ptr<HttpListener>> http = HttpListener::Listen(
        "127.0.0.1:0", limits, [this](absl::string_view path) {
          return HttpAnswer{.code = path == "/a" ? 200 : 404,
                            .body = absl::StrCat(path, body_)};
        });
    ASSERT_THAT(http, IsOk());
    http_ = *std::move(http);
    http_->Start();
  }

  std::string Ask(absl::string_view request) {
    Peer peer(http_->address());
    peer.Send(request);
    return peer.Rest();
  }

  std::string body_ = "\n";
  std::unique_ptr<HttpListener> http_;
};

TEST_F(HttpListenerTest, AnswersAGetAndClosesTheConnection) {
  Listen();
  EXPECT_THAT(
      Ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
            HasSubstr("\r\nContent-Length: 3\r\n"),
            HasSubstr("\r\nConnection: close\r\n"), EndsWith("\r\n\r\n/a\n")));
  EXPECT_THAT(Ask("GET /b HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpListenerTest, KnowsNoQueryAndSendsNoBodyForAHead) {
  Listen();
  EXPECT_THAT(Ask("GET /a?name[]=x HTTP/1.0\n\n"), EndsWith("\r\n\r\n/a\n"));
  EXPECT_THAT(Ask("HEAD /a HTTP/1.1\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 3\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpListenerTest, RefusesWhatIsNoGetOfHttp1) {
  Listen();
  EXPECT_THAT(Ask("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"),
              AllOf(StartsWith("HTTP/1.1 405 "),
                    HasSubstr("\r\nAllow: GET, HEAD\r\n")));
  for (const char* other :
       {"\r\n\r\n", "GET /a\r\n\r\n", "GET\r\n\r\n", "GET /a HTTP/2\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    EXPECT_THAT(Ask(other), StartsWith("HTTP/1.1 400 ")) << other;
  }
}

TEST_F(HttpListenerTest, TakesARequestInPieces) {
  Listen();
  Peer peer(http_->address());
  for (const char c : absl::string_view("GET /a HTTP/1.1\r\nA: b\r\n\r\n")) {
    peer.Send(absl::string_view(&c, 1));
  }
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, RefusesHeadersPastTheirLimit) {
  Listen({.request_bytes = 1000});
  Peer peer(http_->address());
  peer.Send(absl::StrCat("GET /a HTTP/1.1\r\n", std::string(1000, 'x')));
  EXPECT_THAT(peer.Rest(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpListenerTest, SendsAnAnswerThatNoBufferHolds) {
  body_ = std::string(64 << 20, 'v');
  Listen();
  EXPECT_THAT(Ask("GET /a HTTP/1.1\r\n\r\n").size(), testing::Gt(64u << 20));
}

// Slow clients, idle ones, and those that never read.
TEST_F(HttpListenerTest, EndsAnExchangeThatTakesTooLong) {
  Listen({.time = std::chrono::milliseconds(200)});
  Peer idle(http_->address());
  Peer slow(http_->address());
  slow.Send("GET /a HT");
  EXPECT_THAT(idle.Rest(), IsEmpty());
  EXPECT_THAT(slow.Rest(), IsEmpty());

  body_ = std::string(64 << 20, 'v');
  Peer deaf(http_->address());
  deaf.Send("GET /a HTTP/1.1\r\n\r\n");
  EXPECT_THAT(Ask("GET /b HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404"))
      << "nobody waits for it";
  usleep(300'000);
  EXPECT_LT(deaf.Rest().size(), 64u << 20);
}

TEST_F(HttpListenerTest, TheOldestThatSaysNothingMakesRoom) {
  Listen({.connections = 3});
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 3; ++i) {
    silent.push_back(std::make_unique<Peer>(http_->address()));
  }
  EXPECT_THAT(Ask("GET /a HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(silent[0]->Rest(), IsEmpty()) << "it was closed";
  silent[2]->Send("GET /a HTTP/1.1\r\n\r\n");
  EXPECT_THAT(silent[2]->Rest(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpListenerTest, EndsWhileClientsAreConnected) {
  Listen();
  Peer idle(http_->address());
  Peer after(http_->address());
  http_.reset();
  EXPECT_THAT(idle.Rest(), IsEmpty());
}

TEST_F(HttpListenerTest, NamesTheAddressThatItCannotHave) {
  Listen();
  EXPECT_THAT(HttpListener::Listen(http_->address(), {}, nullptr),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(http_->address()),
                             HasSubstr("another process has that port"))));
}

TEST(HttpAddressTest, IsReadAsItIsWritten) {
  for (const char* text : {"127.0.0.1:9464", "0.0.0.0:0", "[::1]:65535"}) {
    absl::StatusOr<HttpAddress> address = ParseHttpAddress(text);
    ASSERT_THAT(address, IsOk()) << text;
    EXPECT_EQ(HttpAddressText(*address), text);
  }
  EXPECT_EQ(HttpAddressText(*ParseHttpAddress("localhost:80")), "127.0.0.1:80");
}

TEST(HttpAddressTest, IsNoneWithoutAnAddressAndAPort) {
  for (const char* text :
       {"", "9464", ":9464", "on", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
        "127.0.0.1:65536", "127.0.0.1:-1", "::1:9464", "[::1]", "[::1:9464",
        "example.org:9464", "http://127.0.0.1:9464"}) {
    EXPECT_THAT(ParseHttpAddress(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("127.0.0.1:9464")))
        << text;
  }
}

}  // namespace
}  // namespace statecpp
