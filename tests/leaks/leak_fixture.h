// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_TESTS_LEAKS_LEAK_FIXTURE_H_
#define STATECPP_TESTS_LEAKS_LEAK_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/master_key.h"
#include "crypto/secret.h"
#include "dapr/proto/components/v1/state.grpc.pb.h"
#include "tests/leaks/leak_scanner.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {

// Words that stand nowhere by chance: in every name, value and content type
// that these tests write.
inline constexpr absl::string_view kName = "Zwiebelfisch";
inline constexpr absl::string_view kValue = "Quastenflosser";
inline constexpr absl::string_view kContentType =
    "application/x-blindschleiche";

std::string NameOf(int i);
std::string ValueOf(int i);
wire::SetRequest SetRequestOf(int i);

// Has the store do everything that a client can, on `count` items and some
// behind them.
void UseStore(Client& client, int from, int count);
// Writes items that live for a second, and waits until they are gone.
void LetItemsExpire(Client& client, int from);

std::string ReadFile(const std::string& path);
std::string ProcFile(pid_t pid, absl::string_view name);
absl::string_view Characters(const Secret& secret);

// A process that does nothing while this lives.
class Stopped {
 public:
  explicit Stopped(Program& program);
  ~Stopped();

  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

 private:
  Program& program_;
};

// `statecpp serve` under a key of its own, on sealed stores, in a folder where
// a core file would be.
//
//   Serve(KeyFile());
//   Client client(socket_path());
//   ASSERT_THAT(client.Init({}), Succeeds());
//   UseStore(client, 0, 150);
//   End(SIGTERM);
//   EXPECT_THAT(ScannerForKeys().Scan(log()), IsEmpty());
//
// The server may be looked into (--allow-core-dumps).
class SealedServerTest : public ServedStoreTest {
 protected:
  SealedServerTest();

  std::string store_path() const { return data_root() + "/stores/orders"; }
  const Secret& key() const { return key_; }
  std::string KeyText() const;  // in base64

  // Writes a file that only we may read, and returns its path.
  std::string WriteFile(absl::string_view name, absl::string_view text);

  // Starts the server with these flags and variables; the one before is gone.
  void Serve(std::vector<std::string> flags,
             std::vector<std::string> environment = {});
  // The flag for a file with the key as text.
  std::vector<std::string> KeyFile();

  Program& server() { return *server_; }
  void End(int signal);
  // What the servers that ended have printed.
  const std::string& log() const { return log_; }

  // Every file below the data root, and those that the server, unless it has
  // ended, has open though they have no name any more.
  std::vector<std::string> Files();

  // Looks for these keys or passphrases, and for the keys of the stores in
  // these folders, which nobody may have open and one of `master` opens.
  static LeakScanner ScannerFor(const MasterKeys& master,
                                const std::vector<std::string>& stores);
  // For key() and the one store.
  LeakScanner ScannerForKeys() const;

 private:
  const Secret key_ = Secret::Random();
  std::unique_ptr<Program> server_;
  std::string log_;
};

MasterKeys MasterKeysOf(const Secret& key);

// Has the scanner look for names, values and content types, too.
void AddContent(LeakScanner& scanner);

// Whether `scanner` finds pieces of `key` in every form when they are planted
// in the middle of `content`: without that, its silence on `content` means
// nothing.
void ExpectSeesKey(const LeakScanner& scanner, const std::string& where,
                   std::string content, absl::string_view key);
// The same with a name, a value and a content type.
void ExpectSeesContent(const LeakScanner& scanner, const std::string& where,
                       std::string content);

}  // namespace statecpp

#endif  // STATECPP_TESTS_LEAKS_LEAK_FIXTURE_H_
