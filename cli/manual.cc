// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "cli/version.h"

namespace statecpp {
namespace {

// Those that --help names, in its order.
std::vector<const CLI::App*> VerbsOf(const CLI::App& app) {
  return app.get_subcommands(
      [](const CLI::App* verb) { return !verb->get_group().empty(); });
}

// Of a verb: `keys add` in two words.
std::string NameOf(const CLI::App& program, const CLI::App& verb) {
  const CLI::App* const group = verb.get_parent();
  if (group == &program || group == nullptr) return verb.get_name();
  return absl::StrCat(group->get_name(), " ", verb.get_name());
}

// Every verb that does something, those of groups included.
std::vector<const CLI::App*> LeavesOf(const CLI::App& program) {
  std::vector<const CLI::App*> leaves;
  for (const CLI::App* const verb : VerbsOf(program)) {
    const std::vector<const CLI::App*> inner = VerbsOf(*verb);
    if (inner.empty()) leaves.push_back(verb);
    leaves.insert(leaves.end(), inner.begin(), inner.end());
  }
  return leaves;
}

bool IsPositional(const CLI::Option& option) {
  return option.get_positional() && option.get_lnames().empty() &&
         option.get_snames().empty();
}

bool TakesValue(const CLI::Option& option) {
  return !option.get_type_name().empty();
}

std::vector<std::string> FlagsOf(const CLI::Option& option) {
  std::vector<std::string> flags;
  for (const std::string& name : option.get_snames())
    flags.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) {
    flags.push_back("--" + name);
  }
  return flags;
}

// --- The page ----------------------------------------------------------------

// As it stands, in man's language: a point or a quote in front would be a word
// of that, and a hyphen is to stay one.
std::string Roff(absl::string_view text) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool obeyed =
        absl::StartsWith(line, ".") || absl::StartsWith(line, "'");
    lines.push_back(
        absl::StrCat(obeyed ? "\\&" : "",
                     absl::StrReplaceAll(line, {{"\\", "\\e"}, {"-", "\\-"}})));
  }
  return absl::StrJoin(lines, "\n");
}

// Lines that man leaves as they are.
std::string Unfilled(absl::string_view text) {
  return absl::StrCat(".PP\n.nf\n", Roff(text), "\n.fi\n");
}

// The text under a verb's flags, and the exit codes behind it, which all share.
std::pair<std::string, std::string> FooterOf(const CLI::App& app) {
  const std::string footer = app.get_footer();
  const size_t codes = footer.find("Exit codes: ");
  if (codes == std::string::npos) return {footer, ""};
  const absl::string_view before = absl::StripTrailingAsciiWhitespace(
      absl::string_view(footer).substr(0, codes));
  return {std::string(before), footer.substr(codes + 12)};
}

std::string OptionPart(const CLI::Option& option) {
  std::string head;
  if (IsPositional(option)) {
    head = absl::StrCat("\\fI", Roff(option.get_name(true)), "\\fR");
  } else {
    head = absl::StrCat("\\fB", Roff(absl::StrJoin(FlagsOf(option), ", ")),
                        "\\fR");
    if (TakesValue(option)) {
      absl::StrAppend(&head, " \\fI", Roff(option.get_type_name()), "\\fR");
    }
  }
  return absl::StrCat(".TP\n", head, "\n", Roff(option.get_description()),
                      "\n");
}

std::string VerbPart(const CLI::App& program, const CLI::App& verb) {
  std::string synopsis =
      absl::StrCat("statecpp ", NameOf(program, verb), " [OPTIONS]");
  std::string options;
  for (const CLI::Option* const option : verb.get_options()) {
    if (option->get_group().empty()) continue;
    if (IsPositional(*option)) {
      const std::string name = option->get_name(true);
      absl::StrAppend(
          &synopsis, " ",
          option->get_required() ? name : absl::StrCat("[", name, "]"));
    }
    options += OptionPart(*option);
  }
  const std::string below = FooterOf(verb).first;
  return absl::StrCat(".SS ", Roff(NameOf(program, verb)), "\n",
                      Roff(verb.get_description()), ".\n.PP\n.B ",
                      Roff(synopsis), "\n", options,
                      below.empty() ? "" : Unfilled(below));
}

// --- Completion --------------------------------------------------------------

std::string NamesOf(const std::vector<const CLI::App*>& verbs) {
  return absl::StrJoin(verbs, " ", [](std::string* out, const CLI::App* verb) {
    absl::StrAppend(out, verb->get_name());
  });
}

std::string FlagWords(const CLI::App& verb) {
  std::vector<std::string> words;
  for (const CLI::Option* const option : verb.get_options()) {
    if (option->get_group().empty()) continue;
    for (std::string& flag : FlagsOf(*option)) words.push_back(std::move(flag));
  }
  return absl::StrJoin(words, " ");
}

// The flags of all verbs whose value is of that type, as bash's pattern.
std::string FlagsOfType(const CLI::App& program, const std::string& type) {
  std::vector<std::string> flags;
  for (const CLI::App* const verb : LeavesOf(program)) {
    for (const CLI::Option* const option : verb->get_options()) {
      if (!TakesValue(*option) || option->get_type_name() != type) continue;
      for (std::string& flag : FlagsOf(*option)) {
        if (std::find(flags.begin(), flags.end(), flag) == flags.end()) {
          flags.push_back(std::move(flag));
        }
      }
    }
  }
  return absl::StrJoin(flags, "|");
}

}  // namespace

std::string ManualPage(const CLI::App& program) {
  std::string page = absl::StrCat(
      ".TH STATECPP 1 \"\" \"statecpp ", kVersion, "\"\n.ad l\n.SH NAME\n",
      "statecpp \\- a state store for Dapr in one file\n",
      ".SH SYNOPSIS\n.B statecpp\n.I VERB\n[OPTIONS]\n.SH VERBS\n");
  for (const CLI::App* const verb : LeavesOf(program)) {
    if (verb->get_name() != "help") page += VerbPart(program, *verb);
  }
  absl::StrAppend(&page, ".SH EXIT STATUS\n",
                  Unfilled(absl::StrReplaceAll(FooterOf(program).second,
                                               {{", ", "\n"}, {",\n", "\n"}})));
  return page;
}

std::string BashCompletion(const CLI::App& program) {
  const std::string verbs = NamesOf(VerbsOf(program));
  std::string groups;
  std::string cases;
  for (const CLI::App* const verb : VerbsOf(program)) {
    const std::vector<const CLI::App*> inner = VerbsOf(*verb);
    if (inner.empty()) continue;
    absl::StrAppend(&groups, groups.empty() ? "" : "|", verb->get_name());
    absl::StrAppend(&cases, "    '", verb->get_name(), "') words='",
                    NamesOf(inner), "' ;;\n");
  }
  for (const CLI::App* const verb : LeavesOf(program)) {
    const std::string words =
        verb->get_name() == "help" ? verbs : FlagWords(*verb);
    absl::StrAppend(&cases, "    '", NameOf(program, *verb), "') words='",
                    words, "' ;;\n");
  }
  return absl::StrReplaceAll(
      R"(# Completes the words of statecpp; made by `statecpp completion`.
_statecpp() {
  local word=${COMP_WORDS[COMP_CWORD]} verb='' words=''
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    @FILES@) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    @FOLDERS@) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
  esac
  [[ $COMP_CWORD -gt 1 ]] && verb=${COMP_WORDS[1]}
  case $verb in
    @GROUPS@) [[ $COMP_CWORD -gt 2 ]] && verb+=" ${COMP_WORDS[2]}" ;;
  esac
  case $verb in
    '') words='@VERBS@' ;;
@CASES@  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -o bashdefault -o default -F _statecpp statecpp
)",
      {{"@FILES@", FlagsOfType(program, "FILE")},
       {"@FOLDERS@", FlagsOfType(program, "DIR")},
       {"@GROUPS@", groups},
       {"@VERBS@", verbs},
       {"@CASES@", cases}});
}

void AddManual(VerbTable& verbs) {
  CLI::App* const manual =
      verbs.Add("manual", "Print the manual page statecpp(1)", [&verbs] {
        std::cout << ManualPage(verbs.program());
        return kExitOk;
      });
  AddToHelp(manual,
            "Example:\n"
            "  mkdir -p /usr/local/share/man/man1\n"
            "  statecpp manual > /usr/local/share/man/man1/statecpp.1");
  CLI::App* const completion = verbs.Add(
      "completion", "Print what completes command lines in bash", [&verbs] {
        std::cout << BashCompletion(verbs.program());
        return kExitOk;
      });
  AddToHelp(completion, "Example:\n  source <(statecpp completion)");
}

}  // namespace statecpp
