// SPDX-License-Identifier: Apache-2.0
//
// The manual page and bash's completion: made of the flags themselves, so they
// name every one.
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/program/program.h"
#include "tests/support/temp_dir.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::string Printed(std::vector<std::string> arguments) {
  const Outcome outcome = RunToEnd({.arguments = std::move(arguments)});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome.out;
}

// The names in the list of verbs that a help text has.
std::vector<std::string> VerbsIn(const std::string& help) {
  std::vector<std::string> verbs;
  const size_t at = help.find("Subcommands:\n");
  if (at == std::string::npos) return verbs;
  for (const absl::string_view line :
       absl::StrSplit(help.substr(at + 13), '\n')) {
    if (line.substr(0, 2) != "  ") break;
    const absl::string_view name = line.substr(2, line.find(' ', 2) - 2);
    if (name != "help") verbs.emplace_back(name);
  }
  return verbs;
}

// Every verb that does something; `keys add` in two words.
std::vector<std::string> AllVerbs() {
  std::vector<std::string> all;
  for (const std::string& verb : VerbsIn(Printed({"help"}))) {
    const std::vector<std::string> inner = VerbsIn(Printed({verb, "--help"}));
    if (inner.empty()) all.push_back(verb);
    for (const std::string& word : inner) {
      all.push_back(absl::StrCat(verb, " ", word));
    }
  }
  return all;
}

std::vector<std::string> Words(const std::string& text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

// The long flags that the help text of a verb begins lines with.
std::set<std::string> FlagsIn(const std::string& help) {
  std::set<std::string> flags;
  for (const absl::string_view line : absl::StrSplit(help, '\n')) {
    if (line.substr(0, 3) != "  -") continue;
    const size_t at = line.find("--");
    flags.emplace(line.substr(at, line.find_first_of(" ,", at) - at));
  }
  return flags;
}

// What bash offers when the words of a line are these, the last of them not yet
// complete.
std::vector<std::string> Completed(const std::vector<std::string>& line) {
  const TempDir dir;
  std::ofstream(dir.Path("script")) << Printed({"completion"});
  std::string words;
  for (const std::string& word : line) absl::StrAppend(&words, " '", word, "'");
  const std::string command =
      absl::StrCat("source ", dir.Path("script"), "; cd ", dir.path(),
                   "; COMP_WORDS=(", words, "); COMP_CWORD=", line.size() - 1,
                   "; _statecpp; printf '%s\\n' \"${COMPREPLY[@]}\"");
  std::ofstream(dir.Path("command")) << command;
  FILE* const shell =
      popen(absl::StrCat("bash --norc ", dir.Path("command")).c_str(), "r");
  std::string out;
  for (int c = fgetc(shell); c != EOF; c = fgetc(shell)) {
    out.push_back(static_cast<char>(c));
  }
  EXPECT_EQ(pclose(shell), 0);
  return Words(out);
}

TEST(ManualTest, EveryVerbHasAnExampleAndTakesJson) {
  for (const std::string& verb : AllVerbs()) {
    std::vector<std::string> arguments = Words(verb);
    arguments.push_back("--help");
    const std::string help = Printed(arguments);
    EXPECT_THAT(help, HasSubstr("Example:\n  ")) << verb;
    // Their output is not for people, or not for an end.
    if (verb == "serve" || verb == "manual" || verb == "completion") continue;
    EXPECT_THAT(help, HasSubstr("--json")) << verb;
  }
}

TEST(ManualTest, ThePageNamesEveryVerbAndFlagAndExitCode) {
  const std::string page =
      absl::StrReplaceAll(Printed({"manual"}), {{"\\-", "-"}, {"\\e", "\\"}});
  EXPECT_EQ(page.substr(0, 14), ".TH STATECPP 1");
  const std::vector<std::string> verbs = AllVerbs();
  EXPECT_THAT(verbs, IsSupersetOf({"serve", "get", "keys add", "version"}));
  for (const std::string& verb : verbs) {
    const size_t at = page.find(absl::StrCat("\n.SS ", verb, "\n"));
    ASSERT_NE(at, std::string::npos) << verb;
    const std::string part = page.substr(at, page.find("\n.SS ", at + 1) - at);
    std::vector<std::string> arguments = Words(verb);
    arguments.push_back("--help");
    for (const std::string& flag : FlagsIn(Printed(arguments))) {
      EXPECT_THAT(part, HasSubstr(flag + "\\fR")) << verb;
    }
    EXPECT_THAT(part.substr(0, part.find("\n.SH ")),
                AllOf(HasSubstr("Example:"), Not(HasSubstr("Exit codes"))));
  }
  EXPECT_THAT(page, AllOf(HasSubstr(".SH EXIT STATUS"), HasSubstr("\n0 ok\n"),
                          HasSubstr("\n74 I/O error")));
}

// What begins with a point is a word of man's own language.
TEST(ManualTest, ThePageSaysNothingThatManWouldObeyByMistake) {
  const std::set<std::string> known = {".TH", ".ad", ".SH", ".SS", ".PP",
                                       ".TP", ".B",  ".I",  ".nf", ".fi"};
  for (const absl::string_view line :
       absl::StrSplit(Printed({"manual"}), '\n')) {
    EXPECT_NE(line.substr(0, 1), "'") << line;
    if (line.substr(0, 1) != ".") continue;
    EXPECT_EQ(known.count(std::string(line.substr(0, line.find(' ')))), 1u)
        << line;
  }
}

TEST(ManualTest, BashCompletesVerbs) {
  EXPECT_THAT(Completed({"statecpp", ""}), IsSupersetOf({"serve", "keys"}));
  EXPECT_THAT(Completed({"statecpp", "ver"}),
              ::testing::UnorderedElementsAre("verify", "version"));
  EXPECT_THAT(Completed({"statecpp", "keys", "r"}),
              ::testing::UnorderedElementsAre("remove", "rotate", "retire"));
  EXPECT_THAT(Completed({"statecpp", "help", "ver"}),
              ::testing::UnorderedElementsAre("verify", "version"));
  EXPECT_THAT(Completed({"statecpp", "nonsense", ""}), IsEmpty());
}

TEST(ManualTest, BashCompletesFlagsAndFiles) {
  EXPECT_THAT(Completed({"statecpp", "get", "--me"}),
              ::testing::ElementsAre("--meta"));
  EXPECT_THAT(Completed({"statecpp", "keys", "add", "--new-k"}),
              ::testing::ElementsAre("--new-key-file"));
  // `script` and `command` are in the folder.
  EXPECT_THAT(Completed({"statecpp", "get", "--key-file", "scr"}),
              ::testing::ElementsAre("script"));
  EXPECT_THAT(Completed({"statecpp", "get", "--data-root", "scr"}), IsEmpty());
}

}  // namespace
}  // namespace statecpp
