#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A checker that cannot fail is none: what check_readme.py must complain of."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_readme  # noqa: E402

PLAIN = "<!-- ci -->"
SERVE = '<!-- ci: serve until "ready" -->'


def block(mark, *lines):
    return "\n".join([mark, "```console", *lines, "```", ""])


class CheckReadmeTest(unittest.TestCase):
    def test_what_is_printed_as_shown_passes(self):
        for lines in (
                ["$ echo one two", "one two"],
                ["$ echo one two; echo three", "one ...", "..."],
                ["$ printf 'a\\nb\\nc\\n'", "a", "c"],
                ["$ x=1", "$ echo \\", "> $x", "1"],
                ["$ cd tests", "$ basename $PWD", "tests"],
        ):
            with self.subTest(lines):
                self.assertEqual(check_readme.check(block(PLAIN, *lines)), (1, 0))

    def test_what_differs_fails(self):
        for lines in (
                ["$ false"],
                ["$ false | true"],
                ["$ exit 3", "$ true"],
                ["$ echo one", "two"],
                ["$ printf 'a\\nb\\n'", "b", "a"],
                ["$ echo one", "one", "one"],
                ["not a command"],
        ):
            with self.subTest(lines):
                self.assertEqual(check_readme.check(block(PLAIN, *lines)), (0, 1))

    def test_a_block_without_a_mark_is_not_run(self):
        self.assertEqual(check_readme.check(block("", "$ false")), (0, 0))
        self.assertEqual(
            check_readme.check(block("<!-- ci -->\n", "$ false")), (0, 0))

    def test_a_server_lives_as_long_as_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            serve = (f"$ trap 'rm {folder}/up; exit' TERM; touch {folder}/up; "
                     "echo ready; while true; do sleep 0.1; done")
            is_there = block(PLAIN, f"$ test -e {folder}/up")
            self.assertEqual(
                check_readme.check(block(SERVE, serve) + is_there), (2, 0))
            self.assertEqual(check_readme.check(is_there), (0, 1))

    def test_a_server_that_ends_early_fails(self):
        self.assertEqual(
            check_readme.check(block(SERVE, "$ echo no; false")), (0, 1))


if __name__ == "__main__":
    unittest.main()
