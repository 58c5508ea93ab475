// SPDX-License-Identifier: Apache-2.0
#include "server/errors.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/error_payload.h"

namespace statecpp::error {
namespace {

constexpr absl::string_view kUnreachable = "statecpp/unreachable";

absl::string_view KindOf(mode_t mode) {
  return S_ISREG(mode)   ? "a regular file"
         : S_ISDIR(mode) ? "a folder"
         : S_ISLNK(mode) ? "a symbolic link"
                         : "no socket";
}

absl::Status Unreachable(absl::string_view text) {
  absl::Status status = absl::UnavailableError(text);
  status.SetPayload(kUnreachable, absl::Cord());
  return status;
}

}  // namespace

absl::Status SocketPathTooLong(absl::string_view path, size_t max_path,
                               size_t max_folder) {
  return absl::InvalidArgumentError(
      absl::StrCat("the socket's path ", path, " has ", path.size(),
                   " bytes and a socket's path may have ", max_path,
                   "; give a --socket-folder of at most ", max_folder,
                   " bytes, to daprd as well; nothing was created"));
}

absl::Status SocketFolderNotAFolder(absl::string_view folder) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the socket folder ", folder,
      " is not a folder; remove it or give another --socket-folder; it was "
      "left alone"));
}

absl::Status NotASocket(absl::string_view path, mode_t mode) {
  return absl::InvalidArgumentError(absl::StrCat(
      "where the socket ", path, " should be is ", KindOf(mode),
      "; remove it or give another --socket-folder; it was left alone"));
}

absl::Status SocketNameHeld(absl::string_view lock, absl::string_view holder) {
  return absl::AlreadyExistsError(absl::StrCat(
      "another server holds ", lock, holder.empty() ? "" : " (", holder,
      holder.empty() ? "" : ")",
      "; stop it, or give this one another --socket-folder; nothing of it was "
      "touched"));
}

absl::Status SocketServed(absl::string_view path) {
  return absl::AlreadyExistsError(absl::StrCat(
      "another server answers on ", path,
      "; stop it, or give this one another --socket-folder; its socket was "
      "left alone"));
}

absl::Status SocketSystem(absl::string_view what, absl::string_view path,
                          int error_number, absl::string_view fix) {
  const std::string text =
      absl::StrCat("cannot ", what, " ", path, " as uid ", geteuid(), ": ",
                   strerror(error_number), fix, "; no socket was published");
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::Status SocketFolderSystem(absl::string_view what, absl::string_view path,
                                int error_number) {
  return SocketSystem(what, path, error_number,
                      "; the socket folder has to be writable for this process "
                      "(chown, chmod, or another --socket-folder)");
}

absl::Status SocketGivenUp(absl::string_view path) {
  return absl::InternalError(absl::StrCat(
      "Publish() after Unlink(): the name ", path,
      " was given up and may be another server's; nothing was published"));
}

absl::Status KeyInDataRoot(absl::string_view key, absl::string_view data_root) {
  return KeyRefused(absl::StrCat(
      "the key ", key, " is in the data root ", data_root,
      ", where whoever takes the stores takes the key, too; keep it elsewhere, "
      "or use --dev if nothing here is worth protecting; no key was read"));
}

absl::Status KeyFolderUnusable(absl::string_view folder,
                               absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("--key-dir ", folder, " ", reason,
                   "; name the folder that components' keys are in; nothing "
                   "was opened"));
}

absl::Status AcceptorNotAttached() {
  return absl::InternalError(
      "Acceptor::Start() without AttachTo(): there is no server to hand "
      "connections to; nothing was started");
}

absl::Status AcceptorStartedTwice() {
  return absl::InternalError(
      "Acceptor::Start() was called before, or after Stop(): an acceptor runs "
      "once; nothing was started");
}

absl::Status AcceptorWithoutDescriptors(int error_number) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "cannot accept connections: eventfd() failed: ", strerror(error_number),
      "; raise the limit of open files (ulimit -n, LimitNOFILE); nothing was "
      "started"));
}

absl::Status TooManyCalls(int limit) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the server has all of the ", limit,
          " calls in hand that it may have; nothing was read or written; retry "
          "later")),
      429);
}

absl::Status TooManyBytesInHand(size_t bytes, size_t limit) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the calls in hand take ", bytes, " bytes of the ", limit,
          " that they may, and this one has no room beside them; nothing was "
          "read or written; retry later")),
      429);
}

absl::Status TooManyUnreadReplies(size_t bytes, size_t limit) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the replies that clients have not read yet take ", bytes,
          " bytes of the ", limit,
          " that calls in hand may, and this one has no room beside them; "
          "nothing was changed; retry later")),
      429);
}

absl::Status TooManyInstances(absl::string_view name, int limit) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the server has all of the ", limit,
          " instances open that it may have; start it with a higher "
          "--max-instances; \"",
          absl::CEscape(name),
          "\" was not configured, and nothing was read or written")),
      503);
}

absl::Status AdminSystem(absl::string_view what, absl::string_view path,
                         int error_number) {
  const std::string text =
      absl::StrCat("could not ", what, " ", path, ": ", strerror(error_number));
  return error_number == ENOENT || error_number == ENOTDIR
             ? absl::NotFoundError(text)
             : absl::InternalError(text);
}

absl::Status AdminUnreachable(absl::string_view path, int error_number) {
  const bool forbidden = error_number == EACCES || error_number == EPERM;
  return Unreachable(absl::StrCat(
      "a server may be running, and cannot be asked: could not connect to ",
      path, " as uid ", geteuid(), ": ", strerror(error_number),
      forbidden ? "; run this as the server's user" : "",
      "; nothing was done"));
}

absl::Status NoServer(absl::string_view data_root) {
  return Unreachable(absl::StrCat("no server runs on ", data_root,
                                  " any more; nothing was done"));
}

absl::Status ServerIsMute(absl::string_view data_root,
                          absl::Duration patience) {
  return Unreachable(absl::StrCat(
      "the server of ", data_root, " has not said within ",
      absl::FormatDuration(patience),
      " which stores it has open; it is stopped, or waits for its disk: end "
      "it, or try again; nothing was done"));
}

absl::Status AdminSocketTaken(absl::string_view path, mode_t mode) {
  return absl::InvalidArgumentError(
      absl::StrCat("what has the admin socket's name ", path, " is ",
                   KindOf(mode), "; move it away; it was left alone"));
}

absl::Status AdminBusy(int connections) {
  return Unreachable(absl::StrCat(
      "the server answers ", connections,
      " requests of this kind already; try again when one of them has ended; "
      "nothing was done"));
}

absl::Status AdminLeft() {
  return absl::CancelledError(
      "interrupted before the answer was complete; nothing is known of the "
      "rest, and a change, if one was asked for, may have been made");
}

absl::Status AdminRequestMisplaced() {
  return absl::InternalError("the request is not about a store");
}

absl::Status NoStoreOfName(absl::string_view data_dir) {
  return absl::NotFoundError(
      absl::StrCat("the server's data root has no store \"",
                   absl::CEscape(data_dir), "\"; nothing was done"));
}

absl::Status NoKeyName(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", absl::CEscape(name),
      "\" cannot be the name of a key: it has 1 to 64 letters, digits, dots, "
      "hyphens and underscores; give another with --name; nothing was "
      "changed"));
}

absl::Status NoItem(absl::string_view key) {
  return absl::NotFoundError(absl::StrCat(
      "there is no item \"", absl::Utf8SafeCEscape(key),
      "\", or it has expired; daprd puts the app's id and || before an app's "
      "keys; nothing was changed"));
}

absl::Status EmptyPrefix() {
  return absl::InvalidArgumentError(
      "the prefix is empty, and so are all keys' beginnings; to be rid of a "
      "whole store, stop its server and remove its folder; nothing was "
      "deleted");
}

absl::Status AdminPeerGone() {
  return Unreachable(
      "the server ended the connection before its answer was complete; what "
      "was asked for may have been done or not: look, or ask again");
}

absl::Status AdminPeerSlow() {
  absl::Status status = absl::DeadlineExceededError(
      "the other end of the admin socket is connected, but does not read or "
      "write; the connection was given up");
  status.SetPayload(kUnreachable, absl::Cord());
  return status;
}

absl::Status AdminMessageTooLarge(uint64_t size, size_t limit) {
  return absl::InvalidArgumentError(absl::StrCat(
      "a message of ", size, " bytes on the admin socket; it may have ", limit,
      "; it was not read"));
}

absl::Status NoHttpAddress(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--metrics-address is \"", absl::CEscape(text),
      "\", which is neither \"off\" nor an address and a port, such as "
      "127.0.0.1:9464, [::1]:9464 or localhost:9464; nothing is served"));
}

absl::Status HttpSystem(absl::string_view what, absl::string_view address,
                        int error_number) {
  return absl::UnavailableError(absl::StrCat(
      "could not ", what, " --metrics-address ", address, ": ",
      std::strerror(error_number),
      error_number == EADDRINUSE
          ? "; another process has that port; give this server another one"
          : "",
      error_number == ENOSYS
          ? "; a seccomp profile may allow no such socket (docs/operations.md)"
          : "",
      "; nothing is served"));
}

bool IsUnreachable(const absl::Status& status) {
  return status.GetPayload(kUnreachable).has_value();
}

}  // namespace statecpp::error
