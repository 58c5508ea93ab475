#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Pages that say "this is tested by ..." must name tests that are there."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = ["docs/errors.md", "docs/first-ten-minutes.md", "docs/limits.md",
         "docs/reliability.md", "docs/traps.md"]
SOURCES = ["api", "cli", "crypto", "engine", "server", "tests"]

NAMED = re.compile(r"`([A-Z]\w+\.(?:[A-Z]|test_)\w+|Test[A-Z]\w*)`")
IN_CXX = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)")
IN_GO = re.compile(r"^func (Test\w+)\(", re.MULTILINE)
IN_PYTHON = re.compile(r"^class (\w+)|^    def (test_\w+)\(", re.MULTILINE)
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
            elif path.suffix == ".py":
                yield from tests_in_python(text)


def tests_in_python(text):
    suite = ""
    for of_class, name in IN_PYTHON.findall(text):
        suite = of_class or suite
        if name:
            yield f"{suite}.{name}"


DAPRDS_CASES = "tests/dapr/integration/cases_test.go"


def cases_in_table(page):
    """The sum of a table's column: | package | cases | ..."""
    rows = page.partition("| package | cases |")[2].partition("\n\n")[0]
    return sum(int(n) for n in re.findall(r"\| (\d+) \|", rows))


class DocumentedTestsTest(unittest.TestCase):
    longMessage = False

    def test_names_are_found_where_they_stand(self):
        self.assertEqual(NAMED.findall("| `FooTest.DoesIt`, `TestIt` | `int` |"),
                         ["FooTest.DoesIt", "TestIt"])
        self.assertEqual(IN_CXX.findall("TEST_F(FooTest,\n       DoesIt) {"),
                         [("FooTest", "DoesIt")])
        self.assertEqual(NAMED.findall("`FooTest.test_it`"), ["FooTest.test_it"])
        self.assertEqual(list(tests_in_python(
            "class FooTest(Base):\n    def test_it(self):\n")),
            ["FooTest.test_it"])
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

    def test_the_page_counts_daprds_own_cases(self):
        code = (ROOT / DAPRDS_CASES).read_text(encoding="utf-8")
        page = (ROOT / "tests/dapr/README.md").read_text(encoding="utf-8")
        taken = re.search(r"^const casesTaken = (\d+)$", code, re.M)[1]
        left = re.findall(r'^\t\t"daprd/', code, re.M)
        self.assertEqual(cases_in_table(page), int(taken),
                         f"the table is not of {taken} cases")
        for words in (f" cases {taken} are taken",
                      f" the {len(left)} cases of these packages"):
            self.assertTrue(words in page, f"not said: {words}")


if __name__ == "__main__":
    unittest.main()
