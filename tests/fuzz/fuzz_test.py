#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What fuzz.py makes of what its programs do, which are scripts here."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import fuzz  # noqa: E402

WELL = """#!/bin/sh
echo "$@" >> "$0.calls"
echo '#2 INITED cov: 7 ft: 9 corp: 1/1b exec/s: 0 rss: 30Mb'
echo '#9 DONE   cov: 12 ft: 20 corp: 5/9b lim: 4 exec/s: 0 rss: 30Mb'
echo 'stat::number_of_executed_units: 4711'
"""
CRASH = """#!/bin/sh
echo 'EXPECTED: a record that opens was sealed'
echo 'artifact_prefix=x; Test unit written to /found/record-crash-1'
echo 'stat::number_of_executed_units: 3'
exit 77
"""
IDLE = "#!/bin/sh\n"


class FuzzTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for target in fuzz.targets_in_tree():
            self.write(target, WELL)
        for target in fuzz.canaries():
            self.write(target, "#!/bin/sh\n"
                       f"echo 'ERROR: {fuzz.CANARIES[target.name]}'; exit 1\n")

    def program(self, target):
        return self.folder / target.label[2:].replace(":", "/")

    def write(self, target, script):
        path = self.program(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def target(self, name):
        return next(target for target in fuzz.targets_in_tree()
                    + fuzz.canaries() if target.name == name)

    def run_fuzz(self, *arguments, **environment):
        return subprocess.run(
            [HERE / "fuzz.py", "--binaries", self.folder,
             "--found", self.folder / "found", *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                 "STATECPP_TEST_SEED": "5",
                 "STATECPP_PROVE_LEDGER": str(self.folder / "ledger"),
                 **environment},
            capture_output=True, text=True, check=False)

    def ledger(self):
        lines = (self.folder / "ledger").read_text().splitlines()
        return {line["part"]: line for line in map(json.loads, lines)}

    def test_every_target_is_run_and_written_down(self):
        result = self.run_fuzz()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        names = {target.name for target in fuzz.targets_in_tree()}
        self.assertGreater(len(names), 15)
        self.assertEqual(set(self.ledger()), names | {"canaries"})
        line = self.ledger()["record"]
        self.assertEqual(line["harness"], "fuzz")
        self.assertEqual(line["seed"], "5")
        self.assertEqual(line["counts"], {"executions": 4711, "corpus": 5,
                                          "coverage": 12})
        self.assertEqual(line["wrong"], {"lost": 0, "torn": 0, "false": 0})
        self.assertIn(f"{len(names)} targets, 0 of them failed", result.stdout)

    def test_each_target_has_a_corpus_that_a_test_plays(self):
        build = (HERE / "BUILD").read_text()
        for target in fuzz.targets_in_tree():
            corpus = HERE / "corpus" / target.name
            self.assertTrue(list(corpus.iterdir()), target.name)
            self.assertIn(f'"{target.name}"', build)
        names = {target.name for target in fuzz.targets_in_tree()}
        for folder in "corpus", "dictionary":
            there = {path.name for path in (HERE / folder).iterdir()}
            self.assertLessEqual(there, names, folder)

    def test_a_crash_fails_the_run_and_says_how_to_have_it_again(self):
        self.write(self.target("record"), CRASH)
        result = self.run_fuzz()
        self.assertEqual(result.returncode, 1)
        self.assertIn("EXPECTED: a record that opens was sealed", result.stdout)
        self.assertIn("again: tests/fuzz/fuzz.py replay record "
                      "/found/record-crash-1", result.stdout)
        self.assertEqual(self.ledger()["record"]["wrong"]["false"], 1)
        self.assertEqual(self.ledger()["request"]["wrong"]["false"], 0)

    def test_a_planted_mistake_that_is_not_found_fails_the_run(self):
        for script in WELL, CRASH, IDLE:
            with self.subTest(script=script):
                self.write(self.target("canary_of_memory"), script)
                result = self.run_fuzz("record")
                self.assertEqual(result.returncode, 1)
                self.assertIn("2 of 3 planted mistakes found", result.stdout)

    def test_a_target_that_does_nothing_fails_the_run(self):
        self.write(self.target("record"), IDLE)
        self.assertEqual(self.run_fuzz("record").returncode, 1)

    def test_a_long_run_is_shared_and_goes_on_from_what_it_kept(self):
        self.run_fuzz("record", "request", STATECPP_PROVE_SECONDS="120")
        path = self.program(self.target("record"))
        calls = path.with_name(path.name + ".calls").read_text()
        self.assertIn("-max_total_time=60 ", calls)
        self.assertIn("-seed=6 ", calls)
        self.assertIn(str(self.folder / ".cache/statecpp/fuzz-corpus/record"),
                      calls)

    def test_an_input_is_played_once(self):
        result = self.run_fuzz("replay", "record", "/found/1")
        self.assertEqual(result.returncode, 0)
        self.write(self.target("record"), CRASH)
        result = self.run_fuzz("replay", "record", "/found/1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("EXPECTED", result.stdout)
        self.assertEqual(self.run_fuzz("replay", "record").returncode, 1)

    def test_a_name_that_is_none_is_refused(self):
        result = self.run_fuzz("recrod")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no target recrod", result.stderr)


if __name__ == "__main__":
    unittest.main()
