#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Components are what daprd reads, and every ratio is of cells there are."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from through_daprd import (LOOPS, OPS, RATIOS, STORES,  # noqa: E402
                           component, side_by_side)

FIGURES = {"qps": 10, "p50_us": 1, "p99_us": 2, "p999_us": 3, "cpu_us": 4}
CELLS = {f"{op} {loop} {store}": FIGURES
         for op in OPS for loop in LOOPS for store in STORES}


class ThroughDaprdTest(unittest.TestCase):
    def test_a_component_has_its_type_and_properties(self):
        self.assertEqual(
            component("redis", {"redisHost": "localhost:1"}),
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n"
            "  name: redis\nspec:\n  type: state.redis\n  version: v1\n"
            "  metadata:\n  - name: redisHost\n    value: \"localhost:1\"\n")

    def test_a_component_without_properties_says_so(self):
        self.assertTrue(component("cpp", {}).endswith("  metadata: []\n"))

    def test_every_ratio_is_of_figures_that_a_round_has(self):
        for ratio in RATIOS:
            for side in (ratio.over, ratio.under):
                self.assertIn(side.figure, CELLS[side.cell])

    def test_stores_stand_side_by_side(self):
        cells = {**CELLS, "set 1 client sqlite": {**FIGURES, "p99_us": 77}}
        line = next(l for l in side_by_side([cells]).split("\n")
                    if l.startswith("| set | 1 client") and "p99, us" in l)
        self.assertEqual([c.strip() for c in line.split("|")[4:-1]],
                         ["2", "2", "77", "2"])


if __name__ == "__main__":
    unittest.main()
