// SPDX-License-Identifier: Apache-2.0
#include "api/errors.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/error_payload.h"

namespace statecpp::error {

absl::Status InvalidField(absl::string_view name, absl::string_view value,
                          absl::string_view expected) {
  // Keys of 16 bytes and more, in hex or base64, are longer than this.
  constexpr size_t kShown = 21;
  const std::string shown =
      value.size() <= kShown
          ? absl::StrCat("\"", absl::Utf8SafeCEscape(value), "\"")
          : absl::StrCat("a text of ", value.size(), " bytes");
  return InvalidArgument(absl::StrCat("metadata field \"", name, "\" is ",
                                      shown, "; expected ", expected,
                                      "; the component was not initialised"));
}

absl::Status RepeatedField(absl::string_view name, absl::string_view other) {
  return InvalidArgument(absl::StrCat(
      "metadata fields \"", absl::CEscape(name.substr(0, 64)), "\" and \"",
      absl::CEscape(other.substr(0, 64)),
      "\" differ in case alone, and names match in any case; remove one; the "
      "component was not initialised"));
}

absl::Status UnknownField(absl::string_view name, absl::string_view nearest) {
  return InvalidArgument(absl::StrCat(
      "metadata field \"", absl::CEscape(name.substr(0, 64)),
      "\" is unknown, and strictMetadata is set; ",
      nearest.empty() ? "" : absl::StrCat("did you mean \"", nearest, "\"? "),
      "correct or remove it; the component was not initialised"));
}

absl::Status RefusedField(absl::string_view name, absl::string_view reason) {
  return InvalidArgument(absl::StrCat("metadata field \"", name,
                                      "\" is not accepted: ", reason,
                                      "; the component was not initialised"));
}

absl::Status TwoKeySources(absl::string_view name, absl::string_view other) {
  return InvalidArgument(absl::StrCat(
      "metadata fields \"", name, "\" and \"", other,
      "\" name a key each, and a store is opened with one; remove one; the "
      "component was not initialised"));
}

absl::Status InstanceNameTooLong(size_t size, size_t limit) {
  return InvalidArgument(
      absl::StrCat("the component's name takes ", size,
                   " bytes as a file name; the limit is ", limit,
                   "; give the component a shorter name; nothing was opened"));
}

absl::Status InstanceNameNotUtf8() {
  return InvalidArgument(
      "the component's name or its \"dataDir\" is not UTF-8; give it a name of "
      "letters, digits and dashes; nothing was opened");
}

absl::Status InstanceRecordUnreadable(absl::string_view instance,
                                      absl::string_view reason) {
  return WithHttpCode(
      absl::UnavailableError(absl::StrCat(
          "what was remembered of instance \"", instance,
          "\" cannot be read: ", reason,
          "; nothing was opened; restart daprd or reload the component, which "
          "configures it anew")),
      503);
}

absl::Status InitUnreadable() {
  return InvalidArgument(
      "the request is not the message that Init takes; the component was not "
      "initialised");
}

absl::Status InvalidTtl(absl::string_view key, absl::string_view value) {
  return InvalidArgument(absl::StrCat(
      "metadata \"ttlInSeconds\" of \"", key, "\" is \"",
      absl::CEscape(value.substr(0, 64)),
      "\"; expected whole seconds up to 2147483647, 0 for no expiry, or -1 for "
      "never, also where the component has a default; nothing was written"));
}

absl::Status UnknownConcurrency(absl::string_view key, int value) {
  return InvalidArgument(absl::StrCat(
      "the concurrency of \"", key, "\" is ", value,
      "; expected 0 (unspecified), 1 (first-write) or 2 (last-write); nothing "
      "was written"));
}

absl::Status NeitherSetNorDelete() {
  return InvalidArgument(
      "the operation is neither a set nor a delete; give it one of the two; "
      "nothing was written");
}

absl::Status ReplyPastLimit(size_t items, uint64_t limit) {
  return WithHttpCode(
      absl::ResourceExhaustedError(absl::StrCat(
          "the reply for ", items, " keys would pass ", limit,
          " bytes even without the values, and daprd receives at most 4194304; "
          "read fewer keys at a time; nothing was returned")),
      413);
}

absl::Status QueryPrefixRequired(absl::string_view prefix) {
  return InvalidArgument(absl::StrCat(
      "the component has queryRequirePrefix, and ",
      prefix.empty()
          ? std::string("the query has no keyPrefix")
          : absl::StrCat("the query's keyPrefix \"",
                         absl::CEscape(prefix.substr(0, 64)),
                         "\" has no \"||\" in it, which bounds nothing"),
      "; give the metadata keyPrefix with the app's own, such as \"myapp||\"; "
      "nothing was read"));
}

absl::Status AdminMessageUnreadable() {
  return InvalidArgument(
      "what came over the admin socket is no message of state.cpp's; it was "
      "left alone");
}

absl::Status AdminRequestUnknown() {
  return absl::UnimplementedError(
      "this server does not know what it is asked; use the statecpp that it "
      "was started from; nothing was done");
}

absl::Status InstanceUnknown(absl::string_view instance) {
  return WithHttpCode(
      absl::UnavailableError(absl::StrCat(
          "component instance \"", instance,
          "\" is not configured here, and nothing is remembered of it; "
          "nothing was read or written; restart daprd, or change its "
          "component, so that it sends Init")),
      503);
}

absl::Status EncryptionDiffers(absl::string_view data_dir) {
  return InvalidArgument(absl::StrCat(
      "the store in dataDir \"", data_dir,
      "\" is open with another value of `encryption`; give the same, or "
      "another dataDir; nothing was changed"));
}

absl::Status SealedButOff(absl::string_view data_dir) {
  return InvalidArgument(absl::StrCat(
      "the store in dataDir \"", data_dir,
      "\" is sealed, and the component says encryption: \"off\"; leave "
      "`encryption` out, or give \"required\", or give another dataDir; "
      "nothing "
      "was opened"));
}

absl::Status NoKeyNamed(absl::string_view instance, absl::string_view dev_key) {
  return KeyRefused(absl::StrCat(
      "there is no key to seal the store of component instance \"", instance,
      "\" with: encryption is \"required\", its default, and neither the "
      "server "
      "nor the component names a key; if there is a store already, start "
      "`statecpp serve --key-file FILE` with the key that `statecpp keys "
      "status` names for it; for a new one make one with `statecpp keygen "
      "FILE`, or, to keep records in clear, give the component encryption: "
      "\"off\", in quotes; ",
      dev_key.empty() ? ""
                      : absl::StrCat("there is ", dev_key,
                                     ", which `statecpp serve --dev` takes; "),
      "nothing was opened"));
}

absl::Status KeyForgotten(absl::string_view instance) {
  return AboutKey(WithHttpCode(
      absl::UnavailableError(absl::StrCat(
          "the key of component instance \"", instance,
          "\" came with its Init, as encryptionKey, and is not remembered "
          "across a restart of the server; restart daprd, or change the "
          "component, so that it sends Init again; or better, start "
          "`statecpp serve --key-file FILE` with that key; nothing was read or "
          "written")),
      503));
}

absl::Status NoKeyFolder(absl::string_view file) {
  return InvalidArgument(absl::StrCat(
      "the component names the key file \"", absl::CEscape(file.substr(0, 256)),
      "\", and the server has no folder for such; start `statecpp serve "
      "--key-dir DIR` with the folder that it is in; nothing was opened"));
}

absl::Status KeyFileOutside(absl::string_view file, absl::string_view folder) {
  return InvalidArgument(absl::StrCat(
      "the component names the key file \"", absl::CEscape(file.substr(0, 256)),
      "\", which is not in the server's --key-dir ", folder,
      "; name a file in it; nothing was read or opened"));
}

}  // namespace statecpp::error
