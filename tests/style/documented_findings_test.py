#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What doctor can find wrong, its table and its tests are the same kinds."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CODE = [*(ROOT / "cli").glob("*_checks.cc"), ROOT / "cli/doctor.cc"]
PAGE = ROOT / "docs/operations.md"
TESTS = [*(ROOT / "tests/program").glob("doctor*_test.cc"),
         ROOT / "cli/store_checks_test.cc"]

COMMENT = re.compile(r"//[^\n]*")
# A kind that a function is handed stands in the call of that.
IN_CODE = re.compile(r'\b(Warning|Fault|SocketNotTried)\(\s*"([a-z-]+)"')
IN_TESTS = re.compile(r'(?<!Not\()Finds\(\s*"(fault|warning)",\s*"([a-z-]+)"'
                      r'|\.(k)ind,\s*"([a-z-]+)"')
LEVELS = {"Warning": "warning", "Fault": "fault", "SocketNotTried": "warning",
          # By CheckFigures, of which all are warnings.
          "k": "warning"}


def found_in_table(page):
    """(level, kind) of each row of: | kind | fault, or *warning* | ..."""
    rows = page.partition("| kind | fault")[2].partition("\n\n")[0]
    for row in rows.splitlines()[2:]:
        _, kinds, what, _ = row.split("|", 3)
        warnings = re.findall(r"\*[^*]+\*", what)
        fault = re.sub(r"\*[^*]+\*", "", what).strip(" ,;.")
        for kind in re.findall(r"`([a-z-]+)`", kinds):
            if fault:
                yield "fault", kind
            if warnings:
                yield "warning", kind


def found_in(files, pattern):
    """(level, kind) of each match that stands in no comment."""
    return {pair for path in files
            for pair in pairs_in(path.read_text(encoding="utf-8"), pattern)}


def pairs_in(text, pattern):
    for groups in pattern.findall(COMMENT.sub("", text)):
        level, kind = [group for group in groups if group]
        yield LEVELS.get(level, level), kind


class DocumentedFindingsTest(unittest.TestCase):
    longMessage = False

    def test_they_are_found_where_they_stand(self):
        self.assertEqual(list(found_in_table(
            "| kind | fault, or *w* | fix |\n|---|---|---|\n"
            "| `a-b`, `c` | `d` is | `e` |\n| `f` | this; *that `g`* | |\n"
            "| `h` | *that* | i |\n\n| `f` |\n")),
            [("fault", "a-b"), ("fault", "c"), ("fault", "f"),
             ("warning", "f"), ("warning", "h")])
        self.assertEqual(list(pairs_in('return Fault(\n    "a-b", path',
                                       IN_CODE)), [("fault", "a-b")])
        self.assertEqual(list(pairs_in(
            'Finds("fault", "a-b",\n Not(Finds("fault", "b",\n'
            '// Finds("fault", "c",\nEXPECT_EQ(f[0].kind, "d");', IN_TESTS)),
            [("fault", "a-b"), ("warning", "d")])

    def test_each_has_its_row(self):
        code = found_in(CODE, IN_CODE)
        self.assertGreater(len(code), 40, f"{ROOT} is not the tree")
        rows = list(found_in_table(PAGE.read_text(encoding="utf-8")))
        self.assertEqual(sorted(rows), sorted(code),
                         f"rows and code differ in {set(rows) ^ code}")

    def test_each_row_says_what_mends_it(self):
        rows = PAGE.read_text(encoding="utf-8").partition("| kind | fault")[2]
        for row in rows.partition("\n\n")[0].splitlines()[2:]:
            self.assertTrue(row.split("|")[3].strip(), row)

    def test_each_is_provoked(self):
        missing = found_in(CODE, IN_CODE) - found_in(TESTS, IN_TESTS)
        self.assertFalse(missing, f"no test provokes {sorted(missing)}")


if __name__ == "__main__":
    unittest.main()
