# SPDX-License-Identifier: Apache-2.0
"""A server of the real program under load, and a real Prometheus beside it."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

PATIENCE_S = 60


def await_true(condition, what, within=PATIENCE_S):
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {within} s")
        time.sleep(0.1)


def get(url, **parameters):
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    with urllib.request.urlopen(url + query, timeout=PATIENCE_S) as answer:
        return answer.read().decode()


class Server:
    """`statecpp serve` with metrics, on a port that the system chose."""

    def __init__(self, program, folder, *flags):
        self.socket = folder / "sockets" / "cpp.sock"
        self.log = folder / "server.log"
        key = folder / "test.key"
        key.write_bytes(bytes(range(32)))
        key.chmod(0o600)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--data-root", folder / "data",
                 "--socket-folder", folder / "sockets", "--key-file", key,
                 "--metrics-address", "127.0.0.1:0", *flags], stderr=log)
        await_true(lambda: "ready: " in self.said(), "ready")
        self.url = re.search(r"http://127\.0\.0\.1:\d+", self.said())[0]

    def said(self):
        return self.log.read_text("utf-8", "replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


class Prometheus:
    """Debian's Prometheus, which scrapes one server each second."""

    def __init__(self, folder, target, rules):
        self.folder = folder
        shutil.copy(rules, folder / "alerts.yaml")
        (folder / "prometheus.yml").write_text(json.dumps({  # JSON is YAML
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yaml"],
            "scrape_configs": [{
                "job_name": "statecpp",
                "static_configs": [{"targets": [target]}]}]}))
        for _ in range(5):  # somebody else may take the port meanwhile
            if self._start():
                return
        raise AssertionError("Prometheus does not start: " +
                             (folder / "log").read_text())

    def _start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                get(self.url + "/-/ready")
                return True
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        self.process.kill()
        return False

    def ask(self, path, **parameters):
        try:
            answer = json.loads(get(self.url + path, **parameters))
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{parameters}: {refusal.read()}") from refusal
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        return self.ask("/api/v1/query", query=expression)["result"]

    def query_range(self, expression, start, end, step):
        return self.ask("/api/v1/query_range", query=expression, start=start,
                        end=end, step=step)["result"]

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


class Observed:
    """All of it: a server, its load for so many seconds, and Prometheus."""

    def __init__(self, program, load, rules, seconds):
        self.program = program
        self.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.folder.name)
        (root / "prometheus").mkdir()
        self.server = Server(program, root, "--slow-operation", "10s")
        self.load = subprocess.Popen(
            [load, self.server.socket, str(seconds)], stdout=subprocess.DEVNULL,
            env={"STATECPP_TEST_SEALED": "1"})
        self.prometheus = Prometheus(
            root / "prometheus", self.server.url.split("//")[1], rules)

    def back_up(self):
        subprocess.run(
            [self.program, "backup", self.server.log.parent / "copy",
             "--data-root", self.server.log.parent / "data", "--store",
             "orders"], check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=PATIENCE_S)

    def verify(self):
        subprocess.run(
            [self.program, "verify", "--data-root",
             self.server.log.parent / "data", "--store", "orders"], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.load.kill()
        self.load.wait()
        self.prometheus.stop()
        self.server.stop()
        self.folder.cleanup()


def panels(dashboard):
    """Yields each panel of a Grafana dashboard that asks for something."""
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield panel


def expression(target, interval):
    """What Grafana would ask for, of all instances and components, with that
    interval."""
    return (target["expr"].replace("$instance", ".*").replace("$component", ".*")
            .replace("$__rate_interval", interval))
