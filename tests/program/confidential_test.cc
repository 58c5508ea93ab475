// SPDX-License-Identifier: Apache-2.0
//
// That what is confidential is recognised, and that a program under every kind
// of trouble tells nothing of it. Every other test of the program looks for it,
// too, by the same code.
#include "tests/program/confidential.h"

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "tests/program/client.h"
#include "tests/program/program.h"
#include "tests/program/served_store.h"
#include "tests/support/test_keys.h"

namespace statecpp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ConfidentialTest, IsRecognisedInALog) {
  KeepItemsOf(wire::BulkSetRequest(Text(R"(
      items { key: "key-of-mallory" value: "value-of-mallory" })")));
  EXPECT_THAT(ConfidentialInLog("level=warning msg=\"no key-of-mallory\""),
              ElementsAre("key-of-mallory"));
  EXPECT_THAT(ConfidentialInLog("got value-of-mallory, it seems"),
              ElementsAre("value-of-mallory"));
  EXPECT_THAT(ConfidentialInLog("level=warning msg=\"key\""), IsEmpty());
}

TEST(ConfidentialTest, IsRecognisedInWhateverFormItIsTold) {
  KeepSecret("\x01\x02 secret of peggy");
  for (const std::string& form :
       {std::string("\x01\x02 secret of peggy"),
        absl::BytesToHexString("\x01\x02 secret of peggy"),
        absl::Base64Escape("\x01\x02 secret of peggy"),
        absl::CEscape("\x01\x02 secret of peggy")}) {
    EXPECT_THAT(ConfidentialInLog("the key is " + form), SizeIs(1)) << form;
  }
}

TEST(ConfidentialTest, InAnErrorIsAllButTheRequestsOwnKeys) {
  const wire::SetRequest own =
      Text(R"(key: "key-of-alice" value: "value-of-alice")");
  KeepItemsOf(own);
  KeepItemsOf(wire::SetRequest(Text(R"(key: "key-of-bobby")")));
  EXPECT_THAT(ConfidentialInError("mismatch on \"key-of-alice\"", own),
              IsEmpty());
  EXPECT_THAT(ConfidentialInError("mismatch on \"key-of-bobby\"", own),
              ElementsAre("key-of-bobby"));
  EXPECT_THAT(ConfidentialInError("not JSON: value-of-alice", own),
              ElementsAre("value-of-alice"));
}

// --- What looks for it.

using LookTest = ServedStoreTest;

TEST_F(LookTest, ALogThatTellsFailsItsTest) {
  // Which the server does print.
  KeepSecret(data_root());
  EXPECT_NONFATAL_FAILURE(
      {
        Program program(ServeOptions());
        program.AwaitLog("ready: ");
      },
      "is in a log");
}

TEST_F(LookTest, AnErrorThatTellsFailsItsTest) {
  Serve();
  Client client(socket_path());
  client.MustInit();
  KeepSecret("time-of-trudy");
  wire::SetRequest set;
  set.set_key("a");
  (*set.mutable_metadata())["ttlInSeconds"] = "time-of-trudy";
  EXPECT_NONFATAL_FAILURE(client.Set(set), "is told to a client");
}

// --- The program. What it should not say is found as it says it.

class TroubleTest : public ServedStoreTest {
 protected:
  static constexpr char kSecretField[] =
      "Y2FuYXJ5LWtleS1tYXRlcmlhbC1vZi0zMi1ieXRlcyE=";

  void SetUp() override {
    Serve();
    client_ = std::make_unique<Client>(socket_path());
    client_->MustInit({{"maxValueSize", "4Ki"}, {"maxTxnOps", "4"}});
    for (const char* name : {"anna", "bert", "carl"}) {
      ASSERT_THAT(client_->SetKey(Key(name), Value(name)), Succeeds());
    }
  }
  static std::string Key(absl::string_view name) {
    return absl::StrCat("shop||customer-", name);
  }
  static std::string Value(absl::string_view name) {
    return absl::StrCat("{\"card\": \"4000-1234-", name, "\"}");
  }
  void ExpectRefused(const grpc::Status& status) {
    EXPECT_FALSE(status.ok()) << "that was to be refused";
  }

  std::unique_ptr<Client> client_;
};

TEST_F(TroubleTest, RequestsThatAreRefused) {
  wire::SetRequest set;
  set.set_key(Key("anna"));
  set.set_value(Value("dora"));
  for (const char* etag : {"0123456789abcdef", "*"}) {
    set.mutable_etag()->set_value(etag);
    ExpectRefused(client_->Set(set).status);
    wire::TransactionalStateRequest transaction;
    transaction.add_operations()->mutable_set()->set_key(Key("bert"));
    *transaction.add_operations()->mutable_set() = set;
    ExpectRefused(client_->Transact(transaction).status);
    wire::BulkSetRequest bulk;
    bulk.add_items()->set_key(Key("bert"));
    *bulk.add_items() = set;
    ExpectRefused(client_->BulkSet(bulk).status);
  }
  set.clear_etag();
  set.mutable_options()->set_concurrency(
      wire::StateOptions::CONCURRENCY_FIRST_WRITE);
  ExpectRefused(client_->Set(set).status);
  set.clear_options();
  (*set.mutable_metadata())["ttlInSeconds"] = "soon";
  ExpectRefused(client_->Set(set).status);
  set.clear_metadata();
  set.set_value(Value(std::string(5000, 'x')));
  ExpectRefused(client_->Set(set).status);
  set.set_value(Value("dora"));
  set.set_content_type(std::string(70'000, 't'));
  ExpectRefused(client_->Set(set).status);
  set.clear_content_type();
  set.set_key(Key(std::string(70'000, 'k')));
  ExpectRefused(client_->Set(set).status);
  set.clear_key();
  ExpectRefused(client_->Set(set).status);
  ExpectRefused(client_
                    ->Query(Text(R"(query { filter { key: "EQ" value {
                        value: "{\"card\": 4000-1234-anna}" } } })"))
                    .status);
  // Too late, or not quite.
  for (int i = 0; i < 3; ++i) {
    client_->StartSet(Key("late"), Value("late"), absl::Microseconds(i))
        ->status();
  }
}

TEST_F(TroubleTest, InitsThatBringASecret) {
  KeepSecret(kSecretField);
  for (const Client::Metadata& properties : std::vector<Client::Metadata>{
           {{"encryptionKey", kSecretField}, {"encryption", "off"}},
           {{"encryptionKey", absl::StrCat(kSecretField, "?")}},
           {{"encryptionKey", kSecretField}, {"maxSize", "large"}},
           {{"encryptionKey", kSecretField}, {"encrptionKey", kSecretField}},
           {{"encryptionKey", kSecretField}, {"dataDir", "other"}}}) {
    client_->Init(properties);
  }
}

TEST_F(TroubleTest, DamageAndWhatFindsIt) {
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  const std::string file = data_root() + "/stores/orders/data.mdb";
  std::string data;
  {
    std::ifstream in(file, std::ios::binary);
    data.assign(std::istreambuf_iterator<char>(in), {});
  }
  // A record's frame is in the fourth page and later; all of it is spoilt.
  for (size_t at = 3 * 4096; at < data.size(); at += 61) data[at] ^= 0x10;
  std::ofstream(file, std::ios::binary) << data;
  ProgramOptions options = ServeOptions();
  Program program(options);
  if (program.AwaitLog("ready: ")) {
    Client client(socket_path());
    for (const char* name : {"anna", "bert", "carl"}) {
      client.ValueOf(Key(name));
      client.SetKey(Key(name), Value("again"));
    }
    client.Query(Text(""));
  }
  program.Signal(SIGKILL);
  program.Wait();
  std::vector<std::string> verify = {"verify", "--data-root", data_root()};
  if (TestsAreSealed()) {
    verify.insert(verify.end(), {"--key-file", key_file()});
  }
  const Outcome found = RunToEnd({.arguments = verify});
  EXPECT_NE(found.exit_code, 0);
  EXPECT_THAT(ConfidentialInLog(found.out), IsEmpty());
}

TEST_F(TroubleTest, AKillAKeyThatIsGoneAndAChangedConfiguration) {
  Restart();
  Client again(socket_path());
  again.ValueOf(Key("anna"));
  again.MustInit({{"maxValueSize", "8Ki"}});
  Kill();
  ProgramOptions without = ServeOptions();
  without.arguments.resize(5);
  Program program(without);
  ASSERT_TRUE(program.AwaitLog("ready: "));
  Client client(socket_path());
  client.ValueOf(Key("bert"));
  client.SetKey(Key("bert"), Value("lost"));
}

}  // namespace
}  // namespace statecpp
