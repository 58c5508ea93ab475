#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Plots are SVG, and show what they were given."""

import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import plots  # noqa: E402

RESULTS = [
    {"name": "a < b", "ratio": 1.0, "low": 0.5, "high": 2.0, "goal": 1.5},
    {"name": "c", "ratio": 3.0, "low": 3.0, "high": 3.0, "goal": None},
]
SVG = "{http://www.w3.org/2000/svg}"


class PlotsTest(unittest.TestCase):
    def drawn(self):
        return xml.etree.ElementTree.fromstring(plots.ratios_figure(
            RESULTS, lambda r: False, lambda r: f"{r['ratio']}"))

    def test_names_stand_there_as_they_are(self):
        said = [t.text for t in self.drawn().iter(SVG + "text")]
        self.assertIn("a < b", said)
        self.assertIn("3.0", said)

    def test_a_goal_has_a_tick_and_no_goal_none(self):
        upright = [l for l in self.drawn().iter(SVG + "line")
                   if l.get("stroke") == plots.INK
                   and l.get("x1") == l.get("x2")
                   and l.get("y1") != l.get("y2")]
        self.assertEqual(len(upright), 1)

    def test_dots_stand_in_the_order_of_their_values(self):
        first, second = [float(c.get("cx"))
                         for c in self.drawn().iter(SVG + "circle")]
        self.assertLess(first, second)

    def test_a_missed_goal_is_red(self):
        fills = [c.get("fill") for c in self.drawn().iter(SVG + "circle")]
        self.assertEqual(fills, [plots.BAD, plots.INK])

    def test_the_scale_is_logarithmic_and_stays_within(self):
        place = plots.log_scale(0.1, 1000)
        self.assertAlmostEqual(place(10) - place(1), place(1) - place(0.1))
        self.assertGreater(place(0.1), plots.LABEL)
        self.assertLess(place(1000), plots.WIDTH)

    def test_decades_enclose_what_is_drawn(self):
        self.assertEqual(plots.decades(0.3, 40), [0.1, 1, 10, 100])
        self.assertEqual(plots.decades(1, 10), [1, 10])

    def test_bars_are_as_long_as_their_rates(self):
        said = plots.rates_figure([("x", 10, 5, 20), ("y", 1000, 900, 1000)])
        widths = [float(w) for w in re.findall(r'width="([\d.]+)" '
                                               r'height="14"', said)]
        self.assertEqual(len(widths), 2)
        self.assertAlmostEqual(widths[1] / widths[0], 3, places=1)


if __name__ == "__main__":
    unittest.main()
