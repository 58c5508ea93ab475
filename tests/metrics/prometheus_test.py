#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Whether what the server shows is what Prometheus, the alerts, the dashboard
and docs/operations.md take it for: asked of a real Prometheus.

With STATECPP_UPDATE_DOCS=1 it writes the table in docs/operations.md."""

import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

# Bazel starts this file through a link; beside the real one stands what it
# needs, and two folders up the tree.
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
from observed import (Observed, await_true, expression, get,  # noqa: E402
                      panels)

# From the folder in which Bazel runs tests.
PROGRAM = pathlib.Path("statecpp").absolute()
LOAD = pathlib.Path("tests/metrics/load").absolute()
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "statecpp.json"
PAGE = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- metrics -->\n", "<!-- /metrics -->\n"


def promtool(*arguments, folder=None, text=None):
    done = subprocess.run(["promtool", *arguments], input=text, text=True,
                          cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def described(scrape):
    """Yields (name, type, labels, help) of each metric of a scrape."""
    labels = {}
    for name, inside in re.findall(r"^(\w+)\{(.*)\} ", scrape, re.M):
        name = re.sub(r"_(bucket|sum|count)$", "", name)
        found = set(re.findall(r'(\w+)="', inside)) - {"le"}
        labels.setdefault(name, set()).update(found)
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", scrape, re.M))
    for name, text in re.findall(r"^# HELP (\w+) (.*)$", scrape, re.M):
        yield name, types[name], sorted(labels.get(name, ())), text


def table(scrape):
    lines = ["| metric | type | labels | |", "|---|---|---|---|"]
    for name, kind, labels, text in described(scrape):
        shown = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{name}` | {kind} | {shown} | {text} |")
    return "\n".join(lines) + "\n"


class PrometheusTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.observed = Observed(PROGRAM, LOAD, ALERTS, seconds=600)
        cls.addClassCleanup(cls.observed.__exit__)
        cls.prometheus = cls.observed.prometheus
        # Enough for a rate, with expired items removed and queries answered.
        for series in ("up{job='statecpp'}", "statecpp_ttl_expired_total > 0",
                       "statecpp_query_returned_total > 0",
                       "statecpp_refused_calls_total > 0"):
            await_true(lambda: cls.prometheus.query(series), series)
        cls.observed.back_up()
        cls.observed.verify()
        for series in ("statecpp_backup_bytes",
                       "statecpp_verify_last_success_timestamp_seconds"):
            await_true(lambda: cls.prometheus.query(series), series)
        await_true(lambda: cls.prometheus.query(
            "count_over_time(statecpp_ttl_expired_total[1m]) > 5"), "samples")
        cls.scrape = get(cls.observed.server.url + "/metrics")

    def test_promtool_finds_nothing_to_complain_of(self):
        self.assertEqual(promtool("check", "metrics", text=self.scrape),
                         (0, ""))

    def test_promtool_complains_where_there_is_something(self):
        code, said = promtool("check", "metrics",
                              text="# TYPE a_counter counter\na_counter 1\n")
        self.assertNotEqual(code, 0, said)

    def test_the_docs_name_each_metric(self):
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        found, after = rest.split(END)
        wanted = table(self.scrape)
        if os.environ.get("STATECPP_UPDATE_DOCS"):
            PAGE.write_text(before + BEGIN + wanted + END + after,
                            encoding="utf-8")
        else:
            self.assertEqual(found, wanted, "run this with "
                             "STATECPP_UPDATE_DOCS=1 to write the table")

    def test_no_label_says_more_than_it_may(self):
        for name, _, labels, _ in described(self.scrape):
            self.assertLessEqual(
                set(labels), {"component", "operation", "result", "key_id",
                              "reason", "version", "lmdb"}, name)

    def test_each_query_of_the_dashboard_has_an_answer(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        self.assertGreater(len(list(panels(dashboard))), 20)
        for panel in panels(dashboard):
            for target in panel["targets"]:
                asked = expression(target, "1m")
                with self.subTest(panel=panel["title"], asked=asked):
                    values = [float(each["value"][1])
                              for each in self.prometheus.query(asked)]
                    self.assertTrue(
                        [v for v in values if not math.isnan(v)], values)
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                self.assertEqual(variable["query"]["query"], "label_values("
                                 f"statecpp_instance_up, {variable['name']})")

    def test_the_dashboard_can_show_one_instance_of_several(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        for panel in panels(dashboard):
            for target in panel["targets"]:
                with self.subTest(panel=panel["title"]):
                    self.assertIn('instance=~"$instance"', target["expr"])

    def test_the_dashboard_asks_for_each_metric_of_ours(self):
        text = DASHBOARD.read_text(encoding="utf-8")
        for name, kind, _, _ in described(self.scrape):
            asked = re.search(rf"\b{name}(_bucket|_sum)?\b", text)
            if name.startswith("statecpp_"):
                self.assertTrue(asked, name)

    def test_each_alert_is_about_metrics_that_are_there(self):
        names = {name for name, *_ in described(self.scrape)} | {"up"}
        groups = self.prometheus.ask("/api/v1/rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertGreater(len(rules), 8)
        await_true(lambda: all(
            rule["health"] == "ok" for group in
            self.prometheus.ask("/api/v1/rules")["groups"]
            for rule in group["rules"]), "every rule was evaluated")
        for rule in rules:
            asked = set(re.findall(r"\b(?:up|statecpp_\w+)\b", re.sub(
                r'"[^"]*"', "", rule["query"])))
            with self.subTest(rule=rule["name"]):
                self.assertTrue(asked)
                self.assertLessEqual(
                    {re.sub(r"_bucket$", "", name) for name in asked}, names)

    def test_no_alert_is_about_a_server_that_is_well(self):
        # The load has more conflicts than there should be, and one component
        # that is not there.
        expected = {"StatecppConflicts", "StatecppRefusesCalls",
                    "StatecppSlow", "StatecppDiskFillsUp"}
        alerts = self.prometheus.ask("/api/v1/alerts")["alerts"]
        self.assertLessEqual(
            {alert["labels"]["alertname"] for alert in alerts}, expected)

    def test_each_alert_fires_when_it_should(self):
        self.assertEqual(promtool("check", "rules", str(ALERTS))[0], 0)
        with tempfile.TemporaryDirectory() as folder:
            for file in (ALERTS, HERE / "alerts_test.yaml"):
                shutil.copy(file, folder)
            code, said = promtool("test", "rules", "alerts_test.yaml",
                                  folder=folder)
            self.assertEqual(code, 0, said)

    def test_the_docs_say_what_to_do_at_each_alert(self):
        page = PAGE.read_text(encoding="utf-8")
        for name in re.findall(r"alert: (\w+)", ALERTS.read_text()):
            self.assertIn(f"| `{name}` |", page)


if __name__ == "__main__":
    unittest.main()
