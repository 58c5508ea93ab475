// SPDX-License-Identifier: Apache-2.0
//
// The program: reads flags, runs one verb, exits with its code.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "api/metadata_value.h"
#include "cli/exit_code.h"
#include "cli/health.h"
#include "cli/serve.h"
#include "cli/version.h"

namespace statecpp {
namespace {

// A duration in Go's syntax, as everywhere in Dapr.
void AddDuration(CLI::App* verb, const char* name, absl::Duration& duration,
                 const char* help) {
  verb->add_option_function<std::string>(
          name,
          [&duration, name](const std::string& text) {
            const std::optional<absl::Duration> parsed = ParseDuration(text);
            if (!parsed.has_value() || *parsed < absl::ZeroDuration()) {
              throw CLI::ValidationError(
                  name, "\"" + text + "\" is not a duration such as 30s or 2m");
            }
            duration = *parsed;
          },
          help)
      ->type_name("DURATION");
}

CLI::App* AddServe(CLI::App& app, ServeFlags& flags) {
  CLI::App* serve = app.add_subcommand(
      "serve", "Serve component type state.cpp on daprd's socket folder");
  serve
      ->add_option("--data-root", flags.data_root,
                   "Folder that keeps the state; made if it is not there")
      ->type_name("DIR")
      ->envname("STATECPP_DATA_ROOT");
  serve->add_flag("--dev", flags.dev,
                  "For development: the data root is ./.statecpp unless named");
  serve
      ->add_option("--socket-folder", flags.socket_folder,
                   "daprd's folder of component sockets; else "
                   "$DAPR_COMPONENTS_SOCKETS_FOLDER, "
                   "$DAPR_COMPONENT_SOCKETS_FOLDER, "
                   "$DAPR_COMPONENT_SOCKET_FOLDER, "
                   "/tmp/dapr-components-sockets")
      ->type_name("DIR");
  serve
      ->add_option("--socket-mode", flags.socket_mode,
                   "Permissions of the socket, octal; auto: 0660, as root 0666")
      ->type_name("MODE");
  serve
      ->add_option("--allow-uid", flags.allow_uids,
                   "Serve connections of this user id only; may be repeated")
      ->type_name("UID");
  serve
      ->add_option("--max-connections", flags.max_connections,
                   "Connections open at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  AddDuration(serve, "--wait-lock", flags.wait_lock,
              "Wait this long for another process to let go of the data root");
  AddDuration(serve, "--drain-timeout", flags.drain_timeout,
              "At SIGTERM, serve the connections there are for up to this "
              "long");
  serve->add_flag("--allow-network-fs", flags.allow_network_fs,
                  "Serve from NFS and its kin all the same; can lose data");
  serve->add_flag("--allow-core-dumps", flags.allow_core_dumps,
                  "Let this process be dumped and traced: values, and what is "
                  "left of keys, can come into a core file");
  serve->add_flag("--require-mlock", flags.require_mlock,
                  "Do not start, instead of warning, where keys could come "
                  "into swap because memory cannot be locked");
  return serve;
}

// The verb that is meant, of `VERB ...` or `help VERB`; empty for none.
std::string VerbOf(const std::vector<std::string>& arguments) {
  const size_t at = !arguments.empty() && arguments[0] == "help" ? 1 : 0;
  const std::string verb = at < arguments.size() ? arguments[at] : "";
  return absl::StartsWith(verb, "-") ? "" : verb;
}

bool HasVerb(const CLI::App& app, const std::string& verb) {
  const auto verbs = app.get_subcommands(
      [&verb](const CLI::App* known) { return known->check_name(verb); });
  return !verbs.empty();
}

int Main(int argc, char** argv) {
  BlockSignals();
  CLI::App app("state.cpp: a state store for Dapr in one file", "statecpp");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 ok, 1 failed, 2 usage or configuration, 5 damaged, "
      "6 no server, 70 assertion, 73 lock held, 74 I/O error");

  ServeFlags serve_flags;
  CLI::App* const serve = AddServe(app, serve_flags);

  std::string socket_folder;
  absl::Duration wait = absl::ZeroDuration();
  CLI::App* const health =
      app.add_subcommand("health", "Ask the server whether it is serving");
  health
      ->add_option("--socket-folder", socket_folder,
                   "Where the server's socket is; chosen as by serve")
      ->type_name("DIR");
  AddDuration(health, "--wait", wait, "Wait this long until it is");

  CLI::App* const version = app.add_subcommand("version", "Print the version");
  app.add_subcommand("help", "Print this text, or that of a verb");

  // `help VERB` is `VERB --help`; CLI11 takes its arguments last one first.
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string verb = VerbOf(arguments);
  if (!verb.empty() && !HasVerb(app, verb)) {
    // CLI11 would say that a verb is missing.
    std::cerr << "There is no verb \"" << verb
              << "\"\nRun with --help for more information.\n";
    return kExitUsage;
  }
  if (!arguments.empty() && arguments.front() == "help") {
    std::rotate(arguments.begin(), arguments.begin() + 1, arguments.end());
    arguments.back() = "--help";
  }
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (*serve) return Serve(serve_flags);
  if (*health) return CheckHealth(socket_folder, wait);
  if (*version) std::cout << "statecpp " << kVersion << "\n";
  return kExitOk;
}

}  // namespace
}  // namespace statecpp

int main(int argc, char** argv) { return statecpp::Main(argc, argv); }
