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

# A kind that a function is handed stands in the call of that.
IN_CODE = re.compile(r'\b(?:Warning|Fault|SocketNotTried)\(\s*"([a-z-]+)"')
IN_TESTS = re.compile(r'(?:Finds\(\s*"(?:fault|warning)",|\.kind,)\s*'
                      r'"([a-z-]+)"')


def kinds_in_table(page):
    """Those of the first column of: | kind | fault, or *warning* | ..."""
    rows = page.partition("| kind | fault")[2].partition("\n\n")[0]
    for row in rows.splitlines()[2:]:
        yield from re.findall(r"`([a-z-]+)`", row.split("|")[1])


def kinds_in(files, pattern):
    return {kind for path in files
            for kind in pattern.findall(path.read_text(encoding="utf-8"))}


class DocumentedFindingsTest(unittest.TestCase):
    longMessage = False

    def test_kinds_are_found_where_they_stand(self):
        self.assertEqual(list(kinds_in_table(
            "| kind | fault, or *w* | fix |\n|---|---|---|\n"
            "| `a-b`, `c` | `d` | `e` |\n\n| `f` |\n")), ["a-b", "c"])
        self.assertEqual(IN_CODE.findall('return Fault(\n    "a-b", path'),
                         ["a-b"])
        self.assertEqual(IN_TESTS.findall('Finds("fault", "a-b",'), ["a-b"])
        self.assertEqual(IN_TESTS.findall('EXPECT_EQ(f[0].kind, "a");'), ["a"])

    def test_each_has_its_row(self):
        code = kinds_in(CODE, IN_CODE)
        self.assertGreater(len(code), 30, f"{ROOT} is not the tree")
        rows = list(kinds_in_table(PAGE.read_text(encoding="utf-8")))
        self.assertEqual(sorted(rows), sorted(code),
                         f"rows and code differ in {set(rows) ^ code}")

    def test_each_is_provoked(self):
        missing = kinds_in(CODE, IN_CODE) - kinds_in(TESTS, IN_TESTS)
        self.assertFalse(missing, f"no test provokes {sorted(missing)}")


if __name__ == "__main__":
    unittest.main()
