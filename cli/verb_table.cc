// SPDX-License-Identifier: Apache-2.0
#include "cli/verb_table.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/end_signals.h"
#include "cli/process_hardening.h"

namespace statecpp {
namespace {

// nullptr if there is none.
const CLI::App* Find(const CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands(
      [&name](const CLI::App* known) { return known->check_name(name); });
  return found.empty() ? nullptr : found.front();
}

bool IsGroup(const CLI::App& app) {
  return !app.get_subcommands([](const CLI::App*) { return true; }).empty();
}

}  // namespace

VerbTable::VerbTable()
    : app_("state.cpp: a state store for Dapr in one file", "statecpp") {
  app_.require_subcommand(1);
  app_.footer(
      "Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 not found, "
      "4 conflict,\n5 damaged, 6 no server, 7 key refused, 70 assertion, "
      "73 lock held, 74 I/O error");
  app_.add_subcommand("help", "Print this text, or that of a verb");
}

CLI::App* VerbTable::Add(const std::string& name, const std::string& help,
                         Action action, Signals signals) {
  const std::vector<std::string> words = absl::StrSplit(name, ' ');
  CLI::App* parent = &app_;
  if (words.size() > 1) parent = app_.get_subcommand(words.front());
  CLI::App* const app = parent->add_subcommand(words.back(), help);
  app->add_flag("--allow-core-dumps", allow_core_dumps_,
                "Let this process be dumped and traced: values, and what is "
                "left of keys, can come into a core file");
  verbs_.push_back({app, std::move(action), signals});
  return app;
}

void VerbTable::AddGroup(const std::string& name, const std::string& help) {
  app_.add_subcommand(name, help)->require_subcommand(1);
}

std::string VerbTable::UnknownVerb(
    const std::vector<std::string>& arguments) const {
  const CLI::App* app = &app_;
  std::string words;
  for (const std::string& word : arguments) {
    if (app == &app_ && word == "help") continue;
    if (!IsGroup(*app) || absl::StartsWith(word, "-")) break;
    absl::StrAppend(&words, words.empty() ? "" : " ", word);
    app = Find(*app, word);
    if (app == nullptr) return words;
  }
  return "";
}

ExitCode VerbTable::Run(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string unknown = UnknownVerb(arguments);
  if (!unknown.empty()) {
    // CLI11 would say that a verb is missing.
    std::cerr << "There is no verb \"" << unknown
              << "\"\nRun with --help for more information.\n";
    return kExitUsage;
  }
  // `help VERB` is `VERB --help`; CLI11 takes its arguments last one first.
  if (!arguments.empty() && arguments.front() == "help") {
    std::rotate(arguments.begin(), arguments.begin() + 1, arguments.end());
    arguments.back() = "--help";
  }
  std::reverse(arguments.begin(), arguments.end());
  try {
    app_.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  // Before any verb reads a key.
  if (!allow_core_dumps_) {
    if (const absl::Status status = ForbidCoreDumps(); !status.ok()) {
      std::cerr << "statecpp: " << status.message() << "\n";
      return kExitUsage;
    }
  }
  for (const Verb& verb : verbs_) {
    if (!verb.app->parsed()) continue;
    if (verb.signals == Signals::kUnblocked) UnblockEndSignals();
    return verb.action();
  }
  return kExitOk;
}

void AddToHelp(CLI::App* verb, const std::string& text) {
  verb->footer(absl::StrCat(text, "\n\n", verb->get_footer()));
}

}  // namespace statecpp
