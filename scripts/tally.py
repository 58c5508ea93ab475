#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Counts test cases.

  tally.py follow       shows the `go test -json` on its input as it comes
  tally.py failed FILE  of the `go test -json` in FILE the tests that failed, as
                        patterns for -run
  tally.py sum FOLDER   adds up what ./dev test left in FOLDER, and prints
                        `N passed, N failed, N skipped` last; 1 if any failed
  tally.py sum FOLDER strict
                        the same, but a case that was skipped failed: this is a
                        machine on which each can run

FOLDER holds, as far as a part was run: bazel.json (Bazel's build events) and
bazel.status, vectors.json (tests/wycheproof/vectors.py) and vectors.status, for
each run of Go's tests NAME.json (`go test -json`, second tries after the first)
and NAME.status, and notes, of lines `failed|skipped COUNT REASON`.
"""

import json
import pathlib
import re
import signal
import sys
import time
import urllib.parse
import xml.etree.ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def events(lines):
    for line in lines:
        if line.startswith("{"):
            yield json.loads(line)
        else:
            print(line.rstrip(), flush=True)  # a tool's complaint in between


def cases_in_xml(text):
    """Yields (name, outcome) of a test.xml, by GoogleTest or by Bazel."""
    for case in xml.etree.ElementTree.fromstring(text).iter("testcase"):
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, FAILED
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            yield name, SKIPPED
        else:
            yield name, PASSED


def cases_of_target(label, result):
    """The cases of one testResult event."""
    cases = []
    for output in result.get("testActionOutput", ()):
        if output["name"] == "test.xml":
            path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
            try:
                cases = list(cases_in_xml(pathlib.Path(path).read_text("utf-8")))
            except (OSError, xml.etree.ElementTree.ParseError):
                pass  # a test that died may leave none, or half a file
    good = result.get("status") in ("PASSED", "FLAKY")
    # What ended badly without a failed case (a crash, a timeout) is one.
    if not good and all(outcome != FAILED for _, outcome in cases):
        cases.append((str(result.get("status")), FAILED))
    if good and not cases:
        cases.append(("", PASSED))
    return [(f"{label} {name}".strip(), outcome) for name, outcome in cases]


def cases_from_bazel(lines):
    """The cases of every test target that was to run; unbuilt ones failed."""
    wanted, results = set(), {}
    for event in events(lines):
        (kind, identity), *_ = event["id"].items()
        if kind == "targetConfigured":
            if "testSize" in event.get("configured", {}):
                wanted.add(identity["label"])
        elif kind == "testResult":
            # A later attempt overrides an earlier one.
            run = (identity["label"], identity.get("run"), identity.get("shard"))
            results[run] = event["testResult"]
    cases = []
    for (label, _, _), result in sorted(results.items(), key=lambda i: i[0][0]):
        cases += cases_of_target(label, result)
    for label in sorted(wanted - {label for label, _, _ in results}):
        cases.append((f"{label} was not built or not run", FAILED))
    return cases


def cases_from_go(lines):
    """The cases of `go test -json`: of tests with subtests, the subtests."""
    outcomes, broken, failed_once = {}, {}, set()
    for event in events(lines):
        action, package = event["Action"], event.get("Package", "a package")
        test = event.get("Test") and f"{package} {event['Test']}"
        outcome = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED}.get(action)
        if test and action == "run":
            outcomes[test] = FAILED  # until it says otherwise
        elif test and outcome:
            outcomes[test] = outcome
            if outcome == FAILED:
                failed_once.add(test)
        elif outcome:
            broken[package] = outcome == FAILED
    cases = []
    for test, outcome in outcomes.items():
        below = [o for t, o in outcomes.items() if t.startswith(test + "/")]
        if not below or outcome == FAILED and FAILED not in below:
            cases.append((test, outcome))
            if outcome == PASSED and test in failed_once:
                print(f"passed at the second try only: {test}")
    if all(outcome != FAILED for _, outcome in cases):
        cases += [(f"{package} as a whole", FAILED)
                  for package, failed in broken.items() if failed]
    return cases


def patterns_of_failed(lines):
    """For -run, one each; nothing where what failed is no test."""
    names = [name for name, outcome in cases_from_go(lines) if outcome == FAILED]
    if any(name.endswith(" as a whole") for name in names):
        return []
    return ["/".join(f"^{re.escape(part)}$"
                     for part in name.split(" ", 1)[1].split("/"))
            for name in names]


def cases_from_vectors(lines):
    return [(event["case"], event["outcome"]) for event in events(lines)]


def sum_up(folder, strict):
    total = {PASSED: 0, FAILED: 0, SKIPPED: 0}

    def add(part, cases):
        count = {outcome: 0 for outcome in total}
        for name, outcome in cases:
            if strict and outcome == SKIPPED:
                name, outcome = f"{name} was skipped", FAILED
            count[outcome] += 1
            if outcome != PASSED:
                print(f"{outcome}: {name}")
        for outcome in total:
            total[outcome] += count[outcome]
        print(f"{part}: " + line_of(count))

    readers = {"bazel": ("C++", cases_from_bazel),
               "vectors": ("Wycheproof", cases_from_vectors),
               "go": ("daprd", cases_from_go),
               "go_sealed": ("daprd, sealed", cases_from_go)}
    for status in sorted(folder.glob("*.status")):
        name = status.name.removesuffix(".status")
        part, read = readers.get(name, (name.replace("_", ", "), cases_from_go))
        report = folder / f"{name}.json"
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
        cases = read(lines)
        code = int(status.read_text())
        outcomes = {outcome for _, outcome in cases}
        if code != 0 and FAILED not in outcomes:
            cases.append((f"{name} ended with exit code {code}", FAILED))
        elif not outcomes & {PASSED, FAILED}:
            cases.append((f"{name} ran nothing", FAILED))
        add(part, cases)
    notes = folder / "notes"
    for line in notes.read_text("utf-8").splitlines() if notes.exists() else ():
        outcome, count, reason = line.split(" ", 2)
        total[outcome] += int(count)
        print(f"{outcome}: {count} {reason}")
    print(line_of(total))
    return 1 if total[FAILED] else 0


def line_of(count):
    return ", ".join(f"{count[o]} {o}" for o in (PASSED, FAILED, SKIPPED))


def follow(lines):
    """One line for each top-level test; of what did not pass, what it said."""
    said, began, running = {}, time.monotonic(), {"name": "the build"}

    def show_life(*_):
        waited = time.monotonic() - began
        print(f"     at {running['name']}, after {waited:.0f} s", flush=True)

    signal.signal(signal.SIGALRM, show_life)
    signal.setitimer(signal.ITIMER_REAL, 30, 30)
    for event in events(lines):
        action, test = event["Action"], event.get("Test", "")
        if action in ("output", "build-output"):
            if test:
                said.setdefault(test, []).append(event["Output"])
            else:
                print(event["Output"], end="", flush=True)
        elif action == "run":
            running["name"] = test
        elif action in ("pass", "fail", "skip") and test:
            texts = said.pop(test, [])
            if "/" not in test:
                word = {"pass": "ok  ", "fail": "FAIL", "skip": "SKIP"}[action]
                print(f"{word} {test} {event.get('Elapsed', 0):.1f} s", flush=True)
            if action != "pass":
                print("".join("     " + text for text in texts), flush=True)
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["follow"]:
        sys.exit(follow(sys.stdin))
    if len(sys.argv) == 3 and sys.argv[1] == "failed":
        print(*patterns_of_failed(open(sys.argv[2], encoding="utf-8")), sep="\n")
        sys.exit(0)
    if sys.argv[1:2] == ["sum"] and sys.argv[3:] in ([], ["strict"]):
        sys.exit(sum_up(pathlib.Path(sys.argv[2]), bool(sys.argv[3:])))
    sys.exit(__doc__)
