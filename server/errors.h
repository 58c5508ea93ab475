// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_ERRORS_H_
#define STATECPP_SERVER_ERRORS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Every error of the process's own: its sockets, its keys and its connections.
// For whoever starts the program; no application sees them, but for those about
// calls. The rules are those of engine/errors.h.
namespace statecpp::error {

// --- The component socket ----------------------------------------------------

absl::Status SocketPathTooLong(absl::string_view path, size_t max_path,
                               size_t max_folder);
absl::Status SocketFolderNotAFolder(absl::string_view folder);
// `mode` is that of what has the socket's name.
absl::Status NotASocket(absl::string_view path, mode_t mode);
absl::Status SocketNameHeld(absl::string_view lock, absl::string_view holder);
absl::Status SocketServed(absl::string_view path);
absl::Status SocketGivenUp(absl::string_view path);
// A failed system call. `what` is a phrase: "listen on"; `fix` begins with a
// semicolon or is empty.
absl::Status SocketSystem(absl::string_view what, absl::string_view path,
                          int error_number, absl::string_view fix = "");
// One that failed because of the folder, as a rule.
absl::Status SocketFolderSystem(absl::string_view what, absl::string_view path,
                                int error_number);

// --- Keys --------------------------------------------------------------------

absl::Status KeyInDataRoot(absl::string_view key, absl::string_view data_root);
// `reason` is a phrase: "is not a folder".
absl::Status KeyFolderUnusable(absl::string_view folder,
                               absl::string_view reason);

// --- The acceptor ------------------------------------------------------------

absl::Status AcceptorNotAttached();
absl::Status AcceptorStartedTwice();
absl::Status AcceptorWithoutDescriptors(int error_number);

// --- Calls -------------------------------------------------------------------

absl::Status TooManyCalls(int limit);
absl::Status TooManyBytesInHand(size_t bytes, size_t limit);
absl::Status TooManyUnreadReplies(size_t bytes, size_t limit);
absl::Status TooManyInstances(absl::string_view name, int limit);

// --- The admin socket --------------------------------------------------------

// A failed system call. `what` is a phrase: "bind".
absl::Status AdminSystem(absl::string_view what, absl::string_view path,
                         int error_number);
// A server is there, or may be, and cannot be asked.
absl::Status AdminUnreachable(absl::string_view path, int error_number);
absl::Status NoServer(absl::string_view data_root);
absl::Status ServerIsMute(absl::string_view data_root, absl::Duration patience);
absl::Status AdminPeerGone();
absl::Status AdminPeerSlow();
absl::Status AdminMessageTooLarge(uint64_t size, size_t limit);

absl::Status AdminSocketTaken(absl::string_view path, mode_t mode);
absl::Status AdminBusy(int connections);
// The listener has left (AdminListener).
absl::Status AdminLeft();
// A request came to the wrong place: it is about the server, or about a store.
absl::Status AdminRequestMisplaced();
absl::Status NoStoreOfName(absl::string_view data_dir);
absl::Status NoKeyName(absl::string_view name);
// Of items that an operator names.
absl::Status NoItem(absl::string_view key);
absl::Status EmptyPrefix();

// --- Metrics and probes ------------------------------------------------------

absl::Status NoHttpAddress(absl::string_view text);
// A failed system call. `what` is a phrase: "listen on".
absl::Status HttpSystem(absl::string_view what, absl::string_view address,
                        int error_number);

// Whether the error is that a server did not answer, whatever it was asked.
bool IsUnreachable(const absl::Status& status);

}  // namespace statecpp::error

#endif  // STATECPP_SERVER_ERRORS_H_
