#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Which mistakes mutants.py makes, and what it counts."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import coverage  # noqa: E402
import mutants  # noqa: E402


class MutantsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.kept = mutants.ROOT, mutants.LEDGER, mutants.EQUIVALENT
        mutants.ROOT = self.folder
        mutants.LEDGER = self.folder / "mutants.jsonl"
        mutants.EQUIVALENT = self.folder / "equivalent_mutants.txt"

    def tearDown(self):
        mutants.ROOT, mutants.LEDGER, mutants.EQUIVALENT = self.kept

    def made_of(self, code):
        (self.folder / "a.cc").write_text(code)
        return {mutant.text for mutant in mutants.mutants_of("a.cc")}

    def test_comparisons_move_by_one_and_turn(self):
        self.assertEqual(self.made_of("  return a < b && c;\n"),
                         {"  return a <= b && c;", "  return a < b || c;"})

    def test_a_condition_is_turned_as_a_whole(self):
        self.assertIn("  if (!(f(a) || b)) return 0;",
                      self.made_of("  if (f(a) || b) return 0;\n"))

    def test_a_condition_that_declares_is_not_turned(self):
        self.assertNotIn("!(", "".join(self.made_of(
            "  if (absl::Status s = f(); !s.ok()) {\n")))

    def test_a_call_is_left_out(self):
        self.assertIn("  ;", self.made_of("  Sync(fd);\n"))

    def test_words_and_remarks_stay(self):
        self.assertEqual(self.made_of('  return "a < b 1";  // 7 true\n'), set())

    def test_what_is_the_same_program_does_not_count(self):
        (self.folder / "mutants.jsonl").write_text("\n".join(
            json.dumps({"date": "", "line": line, "mutant": name,
                        "noticed": noticed})
            for line, name, noticed in (
                (1, "engine/a.cc: x: 1", "a_test"), (2, "engine/a.cc: x: 2", ""),
                (3, "engine/a.cc: x: 3", ""), (4, "engine/b.cc: y: 4", ""),
                # Noticed later on.
                (4, "engine/b.cc: y: 4", "b_test"))) + "\n")
        (self.folder / "equivalent_mutants.txt").write_text(
            "# Why.\nengine/a.cc: x: 3 -- nothing depends on it\n")
        page = mutants.page()
        self.assertIn("**2 of 3 noticed: 66.7 %.**", page)
        self.assertIn("| engine/a.cc | 2 | 1 |", page)
        self.assertIn("- `engine/a.cc: x: 2` (line 2)", page)
        self.assertNotIn("x: 3", page)
        self.assertNotIn("y: 4`", page)


class CoverageTest(unittest.TestCase):
    def test_a_line_is_missed_where_only_regions_begin_that_never_ran(self):
        # Line, column, count, has a count, begins a region, is a gap.
        self.assertEqual(coverage.missed_lines([
            [1, 1, 5, True, True, False], [2, 9, 0, True, True, False],
            [3, 1, 0, True, True, False], [3, 9, 2, True, True, False],
            [4, 1, 0, True, True, True], [5, 1, 0, False, False, False],
        ]), [2])


if __name__ == "__main__":
    unittest.main()
