#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Hostile streams by the hundred thousand, of all kinds in turn.

One round as a test; under `./dev prove faults` (STATECPP_PROVE_SECONDS) as many as
there is time for.
"""

import json
import os
import pathlib
import random
import sys
import time
import unittest

# Where Bazel puts it, with what it needs beside it.
sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent))
import attacks  # noqa: E402
from attacked import AttackedTest  # noqa: E402
from served import MEBI, SEALED  # noqa: E402

SEED = int(os.environ.get("STATECPP_TEST_SEED") or random.getrandbits(64))
SECONDS = float(os.environ.get("STATECPP_PROVE_SECONDS") or 0)
LEDGER = os.environ.get("STATECPP_PROVE_LEDGER")

# In each round, about; the numbers are drawn.
KINDS = (
    (attacks.rapid_resets, 30_000),
    (lambda path, count: attacks.rapid_resets_of_whole_calls(path, count, "Ping"),
     15_000),
    (lambda path, count: attacks.rapid_resets_of_whole_calls(path, count, "Get"),
     500),
    (attacks.unknown_methods, 2_000),
    (attacks.begun_and_left, 2_000),
    (attacks.bad_base64, 500),
    (attacks.hpack_bombs, 500),
)


class StreamsTest(AttackedTest):
    may_move = True

    def test_hostile_streams(self):
        print(f"STATECPP_TEST_SEED={SEED}", flush=True)
        draw = random.Random(SEED)
        began, streams, rounds, highest = time.monotonic(), 0, 0, 0
        while rounds == 0 or time.monotonic() - began < SECONDS:
            for attack, count in draw.sample(KINDS, len(KINDS)):
                streams += attack(self.path, draw.randint(count // 2, count))
                highest = max(highest, self.server.memory())
                self.assertIsNone(self.server.process.poll())
                self.assertIsNone(self.witness.failure)
            rounds += 1
        self.witness.end()
        self.assertGreater(streams, 20_000 * rounds)
        self.assertGreater(self.witness.calls, 0)
        if LEDGER:
            line = {"harness": "faults",
                    "part": "hostile streams" + (", sealed" if SEALED else ""),
                    "seed": str(SEED),
                    "counts": {"streams": streams, "rounds": rounds,
                               "calls of a client of good will": self.witness.calls,
                               "highest memory in KiB": highest >> 10},
                    "wrong": {"lost": 0, "torn": 0, "false": 0},
                    "seconds": round(time.monotonic() - began, 1)}
            with open(LEDGER, "a", encoding="utf-8") as ledger:
                ledger.write(json.dumps(line) + "\n")
        print(f"{streams} streams in {time.monotonic() - began:.0f} s, "
              f"{self.witness.moves} moves, at most {highest / MEBI:.0f} MiB",
              flush=True)


if __name__ == "__main__":
    unittest.main()
