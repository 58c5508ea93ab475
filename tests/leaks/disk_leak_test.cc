// SPDX-License-Identifier: Apache-2.0
//
// What a server leaves on disk and in its log: of a sealed store neither a key
// nor a name, a value or a content type. Each search must then find what is
// planted in the very file in which it found nothing.
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"
#include "crypto/secret.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/leaks/leak_fixture.h"
#include "tests/leaks/leak_scanner.h"
#include "tests/leaks/store_secrets.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// An ETag is a number, written in either order of bytes or in hex.
void AddETag(LeakScanner& scanner, const std::string& etag) {
  std::string bytes = absl::HexStringToBytes(etag);
  ASSERT_EQ(bytes.size(), LeakScanner::kRun) << etag;
  for (const char* what : {"an ETag", "an ETag, reversed"}) {
    scanner.AddSecret(what, absl::MakeConstSpan(
                                reinterpret_cast<const uint8_t*>(bytes.data()),
                                bytes.size()));
    std::reverse(bytes.begin(), bytes.end());
  }
}

// The other half of the proof: a scanner that finds them where they are.
class PlainStoreTest : public ServedStoreTest {};

TEST_F(PlainStoreTest, ContentIsFoundInItsDataFileAlone) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  LeakScanner scanner;
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(client.Set(SetRequestOf(i)), Succeeds());
    scanner.AddText(absl::StrCat("name ", i), NameOf(i));
    scanner.AddText(absl::StrCat("value ", i), ValueOf(i).substr(0, 18));
  }
  scanner.AddText("content type", kContentType);
  AddETag(scanner, client.ETagOf(NameOf(1)));
  Kill();
  const std::string store = data_root() + "/stores/orders";
  const std::vector<Leak> leaks = scanner.ScanFile(store + "/data.mdb");
  for (int i = 0; i < 100; ++i) {
    for (const char* what : {"name ", "value "}) {
      EXPECT_THAT(leaks, Contains(Field(&Leak::what, absl::StrCat(what, i))));
    }
  }
  EXPECT_THAT(leaks, Contains(Field(&Leak::what, "content type")));
  EXPECT_THAT(leaks, Contains(Field(&Leak::what, StartsWith("an ETag"))));
  EXPECT_THAT(scanner.ScanFile(store + "/lock.mdb"), IsEmpty());
  EXPECT_THAT(scanner.Scan(server().err()), IsEmpty());
}

class SealedDiskTest : public SealedServerTest {
 protected:
  void ExpectNothingInFiles(const LeakScanner& scanner) {
    std::map<std::string, int> files;
    for (const std::string& file : Files()) {
      EXPECT_THAT(scanner.ScanFile(file), IsEmpty()) << file;
      const std::string content = ReadFile(file);
      ExpectSeesKey(scanner, file, content, Characters(key()));
      ExpectSeesContent(scanner, file, content);
      ++files[fs::path(file).filename()];
    }
    for (const char* name : {"data.mdb", "lock.mdb", "LOCK", "orders.json"}) {
      EXPECT_GE(files[name], 1) << name;
    }
  }

  // The store that is being made aside, whatever there is of it.
  void CopyFilesInTheMaking(const std::string& to) {
    fs::create_directory(to);
    for (const auto& entry :
         fs::recursive_directory_iterator(data_root() + "/stores")) {
      const std::string file = entry.path();
      if (!entry.is_regular_file() || !absl::StrContains(file, "/.new-")) {
        continue;
      }
      fs::copy_file(file, to + "/" + entry.path().filename().string());
    }
  }

  static uint64_t InodeOf(const std::string& folder) {
    struct stat status = {};
    stat((folder + "/data.mdb").c_str(), &status);
    return status.st_ino;
  }

  void ExpectNothingInLog(const LeakScanner& scanner) {
    EXPECT_THAT(scanner.Scan(log()), IsEmpty());
    ExpectSeesKey(scanner, "the log", log(), Characters(key()));
    ExpectSeesContent(scanner, "the log", log());
  }
};

TEST_F(SealedDiskTest, FilesAndLogHoldNeitherKeysNorContent) {
  Serve(KeyFile());
  auto client = std::make_unique<Client>(socket_path());
  ASSERT_THAT(client->Init({{"cleanupInterval", "1s"}}), Succeeds());
  UseStore(*client, 0, 150);
  LetItemsExpire(*client, 500);
  const std::string etag = client->ETagOf(NameOf(1));
  End(SIGKILL);
  LeakScanner scanner = ScannerForKeys();
  AddContent(scanner);
  AddETag(scanner, etag);
  ExpectNothingInFiles(scanner);
  ExpectNothingInLog(scanner);

  Serve(KeyFile());
  client = std::make_unique<Client>(socket_path());
  UseStore(*client, 1'000, 50);
  End(SIGTERM);
  ExpectNothingInFiles(scanner);
  ExpectNothingInLog(scanner);
}

TEST_F(SealedDiskTest, NorDoesTheLogWhenTheKeyIsTheWrongOne) {
  Serve(KeyFile());
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  End(SIGTERM);
  const Secret wrong = Secret::Random();
  const std::string wrong_text = absl::Base64Escape(Characters(wrong));
  Serve({"--key-file", WriteFile("wrong.key", wrong_text)});
  Client client(socket_path());
  const auto answer = client.Init({});
  EXPECT_THAT(answer,
              FailsWith(grpc::StatusCode::PERMISSION_DENIED, HasSubstr("key")));
  End(SIGTERM);
  LeakScanner scanner = ScannerForKeys();
  scanner.AddSecret("the wrong key", wrong.RevealKeyBytes());
  AddContent(scanner);
  ExpectNothingInLog(scanner);
  EXPECT_THAT(scanner.Scan(answer.status.error_message()), IsEmpty());
  for (const std::string& file : Files()) {
    EXPECT_THAT(scanner.ScanFile(file), IsEmpty()) << file;
  }
}

TEST_F(SealedDiskTest, AComponentsKeyIsNotRemembered) {
  Serve({});
  Client client(socket_path());
  ASSERT_THAT(client.Init({{"encryptionKey", KeyText()}}), Succeeds());
  // Another one, which it refuses.
  const Secret wrong = Secret::Random();
  EXPECT_THAT(
      client.Init({{"encryptionKey", absl::Base64Escape(Characters(wrong))}}),
      Not(Succeeds()));
  UseStore(client, 0, 20);
  End(SIGTERM);
  LeakScanner scanner = ScannerForKeys();
  scanner.AddSecret("the wrong key", wrong.RevealKeyBytes());
  AddContent(scanner);
  ExpectNothingInFiles(scanner);
  ExpectNothingInLog(scanner);
}

// While the store is served; what the verbs print is searched like the log.
TEST_F(SealedDiskTest, NorDoFilesWhenKeysHaveChanged) {
  Serve(KeyFile());
  ASSERT_THAT(Client(socket_path()).Init({}), Succeeds());
  End(SIGTERM);
  LeakScanner scanner = ScannerForKeys();
  AddContent(scanner);
  const Secret next = Secret::Random();
  scanner.AddSecret("the next key", next.RevealKeyBytes());
  const std::string next_key =
      WriteFile("next.key", absl::Base64Escape(Characters(next)));
  const std::string keyring = absl::StrCat(
      R"({"version":1,"primary":"next","keys":[{"name":"next","key":")",
      absl::Base64Escape(Characters(next)), R"("},{"name":"prod","key":")",
      KeyText(), R"("}]})");

  Serve({"--keyring-file", WriteFile("keyring.json", keyring)});
  Client client(socket_path());
  UseStore(client, 0, 50);
  const std::vector<std::string> changes[] = {
      {"keys", "add", "--new-key-file", next_key},
      {"keys", "rotate"},
      {"keys", "retire"},
      {"keys", "remove", "prod"},
      {"keys", "status"}};
  for (std::vector<std::string> change : changes) {
    change.insert(change.end(),
                  {"--data-root", data_root(), "--store", "orders"});
    const Outcome outcome = RunToEnd({.arguments = change});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(scanner.Scan(outcome.out + outcome.err), IsEmpty());
  }
  UseStore(client, 1'000, 20);
  End(SIGTERM);
  AddKeysOfStore(store_path(), MasterKeysOf(next), scanner);
  ExpectNothingInFiles(scanner);
  ExpectNothingInLog(scanner);
}

// Tells when something is made in a folder.
class WatchedFolder {
 public:
  explicit WatchedFolder(const std::string& folder) {
    EXPECT_GE(inotify_add_watch(fd_, folder.c_str(), IN_CREATE), 0);
  }
  ~WatchedFolder() { close(fd_); }

  void Await() {
    alignas(inotify_event) char buffer[4096];
    EXPECT_GT(read(fd_, buffer, sizeof(buffer)), 0);
  }

 private:
  const int fd_ = inotify_init1(IN_CLOEXEC);
};

// Of a store that nobody serves: what the verbs print is searched like the log,
// and so is the copy that they make, when it is half done.
TEST_F(SealedDiskTest, NorDoWhatVerbsPrintAndTheCopiesThatTheyMake) {
  const std::string prod_key = KeyFile().back();
  Serve({});
  Client client(socket_path());
  ASSERT_THAT(client.Init({{"encryption", "off"}}), Succeeds());
  UseStore(client, 0, 500);
  End(SIGTERM);
  const std::string copies = dir_.Path("copies");
  fs::create_directory(copies);
  std::string printed;
  // `encrypt` draws the keys that the scanner is to know.
  for (const char* verb : {"encrypt", "compact", "verify"}) {
    const uint64_t former = InodeOf(store_path());
    WatchedFolder folder(data_root() + "/stores");
    Program program({.arguments = {verb, "--data-root", data_root(),
                                   "--key-file", prod_key}});
    if (verb != std::string("verify")) {
      folder.Await();
      // Until they are exchanged; what lies aside then is the former store.
      for (int moment = 0; InodeOf(store_path()) == former; ++moment) {
        const Stopped stopped(program);
        if (InodeOf(store_path()) != former) break;
        CopyFilesInTheMaking(absl::StrCat(copies, "/", verb, moment));
      }
    }
    EXPECT_EQ(program.Wait(), 0) << program.err();
    printed += program.out() + program.err();
  }
  LeakScanner scanner = ScannerForKeys();
  AddContent(scanner);
  EXPECT_THAT(scanner.Scan(printed), IsEmpty());
  ExpectNothingInFiles(scanner);
  uint64_t seen = 0;
  for (const auto& copy : fs::recursive_directory_iterator(copies)) {
    if (!copy.is_regular_file()) continue;
    seen += copy.file_size();
    EXPECT_THAT(scanner.ScanFile(copy.path()), IsEmpty()) << copy.path();
  }
  EXPECT_GT(seen, 0u);
}

// While stores are made and written to the server is stopped again and again,
// and its files are copied, temporary ones included.
TEST_F(SealedDiskTest, NorDoFilesAtAnyMomentMeanwhile) {
  constexpr int kMoments = 20;
  const std::string copies = dir_.Path("copies");
  fs::create_directory(copies);
  Serve(KeyFile());
  Client client(socket_path());
  ASSERT_THAT(client.Init({}), Succeeds());
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    for (int i = 0; !enough; ++i) {
      EXPECT_THAT(client.Set(SetRequestOf(i % 500)), Succeeds());
    }
  });
  std::vector<std::string> stores = {store_path()};
  int in_the_making = 0;
  for (int moment = 0; moment < kMoments; ++moment) {
    const std::string name = absl::StrCat("another", moment);
    stores.push_back(data_root() + "/stores/" + name);
    WatchedFolder folder(data_root() +
                         (moment % 2 == 0 ? "/stores" : "/instances"));
    Client another(socket_path(), name);
    const auto init = another.StartInit({});
    folder.Await();
    const Stopped stopped(server());
    for (const std::string& file : Files()) {
      in_the_making +=
          absl::StrContains(file, "/.new-") || absl::EndsWith(file, ".tmp");
      const std::string flat = absl::StrReplaceAll(file, {{"/", "%"}});
      fs::copy_file(file, absl::StrCat(copies, "/", moment, flat));
    }
  }
  enough = true;
  writer.join();
  End(SIGTERM);
  EXPECT_GT(in_the_making, 0);
  LeakScanner scanner = ScannerFor(MasterKeysOf(key()), stores);
  AddContent(scanner);
  for (const auto& copy : fs::directory_iterator(copies)) {
    EXPECT_THAT(scanner.ScanFile(copy.path()), IsEmpty()) << copy.path();
  }
}

}  // namespace
}  // namespace statecpp
