# SPDX-License-Identifier: Apache-2.0
"""What compare.py makes of its figures: ratios, their spread, a table, JSON."""

import statistics
from typing import NamedTuple, Optional


class Side(NamedTuple):
    """One figure of one cell, as ("get plain", "qps")."""
    cell: str
    figure: str


class Ratio(NamedTuple):
    name: str
    over: Side
    under: Side
    better: str  # higher or lower
    goal: Optional[float] = None
    stretch: Optional[float] = None


FIELDS = ("name", "ratio", "goal", "better", "low", "high", "stretch")


def spread(figures):
    """(median, low, high)"""
    return statistics.median(figures), min(figures), max(figures)


def result_of(ratio, rounds):
    """The ratio within each round, so that what slows a whole round does not
    count; of these the median. A round is {cell: {figure: number}}, and one
    that lacks a cell says nothing."""
    within = [r[ratio.over.cell][ratio.over.figure]
              / r[ratio.under.cell][ratio.under.figure] for r in rounds
              if ratio.over.cell in r and ratio.under.cell in r]
    if not within:
        raise ValueError(f"no round measured both sides of {ratio.name!r}")
    median, low, high = spread(within)
    return {"name": ratio.name, "ratio": median, "goal": ratio.goal,
            "better": ratio.better, "low": low, "high": high,
            "stretch": ratio.stretch}


def reaches(result, goal):
    if result["better"] == "higher":
        return result["ratio"] >= goal
    return result["ratio"] <= goal


def verdict(result):
    if result["goal"] is None:
        return ""
    if not reaches(result, result["goal"]):
        return "missed"
    if result["stretch"] is not None and reaches(result, result["stretch"]):
        return "stretch"
    return "met"


def number(value):
    """Three digits that say something, and no more zeros than that takes."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(head, rows):
    """Markdown that can be read as it is: columns as wide as their widest."""
    lines = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width
                          in zip(line, widths)) + " |" for line in lines)


def ratio_table(results):
    return table(
        ["ratio", "median", "low to high", "goal", "stretch", ""],
        [[r["name"], number(r["ratio"]),
          f"{number(r['low'])} to {number(r['high'])}",
          sign(r) + number(r["goal"]) if r["goal"] else "",
          sign(r) + number(r["stretch"]) if r["stretch"] else "",
          verdict(r)] for r in results])


def sign(result):
    return "≥ " if result["better"] == "higher" else "≤ "


def cell_table(rounds):
    """Medians over the rounds of each cell, in the order of their measuring."""
    cells = {}
    for measured in rounds:
        for cell, figures in measured.items():
            cells.setdefault(cell, []).append(figures)
    rows = []
    for cell, figures in cells.items():
        row = [cell]
        for figure in ("qps", "p50_us", "p99_us", "server_cpu_us"):
            known = [f[figure] for f in figures if figure in f]
            row.append(number(statistics.median(known)) if known else "")
        known = [f["qps"] for f in figures if "qps" in f]
        row.append(f"{number(min(known))} to {number(max(known))}"
                   if known else "")
        rows.append(row)
    return table(["measured", "calls/s", "p50, us", "p99, us", "CPU, us/call",
                  "calls/s, low to high"], rows)
