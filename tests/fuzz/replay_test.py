#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A corpus test fails where its target finds a mistake, or has no corpus."""

import pathlib
import subprocess
import tempfile
import unittest

PEER = pathlib.Path("tests/fuzz/canary_replay").resolve()


class ReplayTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def play(self, *paths):
        return subprocess.run([PEER, *paths], capture_output=True, text=True,
                              check=False)

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text)
        return path

    def test_every_file_of_a_folder_is_played(self):
        self.write("one", b"FZ\x07\x01a")
        self.write("two", b"")
        result = self.play(self.folder)
        self.assertEqual((result.returncode, result.stdout), (0, "2 inputs\n"))

    def test_a_mistake_ends_it_and_the_input_is_named(self):
        self.write("a_good_one", b"FZ\x07\x01a")
        bad = self.write("bad", b"FZ\x07\x02a!")
        result = self.play(self.folder)
        self.assertLess(result.returncode, 0)
        *_, name, why = result.stderr.splitlines()
        self.assertEqual(name, str(bad))
        self.assertEqual(why, "EXPECTED: a frame has its size")

    def test_nothing_to_play_is_a_failure(self):
        for paths in [], [self.folder], [self.folder / "gone"]:
            with self.subTest(paths=paths):
                self.assertEqual(self.play(*paths).returncode, 1)


if __name__ == "__main__":
    unittest.main()
