#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What redis-benchmark says is understood, and what Redis is sent is a command."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rivals import Redis, figures_of  # noqa: E402

HEAD = ('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms",'
        '"p95_latency_ms","p99_latency_ms","max_latency_ms"\n')
FIGURES = '"50000.5","0.6","0.1","0.55","0.9","1.25","7"\n'


class RivalsTest(unittest.TestCase):
    def test_rate_and_quantiles_are_taken_from_their_columns(self):
        self.assertEqual(figures_of(HEAD + '"GET key:__rand_int__",' + FIGURES),
                         {"qps": 50000.5, "p50_us": 550, "p99_us": 1250})

    def test_a_command_of_several_lines_with_quotes_is_passed_over(self):
        command = '"EVAL local a = "x",\nreturn "1","2" 1",'
        self.assertEqual(figures_of(HEAD + command + FIGURES)["qps"], 50000.5)

    def test_what_has_no_figures_ends_the_run(self):
        with self.assertRaises(SystemExit):
            figures_of("Could not connect to Redis\n")

    def test_a_command_says_how_long_its_words_are(self):
        self.assertEqual(Redis.set_command(7, b"vv"),
                         b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000007\r\n"
                         b"$2\r\nvv\r\n")


if __name__ == "__main__":
    unittest.main()
