#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The processor time that sealing adds to a Get and a Set, over the socket.

  sealing.py STATECPP WIRE_CLIENT    (./dev bench calls it so)

One server serves two components that differ in `encryption` alone. Each round
measures both, one right after the other and in random order, for each
operation and size; a ratio is the median of the ratios within a round, and
between the lines are those of the quieter half of the rounds. Processor time
is that of all threads of the server, by the scheduler's own clock, divided by
the calls.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from smoke import serving  # noqa: E402

SIZES = {"128 B": 128, "1 KiB": 1 << 10, "16 KiB": 16 << 10}
# What sealing may add to a Get.
GOALS = {"128 B": 1.04, "1 KiB": 1.07, "16 KiB": 1.25}
MODES = {"plain": "off", "sealed": "required"}


def others_seconds(pid):
    """Processor time of everybody but the server, so far."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, softirq = map(int, fields[1:8])
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    own = sum(map(int, stat.split()[11:13]))
    return user + nice + system + irq + softirq - own


def run(client, socket, pid, mode, op, size, flags):
    out = subprocess.run(
        [client, "--socket", socket, "--op", op, "--in-flight",
         str(flags.in_flight), "--seconds", str(flags.seconds),
         "--server-pid", str(pid), "--value-bytes", str(size),
         "--instance", f"{mode}-{size}", "--encryption", MODES[mode]],
        check=True, stdout=subprocess.PIPE, timeout=60).stdout
    return json.loads(out)["server_cpu_us"]


def measure(client, socket, pid, flags, chance):
    """{(op, size): [(loudness, {mode: microseconds})]}"""
    rounds = {(op, size): [] for op in ("get", "set") for size in SIZES}
    for number in range(flags.rounds):
        cells = list(rounds)
        chance.shuffle(cells)
        for op, size in cells:
            modes = list(MODES)
            chance.shuffle(modes)
            before = others_seconds(pid)
            costs = {mode: run(client, socket, pid, mode, op, SIZES[size],
                               flags) for mode in modes}
            rounds[op, size].append((others_seconds(pid) - before, costs))
        print(f"round {number + 1} of {flags.rounds}", file=sys.stderr)
    return rounds


def report(rounds, flags):
    results = []
    print(f"\nprocessor time of the server per call, {flags.in_flight} calls "
          f"under way, {flags.rounds} rounds, the quieter half counts\n")
    print("| op | value | plain, us | sealed, us | sealed / plain | range "
          "| goal |")
    print("|---|---|---|---|---|---|---|")
    for (op, size), measured in rounds.items():
        quiet = sorted(measured, key=lambda r: r[0])
        quiet = [costs for _, costs in quiet[:(len(quiet) + 1) // 2]]
        ratios = sorted(c["sealed"] / c["plain"] for c in quiet)
        median = {m: statistics.median(c[m] for c in quiet) for m in MODES}
        goal = GOALS[size] if op == "get" else None
        result = {"name": f"sealing {op} {size}", "better": "lower",
                  "ratio": statistics.median(ratios), "goal": goal,
                  "low": ratios[0], "high": ratios[-1]}
        results.append(result)
        print(f"| {op} | {size} | {median['plain']:.2f} "
              f"| {median['sealed']:.2f} | {result['ratio']:.3f} "
              f"| {result['low']:.3f}–{result['high']:.3f} "
              f"| {goal if goal else ''} |")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("client")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", help="a file for the ratios")
    flags = parser.parse_args()
    print(f"seed {flags.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="statecpp-sealing-") as folder:
        with serving(flags.program, pathlib.Path(folder)) as (
                server, socket, _):
            rounds = measure(flags.client, socket, server.pid, flags,
                             random.Random(flags.seed))
    results = report(rounds, flags)
    if flags.json:
        pathlib.Path(flags.json).write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
