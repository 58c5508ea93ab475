// SPDX-License-Identifier: Apache-2.0
//
// What a server leaves on disk, in its log, in a core file and in /proc: of a
// sealed store neither a key nor a name nor a value. Each search is made to
// find something planted in the very file that it has found nothing in.
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/leaks/leak_scanner.h"
#include "tests/leaks/process_memory.h"
#include "tests/leaks/store_secrets.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;

// Words that stand nowhere by chance.
constexpr absl::string_view kName = "Zwiebelfisch";
constexpr absl::string_view kValue = "Quastenflosser";
constexpr absl::string_view kContentType = "application/x-blindschleiche";

absl::Span<const uint8_t> Bytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string ProcFile(pid_t pid, absl::string_view name) {
  return absl::StrCat("/proc/", pid, "/", name);
}

std::string NameOf(int i) { return absl::StrCat("orders||", kName, "||", i); }

// Of all sizes: in a record's head, in a body of its own, on pages of its own.
std::string ValueOf(int i) {
  const size_t size = i % 10 == 0 ? 20'000 : i % 3 == 0 ? 2'000 : 20;
  std::string value = absl::StrCat(kValue, " ", i, " ");
  while (value.size() < size) value += value;
  return value;
}

wire::SetRequest SetRequestOf(int i) {
  wire::SetRequest request;
  request.set_key(NameOf(i));
  request.set_value(ValueOf(i));
  request.set_content_type(std::string(kContentType));
  return request;
}

// Everything that a client can have a store do, on items `from` to `from` +
// 200.
void UseStore(Client& client, int from) {
  for (int i = from; i < from + 150; ++i) {
    ASSERT_THAT(client.Set(SetRequestOf(i)), Succeeds());
  }
  for (int i = from; i < from + 150; i += 7) {
    EXPECT_EQ(client.ValueOf(NameOf(i)), ValueOf(i));
    ASSERT_THAT(client.SetKey(NameOf(i), ValueOf(i + 1)), Succeeds());
  }
  wire::TransactionalStateRequest transaction;
  wire::BulkSetRequest bulk;
  for (int i = from + 150; i < from + 170; ++i) {
    *transaction.add_operations()->mutable_set() = SetRequestOf(i);
    *bulk.add_items() = SetRequestOf(i + 20);
  }
  ASSERT_THAT(client.Transact(transaction), Succeeds());
  ASSERT_THAT(client.BulkSet(bulk), Succeeds());
  for (int i = from; i < from + 190; i += 4) {
    wire::DeleteRequest request;
    request.set_key(NameOf(i));
    ASSERT_THAT(client.Delete(request), Succeeds());
  }
  wire::SetRequest stale = SetRequestOf(from + 1);
  stale.mutable_etag()->set_value("0000000000000000");
  EXPECT_THAT(client.Set(stale), Not(Succeeds()));
  wire::SetRequest too_large = SetRequestOf(from + 1);
  too_large.mutable_value()->resize(5 << 20, 'x');
  EXPECT_THAT(client.Set(too_large), Not(Succeeds()));
  for (int i = from + 190; i < from + 200; ++i) {
    wire::SetRequest fleeting = SetRequestOf(i);
    (*fleeting.mutable_metadata())["ttlInSeconds"] = "1";
    ASSERT_THAT(client.Set(fleeting), Succeeds());
  }
  AwaitTrue([&] { return client.ValueOf(NameOf(from + 199)) == "(none)"; });
}

// Whether `scanner` finds what is planted in the middle of `content`: without
// that, its silence on `content` means nothing.
void ExpectSees(const LeakScanner& scanner, const std::string& where,
                std::string content, absl::string_view key) {
  const auto run = [key](size_t from) { return Bytes(key.substr(from, 8)); };
  content.insert(
      content.size() / 2,
      absl::StrCat(key.substr(3, 8), ",", HexOf(run(5), false), ",",
                   HexOf(run(24), true), ",", Base64Within(run(7), 1, false),
                   ",", NameOf(1), ",", kValue, ",", kContentType));
  const std::vector<Leak> leaks = scanner.Scan(content);
  for (const LeakForm form :
       {LeakForm::kRaw, LeakForm::kHex, LeakForm::kBase64, LeakForm::kText}) {
    EXPECT_THAT(leaks, Contains(Field(&Leak::form, form))) << where;
  }
}

// A process that does nothing while this lives.
class Stopped {
 public:
  explicit Stopped(Program& program) : program_(program) {
    program_.Signal(SIGSTOP);
    AwaitTrue([this] {
      const std::string stat = ReadFile(ProcFile(program_.pid(), "stat"));
      return absl::StrContains(stat, ") T ");
    });
  }
  ~Stopped() { program_.Signal(SIGCONT); }

  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

 private:
  Program& program_;
};

class LeakTest : public ServedStoreTest {
 protected:
  void TearDown() override {
    for (const auto& [kind, times] : scanned_) {
      RecordProperty(kind, absl::StrCat(times));
    }
  }

  std::string store() const { return data_root() + "/stores/orders"; }

  // Every file below the data root, and those that the process has open though
  // they have no name any more.
  std::vector<std::string> FilesOf(pid_t pid) const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(data_root())) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    if (pid == 0) return files;
    for (const auto& entry : fs::directory_iterator(ProcFile(pid, "fd"))) {
      std::error_code gone;
      const std::string target = fs::read_symlink(entry.path(), gone);
      if (absl::EndsWith(target, " (deleted)") &&
          fs::is_regular_file(entry.path(), gone)) {
        files.push_back(entry.path());
      }
    }
    return files;
  }

  // Of a process that runs it has to be stopped.
  void ExpectNoLeakInFiles(const LeakScanner& scanner, pid_t pid = 0) {
    for (const std::string& file : FilesOf(pid)) {
      EXPECT_THAT(scanner.ScanFile(file), IsEmpty()) << file;
      ++scanned_[KindOf(file)];
    }
  }

  // data.mdb, .json, ...: what the name says the file is.
  static std::string KindOf(const fs::path& file) {
    return file.extension() == ".json" ? "json" : file.filename().string();
  }

  void ExpectSeesInEveryFile(const LeakScanner& scanner,
                             absl::string_view key) {
    for (const std::string& file : FilesOf(0)) {
      ExpectSees(scanner, file, ReadFile(file), key);
    }
  }

  // How often a file of that kind was searched.
  std::map<std::string, int> scanned_;
};

class PlainLeakTest : public LeakTest {};

// The other half of the proof: a scanner that finds them where they are.
TEST_F(PlainLeakTest, NamesValuesAndContentTypesOfAPlainStoreAreFound) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  LeakScanner scanner;
  std::vector<Leak> expected;
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(client.Set(SetRequestOf(i)), Succeeds());
    scanner.AddText(absl::StrCat("name ", i), NameOf(i));
    scanner.AddText(absl::StrCat("value ", i), ValueOf(i).substr(0, 18));
  }
  scanner.AddText("content type", kContentType);
  Kill();
  const std::vector<Leak> leaks = scanner.ScanFile(store() + "/data.mdb");
  const auto is_found = [&leaks](const std::string& what) {
    EXPECT_THAT(leaks, Contains(Field(&Leak::what, what)));
  };
  for (int i = 0; i < 100; ++i) {
    is_found(absl::StrCat("name ", i));
    is_found(absl::StrCat("value ", i));
  }
  is_found("content type");
  // Not even a plain store has them anywhere else.
  EXPECT_THAT(scanner.ScanFile(store() + "/lock.mdb"), IsEmpty());
  EXPECT_THAT(scanner.Scan(server().err()), IsEmpty());
}

// `statecpp serve` with a key of its own, in a file as text, on one sealed
// store. Core files are allowed, and land in the test's folder.
class SealedLeakTest : public LeakTest {
 protected:
  SealedLeakTest() {
    std::ofstream(key_file()) << KeyText() << "\n";
    EXPECT_EQ(chmod(key_file().c_str(), 0400), 0);
    EXPECT_EQ(chmod(dir_.path().c_str(), 0700), 0);
  }

  std::string key_file() const { return dir_.Path("prod.key"); }
  std::string KeyText() const { return absl::Base64Escape(Characters(key_)); }

  static absl::string_view Characters(const Secret& secret) {
    const absl::Span<const uint8_t> bytes = secret.RevealKeyBytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  ProgramOptions SealedOptions(std::vector<std::string> more) const {
    ProgramOptions options = ServeOptions(std::move(more));
    options.working_folder = dir_.path();
    options.limits = {{RLIMIT_CORE, RLIM_INFINITY}};
    return options;
  }

  // Starts the server; the one before is gone.
  void ServeSealed(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--key-file", key_file(), "--allow-core-dumps"});
    ServeWith(SealedOptions(std::move(more)));
  }

  void ServeWith(const ProgramOptions& options) {
    sealed_.reset();
    sealed_ = std::make_unique<Program>(options);
    ASSERT_TRUE(sealed_->AwaitLog("ready: "));
  }

  void End(int signal) {
    sealed_->Signal(signal);
    EXPECT_EQ(sealed_->Wait(), signal == SIGTERM ? 0 : 128 + signal);
    log_ += sealed_->err() + sealed_->out();
  }

  // What a sealed store must keep to itself. Only when nobody serves it.
  LeakScanner ScannerForKeys() const {
    LeakScanner scanner;
    scanner.AddSecret("the master key", key_.RevealKeyBytes());
    MasterKeys keys;
    keys.push_back(MasterKey::FromKey("prod", Secret(key_.RevealKeyBytes())));
    AddKeysOfStore(store(), keys, scanner);
    return scanner;
  }
  static void AddContent(LeakScanner& scanner) {
    scanner.AddSecret("a name", Bytes(kName));
    scanner.AddSecret("a value", Bytes(kValue));
    scanner.AddSecret("a content type", Bytes(kContentType));
    scanner.AddText("a name", kName);
    scanner.AddText("a value", kValue);
    scanner.AddText("a content type", kContentType);
  }

  const Secret key_ = Secret::Random();
  std::unique_ptr<Program> sealed_;
  std::string log_;
};

TEST_F(SealedLeakTest, FilesAndLogHoldNoKeyNoNameAndNoValue) {
  ServeSealed();
  {
    Client client(socket_path());
    ASSERT_THAT(client.Init({{"cleanupInterval", "1s"}}), Succeeds());
    UseStore(client, 0);
    End(SIGKILL);
  }
  LeakScanner scanner = ScannerForKeys();
  AddContent(scanner);
  ExpectNoLeakInFiles(scanner);
  EXPECT_THAT(scanner.Scan(log_), IsEmpty());

  ServeSealed();
  UseStore(*std::make_unique<Client>(socket_path()), 1'000);
  End(SIGTERM);
  ExpectNoLeakInFiles(scanner);
  EXPECT_THAT(scanner.Scan(log_), IsEmpty());

  for (const char* kind : {"data.mdb", "lock.mdb", "json", "LOCK"}) {
    EXPECT_GE(scanned_[kind], 2) << kind;
  }
  ExpectSeesInEveryFile(scanner, Characters(key_));
  ExpectSees(scanner, "the log", log_, Characters(key_));
}

}  // namespace
}  // namespace statecpp
