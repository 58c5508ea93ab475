#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Pages that say "this is tested by ..." must name tests that are there."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = ["docs/errors.md", "docs/limits.md", "docs/traps.md"]
SOURCES = ["api", "cli", "crypto", "engine", "server", "tests"]

NAMED = re.compile(r"`([A-Z]\w+\.[A-Z]\w+|Test[A-Z]\w*)`")
IN_CXX = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)")
IN_GO = re.compile(r"^func (Test\w+)\(", re.MULTILINE)
PATH = re.compile(r"`((?:%s)/[\w/.]+\.\w+)`" % "|".join(SOURCES))


def tests_there_are():
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*_test.*"):
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".cc":
                for suite, name in IN_CXX.findall(text):
                    yield f"{suite}.{name}"
            elif path.suffix == ".go":
                yield from IN_GO.findall(text)


class DocumentedTestsTest(unittest.TestCase):
    longMessage = False

    def test_names_are_found_where_they_stand(self):
        self.assertEqual(NAMED.findall("| `FooTest.DoesIt`, `TestIt` | `int` |"),
                         ["FooTest.DoesIt", "TestIt"])
        self.assertEqual(IN_CXX.findall("TEST_F(FooTest,\n       DoesIt) {"),
                         [("FooTest", "DoesIt")])
        self.assertEqual(PATH.findall("`tests/a_test.cc`, `docs/b.md`"),
                         ["tests/a_test.cc"])

    def test_pages_name_what_is_there(self):
        there = set(tests_there_are())
        self.assertGreater(len(there), 500, f"{ROOT} is not the tree")
        for page in PAGES:
            text = (ROOT / page).read_text(encoding="utf-8")
            named = set(NAMED.findall(text))
            self.assertTrue(named, f"{page} names no test")
            gone = sorted(named - there)
            gone += sorted(path for path in set(PATH.findall(text))
                           if not (ROOT / path).exists())
            self.assertFalse(gone, f"{page} names what is not there: {gone}")


if __name__ == "__main__":
    unittest.main()
