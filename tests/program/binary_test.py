#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Whether the program was compiled and linked so that a mistake in memory is
harder to use: what .bazelrc asks for, as readelf finds it in the program."""

import pathlib
import platform
import re
import subprocess
import unittest

# From the folder in which Bazel runs tests.
PROGRAM = pathlib.Path("statecpp").absolute()
# What x86 calls and jumps may lead to, with -fcf-protection.
ENDBR64 = bytes.fromhex("f30f1efa")


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, PROGRAM], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def imported():
    """The functions that it calls in shared libraries."""
    return set(re.findall(r" UND (\w+)", readelf("--dyn-syms")))


def is_sanitized():
    return any(name.startswith(("__asan", "__tsan")) for name in imported())


def functions():
    """Yields (name, first four bytes) of what is ours and not of one file."""
    start, offset = next(
        (int(address, 16), int(offset, 16)) for address, offset in re.findall(
            r" \.text +PROGBITS +(\w+) (\w+)", readelf("-S")))
    program = PROGRAM.read_bytes()
    for value, name in re.findall(
            r"^ *\d+: (\w+) +\w+ FUNC +(?:GLOBAL|WEAK) +DEFAULT +\d+ (\S+)",
            readelf("-s"), re.M):
        if "statecpp" in name or name == "main":
            at = int(value, 16) - start + offset
            yield name, program[at:at + 4]


class BinaryTest(unittest.TestCase):
    def test_its_place_in_memory_is_not_known_before(self):
        self.assertRegex(readelf("-h"), r"Type: +DYN \(Position-Independent")
        self.assertRegex(readelf("-d"), r"\(FLAGS_1\) +Flags:.* PIE")

    def test_what_was_relocated_cannot_be_written_any_more(self):
        self.assertRegex(readelf("-l"), r"GNU_RELRO ")
        # Else the table of imported functions stays open.
        self.assertRegex(readelf("-d"), r"\(FLAGS\) .*BIND_NOW")
        self.assertRegex(readelf("-d"), r"\(FLAGS_1\) +Flags:.*NOW")
        self.assertNotRegex(readelf("-d"), "TEXTREL")

    def test_nothing_that_can_be_written_can_be_executed(self):
        flags = re.findall(r"^ +([A-Z_]+) +(?:0x\w+ +){5}([R ][W ][E ])",
                           readelf("-l"), re.M)
        self.assertIn("GNU_STACK", [kind for kind, _ in flags])
        self.assertIn(("LOAD", "R E"), flags)
        for kind, allowed in flags:
            self.assertFalse("W" in allowed and "E" in allowed, (kind, allowed))

    def test_it_looks_for_libraries_where_the_system_does_and_nowhere_else(self):
        self.assertNotRegex(readelf("-d"), r"\((RPATH|RUNPATH)\)")

    def test_an_overrun_of_the_stack_is_noticed(self):
        self.assertIn("__stack_chk_fail", imported())

    @unittest.skipIf(is_sanitized(), "the sanitizers look at more")
    def test_calls_into_the_c_library_check_their_sizes(self):
        checked = {name for name in imported() if name.endswith("_chk")}
        self.assertLessEqual({"__memcpy_chk", "__realpath_chk"}, checked)

    @unittest.skipUnless(platform.machine() == "x86_64", "is of x86 alone")
    def test_indirect_calls_lead_to_marked_places_alone(self):
        ours = dict(functions())
        self.assertGreater(len(ours), 500)
        self.assertIn("main", ours)
        unmarked = [name for name, start in ours.items() if start != ENDBR64]
        self.assertEqual(len(unmarked), 0, f"of {len(ours)}, {unmarked[:5]}")

    # A loop that touches each page on the way: `or $0, (%rsp)`.
    @unittest.skipUnless(platform.machine() == "x86_64", "looks for x86's code")
    @unittest.skipIf(is_sanitized(), "their frames are others")
    def test_a_large_frame_does_not_jump_over_the_guard_page(self):
        self.assertTrue(bytes.fromhex("48830c2400") in PROGRAM.read_bytes())


if __name__ == "__main__":
    unittest.main()
