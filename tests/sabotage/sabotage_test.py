#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Each fault that can be planted is noticed, and none is in what is released.

A fault is chosen by its name when a program starts that was built with
engine/fail_point.h turned on. Here each has a test that fails with it, and that
passes without it in the very same program. What it takes a crash to see is in
tests/crash/store_kill_test.cc.
"""

import os
import pathlib
import re
import subprocess
import unittest

HERE = pathlib.Path("tests/sabotage")
RELEASED = pathlib.Path("statecpp")
WITH_FAULTS = [pathlib.Path(f"tests/crash/{name}_with_fail_points")
               for name in ("store_writer", "key_changer", "store_copier",
                            "store_backer")]
KILL_TEST = pathlib.Path("tests/crash/store_kill_test.cc")

# Fault -> the program that notices, and which of its tests.
NOTICED_BY = {
    "drop-associated-data": ("integrity_test", "*AnotherPlace*"),
    "go-on-after-a-failed-sync": ("failed_sync_test", "*"),
    "hide-damage": ("integrity_test", "*AsMissing*"),
    "ignore-deadlines": ("commit_queue_test", "*"),
    "keep-the-deleted": ("store_model_test", "*"),
    "note-no-changes": ("store_backup_test", "*WrittenMeanwhile"),
    "open-any-file": ("lmdb_file_test", "*"),
    "retire-keys-in-use": ("store_keys_test", "*"),
    "share-the-lock": ("store_folder_test", "*.TheHolderIsNamed"),
    "show-the-expired": ("store_model_test", "*"),
    "skip-folder-syncs": ("power_states_test", "*"),
    "skip-syncs": ("power_states_test", "*"),
    "sweep-all": ("sweeper_test", "*"),
}

NAMED_IN_CODE = re.compile(r'STATECPP_(?:SABOTAGE|FAIL_POINT)\(\s*"([^"]+)"')
SABOTAGES_IN_CODE = re.compile(r'STATECPP_SABOTAGE\(\s*"([^"]+)"')


def engine_sources():
    return [path for path in pathlib.Path("engine").iterdir()
            if path.suffix in (".cc", ".h") and path.stem != "fail_point"]


def run(program, tests, fault=None):
    """Returns whether all of `tests` passed, and what was said."""
    environment = dict(os.environ, GTEST_FILTER=tests)
    for name in ("GTEST_TOTAL_SHARDS", "TEST_TOTAL_SHARDS", "XML_OUTPUT_FILE",
                 "GTEST_OUTPUT"):
        environment.pop(name, None)
    if fault is not None:
        environment["STATECPP_SABOTAGE"] = fault
    ended = subprocess.run([HERE / program], env=environment, timeout=240,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False)
    return ended.returncode == 0, ended.stdout.decode("utf-8", "replace")


class SabotageTest(unittest.TestCase):
    def test_every_fault_is_noticed(self):
        for fault, (program, tests) in sorted(NOTICED_BY.items()):
            with self.subTest(fault):
                passed, said = run(program, tests, fault)
                self.assertFalse(passed, f"{program} passed with {fault}")
                # By a test, or by an end that no test foresaw; not because it
                # could not be started.
                self.assertIn("[ RUN      ]", said)

    def test_the_same_tests_pass_without_a_fault(self):
        for program, tests in sorted(set(NOTICED_BY.values())):
            with self.subTest(program):
                passed, said = run(program, tests)
                self.assertTrue(passed, said[-4000:])
                self.assertNotIn("Running 0 tests", said)

    def test_no_fault_is_left_out(self):
        elsewhere = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"',
                                   KILL_TEST.read_text("utf-8")))
        planted = set()
        for path in engine_sources():
            planted |= set(SABOTAGES_IN_CODE.findall(path.read_text("utf-8")))
        self.assertGreaterEqual(len(planted), 12)
        self.assertEqual(planted - elsewhere, set(NOTICED_BY) - elsewhere)

    def test_none_is_in_the_released_program(self):
        named = set()
        for path in engine_sources():
            named |= set(NAMED_IN_CODE.findall(path.read_text("utf-8")))
        released = RELEASED.read_bytes()
        # Where they are they can be found.
        with_faults = b"".join(path.read_bytes() for path in WITH_FAULTS)
        for name in sorted(named) + ["STATECPP_SABOTAGE", "STATECPP_FAIL_POINT"]:
            with self.subTest(name):
                # Not assertIn, which would print the programs.
                self.assertFalse(name.encode() in released)
                self.assertTrue(name.encode() in with_faults)


if __name__ == "__main__":
    unittest.main()
