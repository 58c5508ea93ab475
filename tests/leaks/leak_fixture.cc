// SPDX-License-Identifier: Apache-2.0
#include "tests/leaks/leak_fixture.h"

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/leaks/store_secrets.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Field;
using ::testing::Not;

absl::Span<const uint8_t> Bytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

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

void UseStore(Client& client, int from, int count) {
  const int end = from + count;
  for (int i = from; i < end; ++i) {
    ASSERT_THAT(client.Set(SetRequestOf(i)), Succeeds());
  }
  for (int i = from; i < end; i += 7) {
    EXPECT_EQ(client.ValueOf(NameOf(i)), ValueOf(i));
    ASSERT_THAT(client.SetKey(NameOf(i), ValueOf(i + 1)), Succeeds());
  }
  wire::TransactionalStateRequest transaction;
  wire::BulkSetRequest bulk;
  for (int i = end; i < end + 20; ++i) {
    *transaction.add_operations()->mutable_set() = SetRequestOf(i);
    *bulk.add_items() = SetRequestOf(i + 20);
  }
  ASSERT_THAT(client.Transact(transaction), Succeeds());
  ASSERT_THAT(client.BulkSet(bulk), Succeeds());
  for (int i = from; i < end; i += 4) {
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
}

void LetItemsExpire(Client& client, int from) {
  for (int i = from; i < from + 10; ++i) {
    wire::SetRequest fleeting = SetRequestOf(i);
    (*fleeting.mutable_metadata())["ttlInSeconds"] = "1";
    ASSERT_THAT(client.Set(fleeting), Succeeds());
  }
  AwaitTrue([&] { return client.ValueOf(NameOf(from + 9)) == "(none)"; });
}

std::string ReadFile(const std::string& path) {
  std::string content;
  std::ifstream in(path, std::ios::binary);
  // What stands in /proc says nothing of its size.
  for (char part[64 << 10]; in.read(part, sizeof(part)) || in.gcount() > 0;) {
    content.append(part, static_cast<size_t>(in.gcount()));
  }
  return content;
}

std::string ProcFile(pid_t pid, absl::string_view name) {
  return absl::StrCat("/proc/", pid, "/", name);
}

absl::string_view Characters(const Secret& secret) {
  const absl::Span<const uint8_t> bytes = secret.RevealKeyBytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Stopped::Stopped(Program& program) : program_(program) {
  program_.Signal(SIGSTOP);
  AwaitTrue([this] {
    return absl::StrContains(ReadFile(ProcFile(program_.pid(), "stat")),
                             ") T ");
  });
}

Stopped::~Stopped() { program_.Signal(SIGCONT); }

SealedServerTest::SealedServerTest() {
  EXPECT_EQ(chmod(dir_.path().c_str(), 0700), 0);
}

std::string SealedServerTest::KeyText() const {
  return absl::Base64Escape(Characters(key_));
}

std::string SealedServerTest::WriteFile(absl::string_view name,
                                        absl::string_view text) {
  const std::string path = dir_.Path(name);
  std::ofstream(path) << text;
  EXPECT_EQ(chmod(path.c_str(), 0600), 0);
  return path;
}

std::vector<std::string> SealedServerTest::KeyFile() {
  return {"--key-file", WriteFile("prod.key", KeyText() + "\n")};
}

void SealedServerTest::Serve(std::vector<std::string> flags,
                             std::vector<std::string> environment) {
  flags.push_back("--allow-core-dumps");
  ProgramOptions options = ServeOptions(std::move(flags));
  options.environment = std::move(environment);
  options.working_folder = dir_.path();
  options.limits = {{RLIMIT_CORE, RLIM_INFINITY}};
  server_.reset();
  server_ = std::make_unique<Program>(options);
  ASSERT_TRUE(server_->AwaitLog("ready: "));
}

void SealedServerTest::End(int signal) {
  server_->Signal(signal);
  EXPECT_EQ(server_->Wait(), signal == SIGTERM ? 0 : 128 + signal);
  log_ += server_->err() + server_->out();
}

std::vector<std::string> SealedServerTest::Files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(data_root())) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (!server_->running()) return files;
  for (const auto& entry :
       fs::directory_iterator(ProcFile(server_->pid(), "fd"))) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone);
    if (absl::EndsWith(target, " (deleted)") &&
        fs::is_regular_file(entry.path(), gone)) {
      files.push_back(entry.path());
    }
  }
  return files;
}

LeakScanner SealedServerTest::ScannerFor(
    const MasterKeys& master, const std::vector<std::string>& stores) {
  LeakScanner scanner;
  for (const MasterKey& key : master) {
    if (key.key() != nullptr) {
      scanner.AddSecret("the master key", key.key()->RevealKeyBytes());
    } else {
      scanner.AddSecret("the passphrase",
                        Bytes(key.passphrase()->RevealText()));
    }
  }
  for (const std::string& store : stores) {
    AddKeysOfStore(store, master, scanner);
  }
  return scanner;
}

LeakScanner SealedServerTest::ScannerForKeys() const {
  return ScannerFor(MasterKeysOf(key_), {store_path()});
}

MasterKeys MasterKeysOf(const Secret& key) {
  MasterKeys keys;
  keys.push_back(MasterKey::FromKey("prod", Secret(key.RevealKeyBytes())));
  return keys;
}

void AddContent(LeakScanner& scanner) {
  scanner.AddSecret("a name", Bytes(kName));
  scanner.AddSecret("a value", Bytes(kValue));
  scanner.AddSecret("a content type", Bytes(kContentType));
}

void ExpectSeesKey(const LeakScanner& scanner, const std::string& where,
                   std::string content, absl::string_view key) {
  // No run of 8 bytes is planted twice, so that each is found by itself.
  const auto run = [key](size_t from) { return Bytes(key.substr(from, 8)); };
  content.insert(
      content.size() / 2,
      absl::StrCat(key.substr(0, 8), ",", HexOf(run(8), false), ",",
                   HexOf(run(16), true), ",", Base64Within(run(24), 1, false)));
  const std::vector<Leak> leaks = scanner.Scan(content);
  for (const LeakForm form :
       {LeakForm::kRaw, LeakForm::kHex, LeakForm::kBase64}) {
    EXPECT_THAT(leaks, Contains(Field(&Leak::form, form))) << where;
  }
}

void ExpectSeesContent(const LeakScanner& scanner, const std::string& where,
                       std::string content) {
  content.insert(content.size() / 2,
                 absl::StrCat(NameOf(1), ValueOf(1), kContentType));
  const std::vector<Leak> leaks = scanner.Scan(content);
  for (const char* what : {"a name", "a value", "a content type"}) {
    EXPECT_THAT(leaks, Contains(Field(&Leak::what, what))) << where;
  }
}

}  // namespace statecpp
