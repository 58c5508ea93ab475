#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What compare.py says of its figures is what they say."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ratios import (FIELDS, Ratio, Side, cell_table, number,  # noqa: E402
                    ratio_table, result_of, table, verdict)

READS = Ratio("ours / theirs", Side("ours", "qps"), Side("theirs", "qps"),
              "higher", 0.5, 0.8)
COST = READS._replace(better="lower", goal=1.4, stretch=1.2)


def rounds(*pairs):
    return [{"ours": {"qps": ours}, "theirs": {"qps": theirs}}
            for ours, theirs in pairs]


def result(ratio, value):
    return result_of(ratio, rounds((value, 1)))


class RatiosTest(unittest.TestCase):
    def test_a_ratio_is_taken_within_a_round(self):
        # By medians over all rounds it would be 100 / 100.
        said = result_of(READS, rounds((50, 100), (100, 200), (900, 90)))
        self.assertEqual(said["ratio"], 0.5)
        self.assertEqual((said["low"], said["high"]), (0.5, 10))

    def test_a_round_without_one_side_is_passed_over(self):
        said = result_of(READS, [{"ours": {"qps": 1}}] + rounds((3, 1)))
        self.assertEqual(said["ratio"], 3)

    def test_a_ratio_that_no_round_measured_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "ours / theirs"):
            result_of(READS, [{"ours": {"qps": 1}}])

    def test_json_has_the_fields_that_are_read_elsewhere(self):
        self.assertEqual(tuple(result(READS, 1)), FIELDS)

    def test_more_is_better_where_it_is(self):
        self.assertEqual(verdict(result(READS, 0.49)), "missed")
        self.assertEqual(verdict(result(READS, 0.5)), "met")
        self.assertEqual(verdict(result(READS, 0.8)), "stretch")

    def test_less_is_better_where_it_is(self):
        self.assertEqual(verdict(result(COST, 1.41)), "missed")
        self.assertEqual(verdict(result(COST, 1.4)), "met")
        self.assertEqual(verdict(result(COST, 1.2)), "stretch")

    def test_without_a_goal_there_is_no_verdict(self):
        said = result(READS._replace(goal=None, stretch=None), 1)
        self.assertEqual(verdict(said), "")
        self.assertIn("| ours / theirs | 1 ", ratio_table([said]))

    def test_numbers_have_three_digits(self):
        self.assertEqual([number(n) for n in (0.9449, 12.345, 123456.7, None)],
                         ["0.945", "12.3", "123,457", ""])

    def test_columns_line_up(self):
        self.assertEqual(table(["a", "bcd"], [["long", 1]]),
                         "| a    | bcd |\n| ---- | --- |\n| long | 1   |")

    def test_the_table_of_ratios_names_goal_and_verdict(self):
        line = ratio_table([result(COST, 1.3)]).split("\n")[2]
        self.assertEqual([cell.strip() for cell in line.split("|")],
                         ["", "ours / theirs", "1.3", "1.3 to 1.3", "≤ 1.4",
                          "≤ 1.2", "met", ""])

    def test_the_table_says_in_which_direction_a_goal_lies(self):
        self.assertIn("≥ 0.5", ratio_table([result(READS, 1)]))
        self.assertIn("≤ 1.4", ratio_table([result(COST, 1)]))

    def test_cells_show_medians_and_leave_out_what_was_not_measured(self):
        said = cell_table([{"ours": {"qps": q}} for q in (1, 7, 3)])
        self.assertEqual([c.strip() for c in said.split("\n")[2].split("|")],
                         ["", "ours", "3", "", "", "", "1 to 7", ""])


if __name__ == "__main__":
    unittest.main()
