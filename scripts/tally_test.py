#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What tally.py must not count as passed."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tally  # noqa: E402

GTEST_XML = """<testsuites><testsuite>
<testcase name="A" classname="S" status="run" result="completed"/>
<testcase name="B" classname="S" status="run"><failure message="no"/></testcase>
<testcase name="C" classname="S" status="notrun" result="suppressed"/>
<testcase name="D" classname="S" status="run"><skipped message="x"/></testcase>
</testsuite></testsuites>"""


def configured(label):
    return {"id": {"targetConfigured": {"label": label}},
            "configured": {"testSize": "SMALL"}}


def go(action, test=None):
    return {"Action": action, "Package": "p"} | ({"Test": test} if test else {})


class TallyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def result(self, label, status, xml_text=None):
        outputs = []
        if xml_text is not None:
            path = self.folder / "test.xml"
            path.write_text(xml_text)
            outputs.append({"name": "test.xml", "uri": path.as_uri()})
        return {"id": {"testResult": {"label": label, "run": 1}},
                "testResult": {"status": status, "testActionOutput": outputs}}

    def sum_up(self, strict=False, **reports):
        """Returns (exit code, last line) for these events and exit codes."""
        for name, (events, code) in reports.items():
            (self.folder / f"{name}.json").write_text(
                "\n".join(json.dumps(event) for event in events))
            (self.folder / f"{name}.status").write_text(str(code))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = tally.sum_up(self.folder, strict)
        self.said = said.getvalue()
        return code, self.said.splitlines()[-1]

    def test_cases_are_counted_not_targets(self):
        events = [configured("//a"), self.result("//a", "FAILED", GTEST_XML)]
        self.assertEqual(self.sum_up(bazel=(events, 3)),
                         (1, "1 passed, 1 failed, 2 skipped"))

    def test_a_target_without_a_result_failed(self):
        passed = GTEST_XML.replace("<failure", "<ignored").replace(
            "failure>", "ignored>")
        events = [configured("//a"), configured("//b"),
                  self.result("//a", "PASSED", passed)]
        self.assertEqual(self.sum_up(bazel=(events, 1)),
                         (1, "2 passed, 1 failed, 2 skipped"))

    def test_a_crash_or_a_timeout_is_a_failure(self):
        for broken in (None, "", "<testsuites>"):
            with self.subTest(broken):
                events = [configured("//a"), self.result("//a", "TIMEOUT", broken)]
                self.assertEqual(self.sum_up(bazel=(events, 3)),
                                 (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_bad_exit_code_is_a_failure(self):
        self.assertEqual(self.sum_up(bazel=([], 1), go=([], 1)),
                         (1, "0 passed, 2 failed, 0 skipped"))

    def test_nothing_run_is_a_failure(self):
        events = [go("run", "A"), go("skip", "A"), go("pass")]
        self.assertEqual(self.sum_up(bazel=([], 0), go=(events, 0)),
                         (1, "0 passed, 2 failed, 1 skipped"))

    def test_of_go_tests_with_subtests_the_subtests_count(self):
        events = [go("run", "A"), go("run", "A/1"), go("pass", "A/1"),
                  go("run", "A/2"), go("skip", "A/2"), go("pass", "A"),
                  go("run", "B"), go("pass", "B"), go("pass")]
        self.assertEqual(self.sum_up(go=(events, 0)),
                         (0, "2 passed, 0 failed, 1 skipped"))

    def test_a_go_test_that_never_ended_failed(self):
        events = [go("run", "A"), go("fail")]
        self.assertEqual(self.sum_up(go=(events, 1)),
                         (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_go_test_can_fail_after_its_subtests_passed(self):
        events = [go("run", "A"), go("run", "A/1"), go("pass", "A/1"),
                  go("fail", "A"), go("fail")]
        self.assertEqual(self.sum_up(go=(events, 1)),
                         (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_go_package_that_does_not_build_failed(self):
        self.assertEqual(self.sum_up(go=([go("fail")], 1)),
                         (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_second_try_counts_instead_of_the_first_and_is_told(self):
        first = [go("run", "A"), go("run", "A/1"), go("fail", "A/1"),
                 go("run", "A/2"), go("pass", "A/2"), go("fail", "A"),
                 go("fail")]
        second = [go("run", "A"), go("run", "A/1"), go("pass", "A/1"),
                  go("pass", "A"), go("pass")]
        self.assertEqual(self.sum_up(go=(first + second, 0)),
                         (0, "2 passed, 0 failed, 0 skipped"))
        self.assertIn("passed at the second try only: p A/1", self.said)
        self.assertEqual(self.sum_up(go=(first + first, 1)),
                         (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_second_try_that_never_ended_failed(self):
        first = [go("run", "A"), go("fail", "A"), go("fail")]
        self.assertEqual(self.sum_up(go=(first + [go("run", "A")], 2)),
                         (1, "0 passed, 1 failed, 0 skipped"))

    def test_what_failed_is_named_as_go_wants_it_for_a_second_try(self):
        lines = [json.dumps(event) for event in (
            go("run", "A"), go("run", "A/b.c"), go("fail", "A/b.c"),
            go("fail", "A"), go("run", "B"), go("pass", "B"), go("fail"))]
        self.assertEqual(tally.patterns_of_failed(lines), ["^A$/^b\\.c$"])
        self.assertEqual(tally.patterns_of_failed([json.dumps(go("fail"))]), [])

    def test_the_run_on_sealed_stores_counts_as_well(self):
        events = [go("run", "A"), go("pass", "A"), go("pass")]
        self.assertEqual(self.sum_up(go=(events, 0), go_sealed=(events, 0)),
                         (0, "2 passed, 0 failed, 0 skipped"))
        self.assertEqual(self.sum_up(go=(events, 0), go_sealed=([], 1)),
                         (1, "1 passed, 1 failed, 0 skipped"))

    def test_every_vector_counts(self):
        events = [{"case": "1", "outcome": "passed"},
                  {"case": "2", "outcome": "failed"}]
        self.assertEqual(self.sum_up(vectors=(events, 1)),
                         (1, "1 passed, 1 failed, 0 skipped"))
        self.assertEqual(self.sum_up(vectors=(events[:1], 1)),
                         (1, "1 passed, 1 failed, 0 skipped"))

    def test_where_everything_can_run_a_skipped_case_failed(self):
        skipped = ([configured("//:a"), self.result("//:a", "PASSED", """
            <testsuites><testsuite><testcase name="D" classname="S">
            <skipped message="not root"/></testcase>
            <testcase name="A" classname="S"/></testsuite></testsuites>"""
                                                    .strip())], 0)
        self.assertEqual(self.sum_up(bazel=skipped),
                         (0, "1 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.sum_up(strict=True, bazel=skipped),
                         (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("failed: //:a S.D was skipped", self.said)

    def test_notes_count(self):
        (self.folder / "notes").write_text("skipped 40 no Go\nfailed 2 why\n")
        self.assertEqual(self.sum_up(), (1, "0 passed, 2 failed, 40 skipped"))


if __name__ == "__main__":
    unittest.main()
