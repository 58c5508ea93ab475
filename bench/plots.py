# SPDX-License-Identifier: Apache-2.0
"""Draws what compare.py found, as SVG that needs nothing to be looked at."""

import math
from xml.sax.saxutils import escape

WIDTH, LABEL, ROW, MARGIN = 760, 300, 24, 12
INK, FAINT, GOOD, BAD = "#24292f", "#d0d7de", "#1a7f37", "#cf222e"


def figure(title, rows, ticks, place):
    """Rows are (label, drawing, note); `place` maps a value to an x."""
    height = MARGIN * 3 + ROW * (len(rows) + 2)
    bottom = height - MARGIN - ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(MARGIN, MARGIN + 14, title, weight="bold")]
    for value, label in ticks:
        x = place(value)
        parts.append(line(x, MARGIN + ROW, x, bottom, FAINT))
        parts.append(text(x, bottom + 16, label, anchor="middle"))
    for i, (label, drawing, note) in enumerate(rows):
        y = MARGIN + ROW * (i + 1.5) + 6
        parts.append(text(LABEL - 8, y + 4, label, anchor="end"))
        parts += drawing(y)
        parts.append(text(WIDTH - MARGIN, y + 4, note, anchor="end"))
    return "\n".join(parts + ["</svg>", ""])


def text(x, y, words, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{INK}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour, width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def log_scale(low, high):
    """Maps low..high to the width that is there for drawing."""
    left, right = LABEL + 4, WIDTH - 110
    span = math.log(high / low) or 1
    return lambda value: left + (right - left) * math.log(value / low) / span


def decades(low, high):
    return [10.0 ** n for n in range(math.floor(math.log10(low)),
                                     math.ceil(math.log10(high)) + 1)]


def ratios_figure(results, reached, say):
    """A dot for each median, a line from low to high, a tick at the goal."""
    values = [r[k] for r in results for k in ("low", "high", "goal")
              if r[k]]
    marks = decades(min(values), max(values))
    place = log_scale(marks[0], marks[-1])

    def row(result):
        colour = INK
        if result["goal"]:
            colour = GOOD if reached(result) else BAD

        def drawing(y):
            parts = [line(place(result["low"]), y, place(result["high"]), y,
                          colour, 2),
                     f'<circle cx="{place(result["ratio"]):.1f}" '
                     f'cy="{y:.1f}" r="4" fill="{colour}"/>']
            if result["goal"]:
                x = place(result["goal"])
                parts.append(line(x, y - 8, x, y + 8, INK, 2))
            return parts
        return result["name"], drawing, say(result)

    return figure("ratios: medians, low to high, and goals (upright)",
                  [row(r) for r in results], [(m, f"{m:g}") for m in marks],
                  place)


def rates_figure(cells):
    """Bars of calls a second; cells are (name, median, low, high)."""
    marks = decades(min(c[2] for c in cells), max(c[3] for c in cells))
    place = log_scale(marks[0], marks[-1])

    def row(cell):
        name, median, low, high = cell

        def drawing(y):
            left = place(marks[0])
            return [f'<rect x="{left:.1f}" y="{y - 7:.1f}" '
                    f'width="{place(median) - left:.1f}" height="14" '
                    'fill="#0969da"/>',
                    line(place(low), y, place(high), y, INK, 2)]
        return name, drawing, f"{median:,.0f}/s"

    return figure("calls a second: medians, low to high",
                  [row(c) for c in cells], [(m, f"{m:,.0f}") for m in marks],
                  place)
