// SPDX-License-Identifier: Apache-2.0
//
// What tests/program/manual_test.cc cannot see on the flags there are.
#include "cli/manual.h"

#include <CLI/CLI.hpp>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace statecpp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ManualPageTest, TextIsNeverTakenForWordsOfMan) {
  CLI::App program("", "statecpp");
  program.add_subcommand("verb", ".SH of no page\n'quoted'\\end -x");
  EXPECT_THAT(ManualPage(program),
              HasSubstr("\n\\&.SH of no page\n\\&'quoted'\\eend \\-x."));
}

TEST(ManualPageTest, WhatHelpHidesIsHidden) {
  CLI::App program("", "statecpp");
  program.add_subcommand("hidden", "")->group("");
  program.add_subcommand("shown", "")->add_flag("--secret")->group("");
  EXPECT_THAT(ManualPage(program),
              AllOf(HasSubstr(".SS shown\n"), Not(HasSubstr("hidden")),
                    Not(HasSubstr("secret"))));
  EXPECT_THAT(BashCompletion(program),
              AllOf(HasSubstr("'shown')"), Not(HasSubstr("hidden")),
                    Not(HasSubstr("secret"))));
}

}  // namespace
}  // namespace statecpp
