#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/proof add up what the ledger says, and nothing else."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import proof  # noqa: E402

RUN = {"harness": "crash", "part": "a", "seed": "1", "counts": {"kills": 1000},
       "wrong": {"lost": 0, "torn": 0}, "seconds": 1800}


class ProofTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        saved = proof.FOLDER, proof.LEDGER
        self.addCleanup(lambda: setattr(proof, "FOLDER", saved[0]))
        self.addCleanup(lambda: setattr(proof, "LEDGER", saved[1]))
        proof.FOLDER = self.folder / "proof"
        proof.LEDGER = proof.FOLDER / "ledger.jsonl"

    def add(self, *runs):
        lines = self.folder / "lines"
        lines.write_text("".join(json.dumps(run) + "\n" for run in runs))
        commit, proof.commit = proof.commit, lambda: "0123456789ab"
        try:
            proof.add(lines)
        finally:
            proof.commit = commit

    def check(self):
        with contextlib.redirect_stdout(io.StringIO()):
            return proof.check()

    def test_runs_are_added_up_by_their_parts(self):
        self.add(RUN, RUN | {"part": "b"})
        self.add(RUN | {"wrong": {"lost": 2, "torn": 0}})
        page = (proof.FOLDER / "crash.md").read_text()
        self.assertIn("**2 lost, 0 torn** in 1.5 hours", page)
        self.assertIn("| a | 2 | 2,000 kills | 2 lost, 0 torn |", page)
        self.assertIn("| b | 1 | 1,000 kills | 0 lost, 0 torn |", page)
        first = json.loads(proof.LEDGER.read_text().splitlines()[0])
        self.assertEqual(first["commit"], "0123456789ab")

    def test_a_page_that_says_otherwise_is_found(self):
        self.add(RUN)
        self.assertEqual(self.check(), 0)
        page = proof.FOLDER / "crash.md"
        page.write_text(page.read_text().replace("1,000", "9,000"))
        self.assertEqual(self.check(), 1)
        page.unlink()
        self.assertEqual(self.check(), 1)

    def test_a_run_that_says_too_little_is_not_taken(self):
        for runs in ([], [{k: v for k, v in RUN.items() if k != "wrong"}]):
            with self.subTest(runs), self.assertRaises(SystemExit):
                self.add(*runs)


class PagesOfTheTreeTest(unittest.TestCase):
    def test_they_say_what_the_ledger_says(self):
        self.assertEqual(proof.check(), 0)


if __name__ == "__main__":
    unittest.main()
