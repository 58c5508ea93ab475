#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What conformance_page.py must not call passed, and must not overlook."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import conformance_page  # noqa: E402


class ConformancePageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(setattr, conformance_page, "PAGE", conformance_page.PAGE)
        conformance_page.PAGE = self.folder / "page.md"

    def results(self, name, **outcomes):
        """A report in which TestUpstreamsSuite/clean/CASE ended like that."""
        path = self.folder / name
        lines = []
        for case, outcome in {"always": "pass", **outcomes}.items():
            test = f"TestUpstreamsSuite/clean/{case}"
            for action in ("run", outcome):
                lines.append(json.dumps({"Package": "x/conformance",
                                         "Test": test, "Action": action}))
        path.write_text("\n".join(lines))
        return path

    def run_main(self, verb, name, **outcomes):
        plain = self.results("plain", **outcomes)
        sealed = self.results("sealed")
        with contextlib.redirect_stdout(io.StringIO()):
            return conformance_page.main(verb, name, plain, sealed)

    def page(self):
        return conformance_page.PAGE.read_text()

    def test_what_was_written_is_what_is_found(self):
        self.assertEqual(self.run_main("write", "dapr 1"), 0)
        self.assertEqual(self.run_main("check", "dapr 1"), 0)
        self.assertIn("| `always` | passed | passed | not run |", self.page())

    def test_a_page_that_says_otherwise_is_a_fault(self):
        self.run_main("write", "dapr 1", set="pass")
        for outcome in ("fail", "skip", "run"):
            with self.subTest(outcome):
                self.assertEqual(
                    self.run_main("check", "dapr 1", set=outcome), 1)
        self.assertEqual(self.run_main("check", "dapr 1"), 1)
        self.assertEqual(self.run_main("check", "dapr 2", set="pass"), 1)

    def test_a_case_that_did_not_pass_shows(self):
        for outcome, word in (("fail", "**failed**"), ("skip", "skipped"),
                              ("run", "**no end**")):
            with self.subTest(outcome):
                self.run_main("write", "dapr 1", set=outcome)
                self.assertIn(f"| `set` | {word} | not run |", self.page())
                self.assertIn("2 of 3 passed", self.page())

    def test_a_section_leaves_the_others_alone(self):
        self.run_main("write", "dapr 1", set="pass")
        self.run_main("write", "dapr 2")
        self.assertEqual(self.run_main("check", "dapr 1", set="pass"), 0)
        self.assertLess(self.page().index("## dapr 2"),
                        self.page().index("## dapr 1"))

    def test_a_run_of_nothing_makes_no_page(self):
        empty = self.folder / "empty"
        empty.write_text("")
        with self.assertRaises(SystemExit):
            conformance_page.main("write", "dapr 1", empty, empty)


if __name__ == "__main__":
    unittest.main()
