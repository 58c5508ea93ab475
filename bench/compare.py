#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The server beside what one would take instead, in turns on one machine.

  compare.py FOLDER_OF_PROGRAMS    (./dev bench compare calls it so)

Every round measures every cell once, in the same order; a ratio is taken within
a round, and what is printed is the median of the rounds with what they lie
between. README.md says what the cells are. Everything that is started is
ended, and its files are removed.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import plots  # noqa: E402
from ratios import (Ratio, Side, cell_table, ratio_table,  # noqa: E402
                    number, reaches, result_of)
from rivals import (KEYS, Disk, Redis, cpu_seconds,  # noqa: E402
                    end_in_order, our_server, peer)

SMALL, MIDDLE = 128, 1024


def qps(name, over, under, goal=None, stretch=None):
    return Ratio(name, Side(over, "qps"), Side(under, "qps"), "higher", goal,
                 stretch)


def cost(name, over, under, goal=None, stretch=None):
    return Ratio(name, Side(over, "server_cpu_us"),
                 Side(under, "server_cpu_us"), "lower", goal, stretch)


RATIOS = [
    qps("Get, plain / same bytes", "get plain", "get same bytes", 0.9, 0.97),
    qps("Get, sealed / same bytes", "get sealed", "get same bytes", 0.85,
        0.93),
    qps("Get, plain / callback server", "get plain", "get callback", 1.2, 1.5),
    cost("CPU of Get, plain / empty call", "get plain", "empty call", 1.25,
         1.2),
    cost("CPU of Get, sealed / empty call", "get sealed", "empty call", 1.4,
         1.2),
    cost("CPU of Get, plain / same bytes", "get plain", "get same bytes"),
    cost("CPU of Get, sealed / same bytes", "get sealed", "get same bytes"),
    qps("Get, sealed / Redis GET", "get sealed", "redis get"),
    qps("Set / fdatasync", "set", "fdatasync", 1.5, 2),
    qps("Set / Redis SET, always", "set", "redis set always", 0.25, 0.4),
    qps("Set / Redis script, always", "set", "redis script always", 0.35, 0.5),
    qps("Set / Redis SET, everysec", "set", "redis set everysec"),
    qps("Set / SQLite, WAL and FULL", "set", "sqlite set", 2.5, 3),
    Ratio("p50 of Set by one writer / fdatasync",
          Side("set by one", "p50_us"), Side("fdatasync", "p50_us"), "lower",
          4, 3.5),
    Ratio("file after overwrites / before", Side("growth", "after"),
          Side("growth", "before"), "lower", 1.1, 1.05),
]


class Contenders:
    """All that is measured, running until `stack` ends."""

    def __init__(self, stack, programs, folder, flags):
        def keep(contender):
            stack.callback(contender.stop)
            return contender

        wire = programs / "bench" / "wire"
        client = wire / "wire_client"
        self.flags, self.folder = flags, folder
        self.ours = keep(our_server(programs / "statecpp", folder / "ours",
                                    client, flags.keys))
        self.same = keep(peer(wire / "same_bytes_peer", folder / "same",
                              client, flags.keys))
        self.callback = keep(peer(wire / "callback_peer", folder / "callback",
                                  client, flags.keys))
        self.disk = keep(Disk(programs / "bench" / "disk_rivals",
                              folder / "disk", flags.keys))
        self.always = keep(Redis(folder / "always", "always", flags.keys))
        self.everysec = keep(Redis(folder / "everysec", "everysec",
                                   flags.keys))
        self.small = keep(Redis(folder / "small", "everysec", flags.keys))

    def others_seconds(self):
        """Processor time of all who have nothing to do with this, so far."""
        fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0]
        user, nice, system, _, _, irq, softirq = map(
            int, fields.split()[1:8])
        total = (user + nice + system + irq + softirq) / os.sysconf(
            "SC_CLK_TCK")
        servers = (self.ours, self.same, self.callback, self.always,
                   self.everysec, self.small)
        own = sum(cpu_seconds(s.process.pid) for s in servers)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            spent = resource.getrusage(who)
            own += spent.ru_utime + spent.ru_stime
        return total - own

    def fill(self):
        for size, redis in ((MIDDLE, self.always), (MIDDLE, self.everysec),
                            (SMALL, self.small)):
            redis.fill(size)
        for measure in self.cells().values():
            measure(0.1)

    def cells(self):
        many = self.flags.in_flight

        def wire(server, op, in_flight, size, encryption="off"):
            return lambda s: server.measure(op, in_flight, size, encryption,
                                            seconds=s)

        def redis(server, what, size):
            return lambda s: server.measure(what, many, size, s)

        return {
            "get plain": wire(self.ours, "get", many, SMALL),
            "get same bytes": wire(self.same, "get", many, SMALL),
            "get sealed": wire(self.ours, "get", many, SMALL, "required"),
            "empty call": wire(self.same, "ping", many, SMALL),
            "get callback": wire(self.callback, "get", many, SMALL),
            "redis get": redis(self.small, "get", SMALL),
            "set": wire(self.ours, "set", many, MIDDLE, "required"),
            "fdatasync": lambda s: self.disk.measure("fdatasync", s),
            "set by one": wire(self.ours, "set", 1, MIDDLE, "required"),
            "sqlite set": lambda s: self.disk.measure("sqlite", s),
            "redis set always": redis(self.always, "set", MIDDLE),
            "redis script always": redis(self.always, "script", MIDDLE),
            "redis set everysec": redis(self.everysec, "set", MIDDLE),
        }

    def growth(self):
        """The store's file before and after overwrites while others read."""
        before = self.file_size()
        writer = self.ours.start("set", self.flags.in_flight, MIDDLE,
                                 "required", max_calls=self.flags.overwrites,
                                 seconds=600)
        while writer.poll() is None:
            self.ours.measure("get", 4, MIDDLE, "required", seconds=0.2)
        self.ours.finish(writer)
        return {"before": before, "after": self.file_size()}

    def file_size(self):
        """Of the largest store: that with values of 1 KiB."""
        return max(path.stat().st_size for path in
                   (self.folder / "ours").rglob("data.mdb"))


def measure(programs, folder, flags):
    """The rounds, and how many processors others kept busy meanwhile."""
    rounds = []
    with contextlib.ExitStack() as stack:
        print("starting and filling what is measured", file=sys.stderr)
        contenders = Contenders(stack, programs, folder, flags)
        contenders.fill()
        # Before the rounds, whose Sets would have let the file grow.
        growth = contenders.growth()
        began, others = time.monotonic(), contenders.others_seconds()
        for i in range(flags.rounds):
            rounds.append({name: cell(flags.seconds)
                           for name, cell in contenders.cells().items()})
            print(f"round {i + 1} of {flags.rounds}", file=sys.stderr)
        rounds[0]["growth"] = growth
        others = (contenders.others_seconds() - others) / (
            time.monotonic() - began)
    return rounds, others


def draw(folder, results, rounds):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratios.svg").write_text(plots.ratios_figure(
        results, lambda r: reaches(r, r["goal"]),
        lambda r: number(r["ratio"])))
    cells = []
    for name in rounds[0]:
        rates = [r[name]["qps"] for r in rounds if "qps" in r.get(name, {})]
        if rates:
            cells.append((name, statistics.median(rates), min(rates),
                          max(rates)))
    (folder / "rates.svg").write_text(plots.rates_figure(cells))


def parse_flags():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0,
                        help="for each cell of a round")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--keys", type=int, default=KEYS)
    parser.add_argument("--overwrites", type=int, default=20_000)
    parser.add_argument("--json", type=pathlib.Path,
                        help="a file for the ratios")
    parser.add_argument("--plots", type=pathlib.Path,
                        help="a folder for the ratios and rates, as SVG")
    parser.add_argument("--folder", type=pathlib.Path,
                        default=os.environ.get("STATECPP_BENCH_DIR", "/tmp"),
                        help="on the disk that is measured")
    return parser.parse_args()


def main():
    flags = parse_flags()
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="statecpp-compare-",
                                     dir=flags.folder) as folder:
        rounds, others = measure(flags.programs.resolve(), pathlib.Path(folder),
                                 flags)
    results = [result_of(ratio, rounds) for ratio in RATIOS]
    print(f"\n{flags.in_flight} calls under way, {flags.keys} keys, uniform; "
          f"Get of {SMALL} bytes, durable Set of {MIDDLE} sealed; "
          f"{flags.rounds} rounds of {flags.seconds} s for each; others kept "
          f"{max(0, others):.1f} of {os.cpu_count()} processors busy\n")
    print(cell_table([{name: cell for name, cell in r.items()
                       if name != "growth"} for r in rounds]) + "\n")
    print(ratio_table(results))
    if flags.json:
        flags.json.write_text(json.dumps(results, indent=1) + "\n")
    if flags.plots:
        draw(flags.plots, results, rounds)


if __name__ == "__main__":
    main()
