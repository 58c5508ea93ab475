#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""An app's calls through real daprd: state.cpp beside Dapr's own stores.

  through_daprd.py STATECPP DAPRD LOAD    (./dev bench daprd calls it so)

One daprd has a component of each store. Every round measures them in turns, by
a closed loop with 1 and with 32 clients and by an open loop at half the rate
that 32 clients came to; a ratio is taken within a round. README.md says more.
"""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ratios import (Ratio, Side, number, ratio_table,  # noqa: E402
                    result_of, table)
from rivals import Process, Redis, cpu_seconds, end_in_order  # noqa: E402

STORES = ("cpp", "redis", "sqlite", "in-memory")
OPS = ("get", "set")
LOOPS = ("1 client", "32 clients", "half of it")


def latency(op, rival, goal=None):
    """Of one client, by the median: nobody waits for anybody else."""
    return Ratio(f"{op}, 1 client: p50 of state.cpp / state.{rival}",
                 Side(f"{op} {LOOPS[0]} cpp", "p50_us"),
                 Side(f"{op} {LOOPS[0]} {rival}", "p50_us"), "lower", goal)


def rate(op, rival, goal=None):
    """Of 32 clients, by their calls, which is by the mean: a store that serves
    some and lets the others wait may have a fine median."""
    return Ratio(f"{op}, 32 clients: calls of state.cpp / state.{rival}",
                 Side(f"{op} {LOOPS[1]} cpp", "qps"),
                 Side(f"{op} {LOOPS[1]} {rival}", "qps"), "higher", goal)


RATIOS = [
    latency("get", "redis", 1), rate("get", "redis", 1),
    latency("get", "in-memory"), rate("get", "in-memory"),
    latency("set", "sqlite", 1), rate("set", "sqlite", 1),
    # Here a stretch, that of being faster than Redis, has no goal before it.
    latency("set", "redis"), rate("set", "redis"),
]


def component(name, properties):
    items = "".join(f"  - name: {key}\n    value: \"{value}\"\n"
                    for key, value in properties.items())
    return ("apiVersion: dapr.io/v1alpha1\nkind: Component\n"
            f"metadata:\n  name: {name}\nspec:\n  type: state.{name}\n"
            "  version: v1\n  metadata:" + (f"\n{items}" if items else " []\n"))


def free_ports(count):
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Sidecar:
    """daprd, and the stores that are processes behind it."""

    def __init__(self, stack, flags, folder):
        self.flags = flags
        sockets = folder / "sockets"
        sockets.mkdir()
        store = Process(
            [flags.statecpp, "serve", "--dev", "--data-root", folder / "data",
             "--socket-folder", sockets], folder / "cpp",
            (sockets / "cpp.sock").exists)
        stack.callback(store.stop)
        # By TCP, since state.redis knows no sockets.
        port, = free_ports(1)
        redis = Redis(folder / "redis", "always", flags.keys, port)
        stack.callback(redis.stop)
        resources = folder / "resources"
        resources.mkdir()
        for name, properties in {
                "cpp": {},
                "redis": {"redisHost": f"127.0.0.1:{port}"},
                "sqlite": {"connectionString": folder / "state.db"},
                "in-memory": {}}.items():
            (resources / f"{name}.yaml").write_text(
                component(name, properties))
        self.servers = {"cpp": store, "redis": redis.process}
        self.daprd = self.start_daprd(folder, resources, sockets)
        stack.callback(self.daprd.stop)
        self.filled = set()

    def start_daprd(self, folder, resources, sockets):
        http, self.port, internal, metrics = free_ports(4)

        def ready():
            url = f"http://127.0.0.1:{http}/v1.0/healthz"
            try:
                return urllib.request.urlopen(url, timeout=1).status == 204
            except (urllib.error.URLError, OSError):
                return False
        return Process(
            [self.flags.daprd, "--mode=standalone", "--app-id=bench",
             f"--resources-path={resources}", f"--dapr-http-port={http}",
             f"--dapr-grpc-port={self.port}",
             f"--dapr-internal-grpc-port={internal}",
             f"--metrics-port={metrics}", "--enable-profiling=false",
             "--dapr-listen-addresses=127.0.0.1",
             "--dapr-internal-grpc-listen-address=127.0.0.1",
             "--metrics-listen-address=127.0.0.1", "--log-level=warn"],
            folder / "daprd", ready,
            env={**os.environ, "DAPR_COMPONENTS_SOCKETS_FOLDER": str(sockets)})

    def measure(self, store, op, *loop):
        pids = [self.daprd.pid]
        if store in self.servers:
            pids.append(self.servers[store].pid)
        command = [self.flags.load, "-address", f"127.0.0.1:{self.port}",
                   "-store", store, "-op", op, "-seconds", self.flags.seconds,
                   "-keys", self.flags.keys, *loop]
        if store not in self.filled:
            self.run([*command[:-len(loop)], "-seconds", 0.05])
            self.filled.add(store)
        before = sum(map(cpu_seconds, pids))
        said = self.run([*command, "-filled"])
        spent = sum(map(cpu_seconds, pids)) - before
        return {**said, "cpu_us": spent * 1e6 / max(1, said["calls"])}

    @staticmethod
    def run(command):
        said = subprocess.run([str(word) for word in command],
                              stdout=subprocess.PIPE, timeout=600)
        if said.returncode != 0:
            sys.exit(f"{command[0]} ended with {said.returncode}")
        return json.loads(said.stdout)


def one_round(sidecar):
    cells = {}
    for op in OPS:
        for clients, loop in ((1, LOOPS[0]), (32, LOOPS[1])):
            for store in STORES:
                cells[f"{op} {loop} {store}"] = sidecar.measure(
                    store, op, "-clients", clients)
        for store in STORES:
            most = cells[f"{op} {LOOPS[1]} {store}"]["qps"]
            cells[f"{op} {LOOPS[2]} {store}"] = sidecar.measure(
                store, op, "-rate", max(20, most / 2))
    return cells


def side_by_side(rounds):
    """A table: a row for each loop and figure, a column for each store."""
    rows = []
    for op in OPS:
        for loop in LOOPS:
            for name, label in (("qps", "calls/s"), ("p50_us", "p50, us"),
                                ("p99_us", "p99, us"),
                                ("p999_us", "p99.9, us"),
                                ("cpu_us", "CPU, us/call")):
                rows.append([op, loop, label] + [
                    number(statistics.median(
                        r[f"{op} {loop} {store}"][name] for r in rounds))
                    for store in STORES])
    return table(["op", "loop", ""] + [f"state.{s}" for s in STORES], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for program in ("statecpp", "daprd", "load"):
        parser.add_argument(program, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0,
                        help="for each cell of a round")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--json", type=pathlib.Path,
                        help="a file for the ratios")
    parser.add_argument("--folder", type=pathlib.Path,
                        default=os.environ.get("STATECPP_BENCH_DIR", "/tmp"),
                        help="on the disk that is measured")
    flags = parser.parse_args()
    end_in_order()
    rounds = []
    with tempfile.TemporaryDirectory(prefix="statecpp-daprd-",
                                     dir=flags.folder) as folder:
        with contextlib.ExitStack() as stack:
            sidecar = Sidecar(stack, flags, pathlib.Path(folder))
            for i in range(flags.rounds):
                rounds.append(one_round(sidecar))
                print(f"round {i + 1} of {flags.rounds}", file=sys.stderr)
    print(f"\nvalues of 1 KiB, {flags.keys} keys, uniform; medians of "
          f"{flags.rounds} rounds of {flags.seconds} s for each\n")
    print(side_by_side(rounds) + "\n")
    results = [result_of(ratio, rounds) for ratio in RATIOS]
    print(ratio_table(results))
    if flags.json:
        flags.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
