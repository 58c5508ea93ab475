// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_VERB_TABLE_H_
#define STATECPP_CLI_VERB_TABLE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/exit_code.h"

namespace statecpp {

// What `statecpp` can do: one verb for each file that adds itself.
//
//   void AddHealth(VerbTable& verbs) {
//     auto flags = std::make_shared<HealthFlags>();
//     CLI::App* verb = verbs.Add("health", "Ask the server whether …",
//                                [flags] { return CheckHealth(*flags); });
//     verb->add_option("--socket-folder", flags->socket_folder, "…");
//   }
class VerbTable {
 public:
  using Action = std::function<ExitCode()>;

  // SIGTERM and SIGINT are blocked in main. A verb that waits for them itself
  // keeps them so; any other is ended by them, as is usual.
  enum class Signals { kUnblocked, kBlocked };

  VerbTable();

  VerbTable(const VerbTable&) = delete;
  VerbTable& operator=(const VerbTable&) = delete;

  // Adds a verb, to which the caller adds flags. It has --allow-core-dumps
  // already: without it a process of any verb is not dumped (ForbidCoreDumps).
  // `action` is run once, after the flags have been read; what they are read
  // into is best shared with it. The name may be of two words, the first of
  // which is that of a group.
  CLI::App* Add(const std::string& name, const std::string& help, Action action,
                Signals signals = Signals::kUnblocked);

  // A word that is no verb by itself: `key`, before Add("key add", …).
  void AddGroup(const std::string& name, const std::string& help);

  // All verbs and flags, for whoever describes them.
  const CLI::App& program() const { return app_; }

  // Runs the verb that the arguments name and returns its exit code. `help`,
  // and a verb or a flag that there is not, are answered here.
  ExitCode Run(int argc, char** argv);

 private:
  struct Verb {
    const CLI::App* app;
    Action action;
    Signals signals;
  };

  // The words of the arguments up to the first that names nothing; empty when
  // there is no such word.
  std::string UnknownVerb(const std::vector<std::string>& arguments) const;

  CLI::App app_;
  std::vector<Verb> verbs_;
  bool allow_core_dumps_ = false;
};

// Puts a text before the exit codes in the help of a verb: what it prints, or
// how it is used, one line for each.
void AddToHelp(CLI::App* verb, const std::string& text);

}  // namespace statecpp

#endif  // STATECPP_CLI_VERB_TABLE_H_
