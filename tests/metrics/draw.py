#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Draws the dashboard of deploy/grafana as Prometheus answers its queries, from
a run of the real program under load. It stands in for Grafana, which it is not:
same queries, plainer pictures. Needs Debian's prometheus and python3-matplotlib.

    bazel build //:statecpp //tests/metrics:load
    tests/metrics/draw.py [--seconds N] [--folder docs/pictures]
"""

import argparse
import json
import math
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
from observed import Observed, expression, panels  # noqa: E402

import matplotlib  # noqa: E402
matplotlib.use("Agg")
from matplotlib import pyplot, ticker  # noqa: E402

ACROSS = 3
STEP_S = 2
INTERVAL = "20s"


def bytes_text(value, _=None):
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or unit == "TiB":
            return f"{value:.4g} {unit}"
        value /= 1024


def seconds_text(value, _=None):
    if abs(value) >= 1 or value == 0:
        return f"{value:.4g} s"
    return (f"{value * 1e3:.4g} ms" if abs(value) >= 1e-3
            else f"{value * 1e6:.4g} µs")


UNITS = {"s": seconds_text, "bytes": bytes_text,
         "percentunit": lambda value, _=None: f"{value * 100:.3g} %",
         "reqps": lambda value, _=None: f"{value:.4g}/s"}


def named(legend, labels):
    return re.sub(r"\{\{(\w+)\}\}", lambda m: labels.get(m[1], ""), legend)


def heatmap(axes, series, start):
    """One column a moment, one row a bucket: what came to each, not below."""
    rows = sorted(series, key=lambda each: float(each["metric"]["le"]))
    times = sorted({float(at) for row in rows for at, _ in row["values"]})
    lookup = [{float(at): float(value) for at, value in row["values"]}
              for row in rows]
    below = [[row.get(at, 0) for at in times] for row in lookup]
    cells = [[max(value - (below[i - 1][j] if i else 0), 0)
              for j, value in enumerate(row)] for i, row in enumerate(below)]
    shown = [i for i, row in enumerate(cells) if max(row) > 0]
    low, high = min(shown), max(shown) + 1
    axes.grid(False)
    axes.pcolormesh([at - start for at in times], range(high - low),
                    cells[low:high], cmap="Oranges", shading="nearest")
    axes.set_yticks(range(high - low), [
        seconds_text(float(row["metric"]["le"]))
        if row["metric"]["le"] != "+Inf" else "more"
        for row in rows[low:high]], fontsize=6)


def draw(axes, panel, prometheus, start, end):
    axes.set_title(panel["title"], fontsize=9, loc="left")
    axes.tick_params(labelsize=6)
    axes.grid(alpha=0.3)
    axes.set_prop_cycle(color=pyplot.colormaps["tab20"].colors)
    top = 0
    for target in panel["targets"]:
        series = prometheus.query_range(
            expression(target, INTERVAL), start, end, STEP_S)
        if panel["type"] == "heatmap":
            return heatmap(axes, series, start)
        for each in series:
            points = [(float(at) - start, float(value))
                      for at, value in each["values"]]
            points = [p for p in points if not math.isnan(p[1])]
            top = max([top] + [value for _, value in points])
            axes.plot(*zip(*points), linewidth=1,
                      label=named(target["legendFormat"], each["metric"]))
    axes.set_ylim(0, top * 1.1 if top else 1)
    unit = panel["fieldConfig"]["defaults"].get("unit")
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(
        UNITS.get(unit, lambda value, _: f"{value:.6g}")))
    axes.legend(fontsize=5, loc="upper left", bbox_to_anchor=(0, -0.08),
                ncols=4, frameon=False)


def rows(dashboard):
    """Yields (title of a row, its panels)."""
    title, found = None, []
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            if found:
                yield title, found
            title, found = panel["title"], []
        else:
            found.append(panel)
    yield title, found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--folder", type=pathlib.Path,
                        default=ROOT / "docs" / "pictures")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "bazel-bin")
    options = parser.parse_args()
    dashboard = json.loads(
        (ROOT / "deploy" / "grafana" / "statecpp.json").read_text("utf-8"))
    assert list(panels(dashboard))
    options.folder.mkdir(parents=True, exist_ok=True)
    with Observed(options.bin / "statecpp", options.bin / "tests/metrics/load",
                  ROOT / "deploy" / "prometheus" / "alerts.yaml",
                  options.seconds) as observed:
        time.sleep(options.seconds / 2)
        observed.back_up()
        observed.verify()
        time.sleep(options.seconds / 2)
        end = time.time()
        start = end - options.seconds + 25
        for title, found in rows(dashboard):
            down = math.ceil(len(found) / ACROSS)
            figure, grid = pyplot.subplots(
                down, ACROSS, figsize=(15, 3 * down), squeeze=False)
            places = [axes for line in grid for axes in line]
            for axes, panel in zip(places, found):
                draw(axes, panel, observed.prometheus, start, end)
            for axes in places[len(found):]:
                axes.axis("off")
            figure.tight_layout()
            name = title.lower().replace(" ", "_") + ".png"
            figure.savefig(options.folder / name, dpi=80, metadata={
                "Software": None})
            pyplot.close(figure)
            print(options.folder / name)


if __name__ == "__main__":
    main()
