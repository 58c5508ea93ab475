// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/as_nobody.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr uid_t kNobody = 65534;
constexpr size_t kMaxSize = 100;

class KeyFileTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text,
                    mode_t mode = 0600) {
    const std::string path = dir_.Path(name);
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string Folder(const std::string& name, mode_t mode) {
    const std::string path = dir_.Path(name);
    EXPECT_EQ(mkdir(path.c_str(), 0700), 0);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);  // past the umask
    return path;
  }

  absl::Status ReadStatus(const std::string& path, bool allow_loose = false) {
    return Read(path, allow_loose).status();
  }

  absl::StatusOr<SecretBytes> Read(const std::string& path,
                                   bool allow_loose = false) {
    return ReadKeyFile({.description = absl::StrCat("key file ", path),
                        .path = path,
                        .max_size = kMaxSize,
                        .allow_loose = allow_loose,
                        .on_warning = [this](absl::string_view text) {
                          warnings_.emplace_back(text);
                        }});
  }

  // The content, or the error.
  std::string Content(const std::string& path, bool allow_loose = false) {
    const absl::StatusOr<SecretBytes> bytes = Read(path, allow_loose);
    if (!bytes.ok()) return bytes.status().ToString();
    return std::string(bytes->RevealText());
  }

  TempDir dir_;
  std::vector<std::string> warnings_;
};

TEST_F(KeyFileTest, WhoeverOwnsItAloneMayReadIt) {
  for (const mode_t mode : {0600, 0400, 0440, 0640, 0700}) {
    EXPECT_EQ(Content(Write("key", "secret", mode)), "secret") << mode;
    std::filesystem::remove(dir_.Path("key"));
  }
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(KeyFileTest, AFileThatOthersCanReadOrChangeIsRefusedWithTheRemedy) {
  for (const mode_t mode : {0644, 0604, 0602, 0660, 0620, 0666, 0777}) {
    const std::string path = Write("key", "secret", mode);
    EXPECT_THAT(
        Read(path),
        StatusIs(kDenied, AllOf(HasSubstr(absl::StrCat("key file ", path)),
                                HasSubstr("chmod g-w,o-rwx " + path),
                                HasSubstr("defaultMode: 0440"),
                                HasSubstr("--allow-loose-key-file"))))
        << mode;
  }
  EXPECT_THAT(ReadStatus(Write("read", "secret", 0644)),
              StatusIs(kDenied, HasSubstr("0644, so that others can read it")));
  EXPECT_THAT(
      ReadStatus(Write("write", "secret", 0660)),
      StatusIs(kDenied, HasSubstr("0660, so that others can change it")));
}

TEST_F(KeyFileTest, TheRemedyHelps) {
  const std::string path = Write("key", "secret", 0666);
  EXPECT_THAT(Read(path), HasCode(kDenied));
  ASSERT_EQ(std::system(("chmod g-w,o-rwx " + path).c_str()), 0);
  EXPECT_EQ(Content(path), "secret");
}

TEST_F(KeyFileTest, AllowLooseReadsItAndWarnsEachTime) {
  const std::string path = Write("key", "secret", 0644);
  EXPECT_EQ(Content(path, true), "secret");
  EXPECT_EQ(Content(path, true), "secret");
  const auto warning = AllOf(
      HasSubstr(path), HasSubstr("mode 0644, so that others can read it"),
      HasSubstr("as --allow-loose-key-file says"), Not(HasSubstr("no key")));
  EXPECT_THAT(warnings_, ElementsAre(warning, warning));
}

TEST_F(KeyFileTest, AllowLooseNeedsNobodyToTell) {
  const std::string path = Write("key", "secret", 0644);
  EXPECT_THAT(ReadKeyFile({.description = "it",
                           .path = path,
                           .max_size = kMaxSize,
                           .allow_loose = true}),
              IsOk());
}

TEST_F(KeyFileTest, AFileOfSomeoneElseIsRefused) {
  const std::string path = Write("key", "secret");
  if (chown(path.c_str(), kNobody, 0) != 0) GTEST_SKIP() << "may not chown";
  EXPECT_THAT(ReadStatus(path),
              StatusIs(kDenied,
                       AllOf(HasSubstr(path), HasSubstr("belongs to uid 65534"),
                             HasSubstr(absl::StrCat("chown ", geteuid())))));
  EXPECT_EQ(Content(path, true), "secret");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("belongs to uid 65534")));
}

// As Kubernetes mounts a secret for a pod with an fsGroup.
TEST_F(KeyFileTest, AFileOfRootWhichOurGroupMayReadIsTaken) {
  const std::string path = Write("key", "secret", 0440);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  if (chown(path.c_str(), 0, kNobody) != 0) GTEST_SKIP() << "may not chown";
  EXPECT_EQ(AsNobody([&] { return Content(path); }), "secret");
}

TEST_F(KeyFileTest, AFileThatMayNotBeReadIsRefused) {
  const std::string path = Write("key", "secret", 0400);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  const auto report = AsNobody([&] { return Content(path); });
  if (geteuid() != 0 || !report.has_value()) GTEST_SKIP() << "not root";
  EXPECT_THAT(*report, AllOf(StartsWith("PERMISSION_DENIED"), HasSubstr(path),
                             HasSubstr("Permission denied")));
}

TEST_F(KeyFileTest, AFolderThatOthersCanWriteIsRefused) {
  const std::string folder = Folder("open", 0777);
  const std::string path = Write("open/key", "secret");
  EXPECT_THAT(ReadStatus(path),
              StatusIs(kDenied, AllOf(HasSubstr(path), HasSubstr("mode 0777"),
                                      HasSubstr("chmod o-w " + folder))));
  EXPECT_EQ(Content(path, true), "secret");
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("mode 0777")));
}

// In such a folder nobody else can replace what is ours.
TEST_F(KeyFileTest, AFolderWithAStickyBitWillDo) {
  Folder("sticky", 01777);
  EXPECT_EQ(Content(Write("sticky/key", "secret")), "secret");
}

TEST_F(KeyFileTest, ALinkOfSomeoneElseInAFolderWithAStickyBitIsRefused) {
  Folder("sticky", 01777);
  const std::string link = dir_.Path("sticky/key");
  std::filesystem::create_symlink(Write("key", "secret"), link);
  EXPECT_EQ(Content(link), "secret");
  if (lchown(link.c_str(), kNobody, 0) != 0) GTEST_SKIP() << "may not chown";
  // The kernel refuses by itself where fs.protected_symlinks is 1.
  EXPECT_THAT(ReadStatus(link),
              StatusIs(kDenied, AnyOf(HasSubstr("mode 1777"),
                                      HasSubstr("Permission denied"))));
}

TEST_F(KeyFileTest, AStickyFolderOfSomeoneElseIsRefused) {
  const std::string folder = Folder("sticky", 01777);
  const std::string path = Write("sticky/key", "secret");
  if (chown(folder.c_str(), kNobody, 0) != 0) GTEST_SKIP() << "may not chown";
  EXPECT_THAT(ReadStatus(path), StatusIs(kDenied, HasSubstr("mode 1777")));
}

// key -> ..data/key, ..data -> ..2026_09_01, as Kubernetes does it.
TEST_F(KeyFileTest, LinksAreFollowed) {
  Folder("..2026_09_01", 0755);
  Write("..2026_09_01/key", "secret", 0440);
  std::filesystem::create_directory_symlink("..2026_09_01",
                                            dir_.Path("..data"));
  std::filesystem::create_symlink("..data/key", dir_.Path("key"));
  EXPECT_EQ(Content(dir_.Path("key")), "secret");
}

TEST_F(KeyFileTest, WhatALinkLeadsToIsJudgedAndNotTheLink) {
  const std::string link = dir_.Path("link");
  std::filesystem::create_symlink(Write("key", "secret", 0644), link);
  EXPECT_THAT(ReadStatus(link), StatusIs(kDenied, HasSubstr("mode 0644")));

  Folder("open", 0777);
  std::filesystem::remove(link);
  std::filesystem::create_symlink(Write("open/key", "secret"), link);
  EXPECT_THAT(ReadStatus(link), StatusIs(kDenied, HasSubstr("mode 0777")));
}

TEST_F(KeyFileTest, AFolderOfALinkIsJudgedToo) {
  Folder("open", 0777);
  const std::string link = dir_.Path("open/link");
  std::filesystem::create_symlink(Write("key", "secret"), link);
  EXPECT_THAT(ReadStatus(link), StatusIs(kDenied, HasSubstr("mode 0777")));
}

TEST_F(KeyFileTest, APathWithoutAFolderIsOneInTheWorkingFolder) {
  Write("key", "secret");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir_.path());
  EXPECT_EQ(Content("key"), "secret");
  std::filesystem::current_path(before);
}

TEST_F(KeyFileTest, NoFileIsAnErrorThatSaysHowToMakeAKey) {
  EXPECT_THAT(ReadStatus(dir_.Path("key")),
              StatusIs(kDenied, AllOf(HasSubstr(dir_.Path("key")),
                                      HasSubstr("does not exist"),
                                      HasSubstr("statecpp keygen"))));
  Write("file", "secret");
  EXPECT_THAT(ReadStatus(dir_.Path("file/key")), HasCode(kDenied));
}

TEST_F(KeyFileTest, AFolderIsRefused) {
  EXPECT_THAT(ReadStatus(dir_.path()),
              StatusIs(kInvalid, AllOf(HasSubstr("is a folder"),
                                       HasSubstr("expected a regular file"))));
}

// Opened as usual it would wait for ever.
TEST_F(KeyFileTest, AFifoThatNobodyWritesIsRefused) {
  const std::string path = dir_.Path("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(ReadStatus(path), StatusIs(kInvalid, HasSubstr("is a FIFO")));
  EXPECT_THAT(ReadStatus(path, true),
              StatusIs(kInvalid, HasSubstr("is a FIFO")));
}

TEST_F(KeyFileTest, ADeviceIsRefused) {
  EXPECT_THAT(ReadStatus("/dev/zero", true),
              StatusIs(kInvalid, HasSubstr("is a device")));
}

TEST_F(KeyFileTest, ASocketIsRefused) {
  const std::string path = dir_.Path("socket");
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  EXPECT_THAT(ReadStatus(path), StatusIs(kInvalid, HasSubstr("is a socket")));
  close(fd);
}

TEST_F(KeyFileTest, ALargeFileIsRefusedUnread) {
  EXPECT_EQ(Content(Write("fits", std::string(kMaxSize, 'x'))),
            std::string(kMaxSize, 'x'));
  EXPECT_THAT(ReadStatus(Write("one more", std::string(kMaxSize + 1, 'x'))),
              StatusIs(kInvalid, AllOf(HasSubstr("101 bytes"),
                                       HasSubstr("limit is 100"))));
  const std::string large = Write("large", "");
  std::filesystem::resize_file(large, 10 << 20);
  EXPECT_THAT(ReadStatus(large),
              StatusIs(kInvalid, HasSubstr("10485760 bytes")));
}

TEST_F(KeyFileTest, AnEmptyFileIsNoBytes) {
  EXPECT_EQ(Content(Write("empty", "")), "");
}

}  // namespace
}  // namespace statecpp
