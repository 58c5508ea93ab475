// SPDX-License-Identifier: Apache-2.0
//
// Which key a server takes, and which files its components may name.
#include "server/server_keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/error_payload.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/dev_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
constexpr absl::StatusCode kDenied = absl::StatusCode::kPermissionDenied;

constexpr char kKey[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

class ServerKeysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& folder : {root(), keys()}) {
      ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
    }
    options_ = {.data_root = root(),
                .on_warning = [this](absl::string_view text) {
                  warnings_.emplace_back(text);
                }};
  }

  std::string root() const { return dir_.Path("data"); }
  std::string keys() const { return dir_.Path("keys"); }

  static void Write(const std::string& path, absl::string_view text) {
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  }
  static std::string Contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  absl::StatusOr<ServerKeys> Open() { return ServerKeys::Open(options_); }

  // What comes of a component that names that key file.
  absl::Status LoadFile(const std::string& file) {
    const absl::StatusOr<ServerKeys> server = Open();
    if (!server.ok()) return server.status();
    return server
        ->Load("orders", {.place = OwnKey::Place::kKeyFile, .text = file},
               std::nullopt)
        .status();
  }

  TempDir dir_;
  ServerKeys::Options options_;
  std::vector<std::string> warnings_;
};

// --- The server's own.

TEST_F(ServerKeysTest, MayHaveNone) {
  const absl::StatusOr<ServerKeys> server = Open();
  ASSERT_THAT(server, IsOk());
  EXPECT_FALSE(server->has_own());
  EXPECT_EQ(server->description(), "none");
  const absl::Status status =
      server->Load("orders", OwnKey(), std::nullopt).status();
  EXPECT_THAT(status, StatusIs(kDenied, Not(HasSubstr("dev.key"))));
  EXPECT_TRUE(error::IsAboutKey(status));
  EXPECT_TRUE(fs::is_empty(root()));
}

TEST_F(ServerKeysTest, LoadsItsOwnAtOnce) {
  options_.source = KeyFileSource(keys() + "/a.key", false);
  const absl::Status missing = Open().status();
  EXPECT_THAT(missing, StatusIs(kDenied, HasSubstr(keys() + "/a.key")));
  EXPECT_TRUE(error::IsAboutKey(missing));
  Write(keys() + "/a.key", "too short");
  EXPECT_THAT(Open(), HasCode(kInvalid));
  Write(keys() + "/a.key", kKey);
  const absl::StatusOr<ServerKeys> server = Open();
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(server->description(), HasSubstr(keys() + "/a.key"));
  EXPECT_THAT(warnings_, IsEmpty());
}

// One that was replaced counts from then on.
TEST_F(ServerKeysTest, ReadsItsOwnAnewEachTime) {
  Write(keys() + "/a.key", kKey);
  options_.source = KeyFileSource(keys() + "/a.key", false);
  const absl::StatusOr<ServerKeys> server = Open();
  ASSERT_THAT(server, IsOk());
  EXPECT_THAT(server->Load("orders", OwnKey(), std::nullopt), IsOk());
  fs::remove(keys() + "/a.key");
  EXPECT_THAT(server->Load("orders", OwnKey(), std::nullopt), HasCode(kDenied));
}

TEST_F(ServerKeysTest, RefusesAKeyThatLiesInTheDataRoot) {
  Write(root() + "/a.key", kKey);
  fs::create_symlink(root() + "/a.key", keys() + "/link.key");
  fs::create_symlink(root(), dir_.Path("link"));
  for (const std::string& path :
       {root() + "/a.key", root() + "//./a.key", keys() + "/link.key",
        dir_.Path("link/a.key"), dir_.Path("keys/../data/a.key")}) {
    options_.source = KeyFileSource(path, false);
    const absl::Status status = Open().status();
    EXPECT_THAT(status,
                StatusIs(kDenied, AllOf(HasSubstr(path), HasSubstr(root()),
                                        HasSubstr("--dev"))));
    EXPECT_TRUE(error::IsAboutKey(status));
  }
  options_.development = true;
  EXPECT_THAT(Open(), IsOk());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("protects nothing")));
}

TEST_F(ServerKeysTest, AFolderThatOnlyBeginsAlikeIsAnother) {
  ASSERT_EQ(mkdir((root() + "-keys").c_str(), 0700), 0);
  Write(root() + "-keys/a.key", kKey);
  options_.source = KeyFileSource(root() + "-keys/a.key", false);
  EXPECT_THAT(Open(), IsOk());
}

// --- For development.

TEST_F(ServerKeysTest, ForDevelopmentMakesAKeyOfItsOwnOnce) {
  options_.development = true;
  const mode_t before = umask(0);
  ASSERT_THAT(Open(), IsOk());
  umask(before);
  const std::string path = root() + "/dev.key";
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, mode_t{0600});
  const std::string text = Contents(path);
  EXPECT_THAT(text, MatchesRegex("[0-9a-f]+\n"));
  EXPECT_EQ(text.size(), 65u);
  EXPECT_THAT(warnings_,
              ElementsAre(AllOf(HasSubstr(path), HasSubstr("protects nothing"),
                                HasSubstr("keygen"))));

  const absl::StatusOr<ServerKeys> again = Open();
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->has_own());
  EXPECT_EQ(Contents(path), text);
  EXPECT_EQ(std::distance(fs::directory_iterator(root()), {}), 1);
}

TEST_F(ServerKeysTest, WhatACrashLeftOfADevKeyIsNoKey) {
  options_.development = true;
  std::ofstream(root() + "/dev.key.new") << "half";
  ASSERT_THAT(Open(), IsOk());
  EXPECT_EQ(Contents(root() + "/dev.key").size(), 65u);
  EXPECT_FALSE(fs::exists(root() + "/dev.key.new"));
}

TEST_F(ServerKeysTest, ForDevelopmentAKeyThatIsGivenCounts) {
  Write(keys() + "/a.key", kKey);
  options_.source = KeyFileSource(keys() + "/a.key", false);
  options_.development = true;
  ASSERT_THAT(Open(), IsOk());
  EXPECT_FALSE(fs::exists(root() + "/dev.key"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ServerKeysTest, ADevKeyIsForDevelopmentAlone) {
  options_.development = true;
  ASSERT_THAT(Open(), IsOk());
  options_.development = false;
  const absl::StatusOr<ServerKeys> server = Open();
  ASSERT_THAT(server, IsOk());
  EXPECT_FALSE(server->has_own());
  EXPECT_THAT(server->Load("orders", OwnKey(), std::nullopt),
              StatusIs(kDenied, AllOf(HasSubstr(root() + "/dev.key"),
                                      HasSubstr("--dev"))));
}

// --- Files that components name.

TEST_F(ServerKeysTest, WithoutAFolderAComponentMayNameNone) {
  EXPECT_THAT(LoadFile("a.key"),
              StatusIs(kInvalid,
                       AllOf(HasSubstr("\"a.key\""), HasSubstr("--key-dir"))));
}

TEST_F(ServerKeysTest, AComponentNamesAFileInTheFolder) {
  options_.key_folder = keys() + "/";
  Write(keys() + "/a.key", kKey);
  ASSERT_EQ(mkdir((keys() + "/team").c_str(), 0700), 0);
  Write(keys() + "/team/b.key", kKey);
  for (const std::string& file :
       {std::string("a.key"), std::string("./a.key"), std::string("team/b.key"),
        keys() + "/a.key"}) {
    EXPECT_THAT(LoadFile(file), IsOk()) << file;
  }
  EXPECT_THAT(LoadFile("absent.key"),
              StatusIs(kDenied, HasSubstr(keys() + "/absent.key")));
}

// As Kubernetes mounts a secret.
TEST_F(ServerKeysTest, AFileMayBeALinkWithinTheFolder) {
  options_.key_folder = keys();
  ASSERT_EQ(mkdir((keys() + "/..2026_11_01").c_str(), 0700), 0);
  Write(keys() + "/..2026_11_01/a.key", kKey);
  fs::create_symlink("..2026_11_01", keys() + "/..data");
  fs::create_symlink("..data/a.key", keys() + "/a.key");
  EXPECT_THAT(LoadFile("a.key"), IsOk());
  // Or the folder itself.
  fs::create_symlink(keys(), dir_.Path("mounted"));
  options_.key_folder = dir_.Path("mounted");
  EXPECT_THAT(LoadFile("a.key"), IsOk());
  EXPECT_THAT(LoadFile(dir_.Path("mounted/a.key")), IsOk());
  EXPECT_THAT(LoadFile(keys() + "/a.key"), IsOk());
}

TEST_F(ServerKeysTest, NothingOutsideTheFolderIsRead) {
  options_.key_folder = keys();
  Write(dir_.Path("outside.key"), kKey);
  ASSERT_EQ(mkdir(dir_.Path("keys2").c_str(), 0700), 0);
  Write(dir_.Path("keys2/a.key"), kKey);
  fs::create_symlink("../outside.key", keys() + "/link.key");
  fs::create_symlink(dir_.path(), keys() + "/up");
  for (const std::string& file :
       {std::string("../outside.key"), std::string("link.key"),
        std::string("up/outside.key"), dir_.Path("outside.key"),
        dir_.Path("keys2/a.key"), keys() + "/../outside.key"}) {
    const absl::Status status = LoadFile(file);
    EXPECT_THAT(status,
                StatusIs(kInvalid, AllOf(HasSubstr("not in the server's"),
                                         HasSubstr(keys()))))
        << file;
    EXPECT_TRUE(error::IsAboutKey(status));
  }
  // Whether there is such a file is not told.
  const absl::Status absent = LoadFile(dir_.Path("absent.key"));
  EXPECT_THAT(absent, StatusIs(kInvalid, HasSubstr("not in the server's")));
}

TEST_F(ServerKeysTest, AFileInTheDataRootIsRefusedHereToo) {
  Write(root() + "/a.key", kKey);
  options_.key_folder = dir_.path();
  ASSERT_EQ(chmod(dir_.path().c_str(), 0700), 0);
  EXPECT_THAT(LoadFile("data/a.key"), HasCode(kDenied));
  options_.development = true;
  EXPECT_THAT(LoadFile("data/a.key"), IsOk());
}

TEST_F(ServerKeysTest, TheFolderHasToBeOne) {
  std::ofstream(dir_.Path("file")) << "x";
  for (const std::string& folder : {dir_.Path("file"), dir_.Path("absent")}) {
    options_.key_folder = folder;
    EXPECT_THAT(Open(), StatusIs(kInvalid, AllOf(HasSubstr("--key-dir"),
                                                 HasSubstr(folder))));
  }
  for (const std::string& folder : {root(), root() + "/"}) {
    options_.key_folder = folder;
    EXPECT_THAT(Open(), HasCode(kDenied));
  }
}

TEST_F(ServerKeysTest, LooseFilesAreReadOnlyIfAsked) {
  options_.key_folder = keys();
  Write(keys() + "/a.key", kKey);
  ASSERT_EQ(chmod((keys() + "/a.key").c_str(), 0644), 0);
  EXPECT_THAT(LoadFile("a.key"), HasCode(kDenied));
  EXPECT_THAT(warnings_, IsEmpty());
  options_.allow_loose = true;
  EXPECT_THAT(LoadFile("a.key"), IsOk());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr(keys() + "/a.key")));
}

}  // namespace
}  // namespace statecpp
