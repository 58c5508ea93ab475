#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares gRPC's asynchronous and callback server APIs: see README.md.

Every round measures every peer in every cell, in shuffled order. On a shared
machine the neighbours are the largest error, so a round waits for a quiet
moment if it is allowed to (--patience), of each cell only the rounds count in
which other processes used least of the processor, and a ratio is the median of
the ratios within a round.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
BINARIES = HERE.parent.parent / "bazel-bin" / "bench" / "wire"
# The first is what the others are divided by.
PEERS = {
    "async": ["async_peer"],
    "async_done": ["async_peer", "--notify-when-done"],
    "callback": ["callback_peer"],
    "callback_tuned": ["callback_peer", "--throughput"],
}
DAPRD_PORT = 43500


def cpu_seconds(pid):
    """CPU time that the threads of `pid` used so far."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total * 1e-9


def machine_seconds():
    """CPU time that everybody on this machine used so far."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, softirq = map(int, fields[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Peers:
    """The running peers, and daprd in front of them if there is one."""

    def __init__(self, folder, daprd):
        self.folder = folder
        self.processes = {}
        self.daprd = None
        try:
            for name, command in PEERS.items():
                self.start_peer(name, command)
            if daprd:
                self.start_daprd(daprd)
        except BaseException:
            self.stop()
            raise

    def socket(self, name):
        # daprd knows the store behind x.sock as type state.x.
        return self.folder / "sockets" / (name.replace("_", "") + ".sock")

    def start_peer(self, name, command):
        self.socket(name).parent.mkdir(exist_ok=True)
        self.processes[name] = subprocess.Popen(
            [BINARIES / command[0], "--socket", self.socket(name)]
            + command[1:])
        wait_for(self.socket(name).exists, f"{name}'s socket")

    def start_daprd(self, daprd):
        resources = self.folder / "resources"
        resources.mkdir()
        for name in PEERS:
            (resources / f"{name}.yaml").write_text(
                "apiVersion: dapr.io/v1alpha1\nkind: Component\n"
                f"metadata: {{name: {name}}}\n"
                f"spec: {{type: state.{self.socket(name).stem}, "
                "version: v1, metadata: []}\n")
        port = DAPRD_PORT
        log = open(self.folder / "daprd.log", "wb")
        self.daprd = subprocess.Popen(
            [daprd, "--mode=standalone", "--app-id=wire",
             f"--resources-path={resources}", f"--dapr-http-port={port}",
             f"--dapr-grpc-port={port + 1}",
             f"--dapr-internal-grpc-port={port + 2}",
             f"--metrics-port={port + 3}", "--enable-profiling=false",
             "--dapr-listen-addresses=127.0.0.1",
             "--dapr-internal-grpc-listen-address=127.0.0.1",
             "--metrics-listen-address=127.0.0.1", "--log-level=warn"],
            stdout=log, stderr=log,
            env={**os.environ, "DAPR_COMPONENTS_SOCKETS_FOLDER":
                 str(self.folder / "sockets")})
        wait_for(lambda: healthy(port), "daprd; see daprd.log")

    def stop(self):
        for process in [self.daprd, *self.processes.values()]:
            if process:
                process.send_signal(signal.SIGTERM)
        for process in [self.daprd, *self.processes.values()]:
            if process:
                process.wait(timeout=30)


def wait_for(ready, what):
    end = time.monotonic() + 30
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"waited 30 s in vain for {what}")
        time.sleep(0.05)


def healthy(port):
    url = f"http://127.0.0.1:{port}/v1.0/healthz"
    try:
        return urllib.request.urlopen(url, timeout=1).status == 204
    except (urllib.error.URLError, OSError):
        return False


def run_direct(peers, name, op, in_flight, seconds):
    out = subprocess.run(
        [BINARIES / "wire_client", "--socket", peers.socket(name), "--op", op,
         "--in-flight", str(in_flight), "--seconds", str(seconds),
         "--server-pid", str(peers.processes[name].pid)],
        check=True, stdout=subprocess.PIPE, timeout=60).stdout
    return json.loads(out)


def run_daprd(peers, name, op, clients, seconds):
    pid = peers.processes[name].pid
    cpu, dapr_cpu = cpu_seconds(pid), cpu_seconds(peers.daprd.pid)
    out = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "-s",
         HERE / "state.lua", f"http://127.0.0.1:{DAPRD_PORT}", "--", name, op],
        check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()
    line = next(l for l in out.splitlines() if l.startswith("JSON "))
    result = json.loads(line[len("JSON "):])
    if result["errors"]:
        sys.exit(f"{result['errors']} errors from {name} {op}: {out}")
    result["server_cpu_us"] = (cpu_seconds(pid) - cpu) / result["calls"] * 1e6
    result["daprd_cpu_us"] = (
        (cpu_seconds(peers.daprd.pid) - dapr_cpu) / result["calls"] * 1e6)
    return result


class Patience:
    """Waits for quiet moments, for `seconds` in all."""

    QUIET_CORES = 0.2
    SAMPLE_SECONDS = 0.5

    def __init__(self, seconds):
        self.left = seconds

    def wait(self):
        while self.left > 0:
            used = machine_seconds()
            time.sleep(self.SAMPLE_SECONDS)
            self.left -= self.SAMPLE_SECONDS
            if (machine_seconds() - used) / self.SAMPLE_SECONDS < (
                    self.QUIET_CORES):
                return


def measure(peers, run, cell, name, seconds):
    """One run, with the cores that strangers used meanwhile."""
    def ours():
        pids = [p.pid for p in peers.processes.values()]
        pids += [peers.daprd.pid] if peers.daprd else []
        return children_seconds() + sum(map(cpu_seconds, pids))

    begin, machine, own = time.monotonic(), machine_seconds(), ours()
    result = run(peers, name, *cell, seconds)
    result["others"] = max(
        0, (machine_seconds() - machine) - (ours() - own)) / (
            time.monotonic() - begin)
    return result


def quiet_half(rounds):
    loudness = lambda results: max(r["others"] for r in results.values())
    return sorted(rounds, key=loudness)[:max(1, (len(rounds) + 1) // 2)]


def print_table(title, cells, fields):
    print(f"\n### {title}\n")
    print("| op, in flight | peer | " + " | ".join(fields)
          + " | " + " | ".join(f"{f} ÷ async" for f in fields)
          + " | others' cores |")
    print("|---" * (3 + 2 * len(fields)) + "|")
    base = next(iter(PEERS))
    for cell, rounds in cells.items():
        rounds = quiet_half(rounds)
        for name in PEERS:
            median = lambda f: statistics.median(r[name][f] for r in rounds)
            ratio = lambda f: statistics.median(
                r[name][f] / r[base][f] for r in rounds)
            row = [f"{cell[0]}, {cell[1]}", name]
            row += [f"{median(f):.1f}" if f.endswith("_us")
                    else f"{median(f):.0f}" for f in fields]
            row += [f"{ratio(f):.2f}" for f in fields]
            row.append(f"{median('others'):.2f}")
            print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def compare(title, peers, run, cells, fields, rounds, seconds, chance,
            patience):
    results = {cell: [] for cell in cells}
    for number in range(rounds):
        order = list(cells)
        chance.shuffle(order)
        for cell in order:
            names = list(PEERS)
            chance.shuffle(names)
            patience.wait()
            results[cell].append(
                {n: measure(peers, run, cell, n, seconds) for n in names})
        print(f"{title}: round {number + 1} of {rounds}", file=sys.stderr)
    print_table(f"{title}: {rounds} rounds of {seconds} s per cell and peer, "
                "the quieter half counts", results, fields)
    return {f"{c[0]} {c[1]}": r for c, r in results.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--daprd-rounds", type=int, default=10)
    parser.add_argument("--daprd-seconds", type=int, default=2)
    parser.add_argument("--patience", type=float, default=0,
                        help="seconds to wait for quiet moments, in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--raw", help="a file for every single result")
    flags = parser.parse_args()
    daprd = os.environ.get("DAPRD_BIN")
    if daprd and not shutil.which("wrk"):
        sys.exit("DAPRD_BIN is set and wrk is missing: apt-get install wrk")

    chance = random.Random(flags.seed)
    patience = Patience(flags.patience)
    raw = {}
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        peers = Peers(pathlib.Path(folder), daprd)
        try:
            if flags.rounds:
                raw["direct"] = compare(
                    "C++ client, one connection", peers, run_direct,
                    [(op, k) for op in ("ping", "get", "set")
                     for k in (1, 4, 16, 64)],
                    ["qps", "p50_us", "p99_us", "server_cpu_us"],
                    flags.rounds, flags.seconds, chance, patience)
            if daprd and flags.daprd_rounds:
                for name in PEERS:
                    run_daprd(peers, name, "set", 4, 1)
                raw["daprd"] = compare(
                    "wrk, daprd's HTTP API", peers, run_daprd,
                    [(op, k) for op in ("get", "set") for k in (1, 32)],
                    ["qps", "p50_us", "p99_us", "server_cpu_us",
                     "daprd_cpu_us"],
                    flags.daprd_rounds, flags.daprd_seconds, chance,
                    patience)
            else:
                print("\nDAPRD_BIN is not set: not measured behind daprd.")
        finally:
            peers.stop()
    if flags.raw:
        pathlib.Path(flags.raw).write_text(json.dumps(raw))


if __name__ == "__main__":
    main()
