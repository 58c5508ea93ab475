#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/conformance.md from runs of Dapr's own conformance suite.

  conformance_page.py check SECTION PLAIN SEALED   1 if the page says otherwise
  conformance_page.py write SECTION PLAIN SEALED   makes the page say so

SECTION names what the suite was taken from, `dapr 1.18.2, components-contrib
1.18.3`, and is a heading of the page. PLAIN and SEALED are the `go test -json`
of tests/dapr/conformance on plain and on sealed stores. Only that section is
looked at; the others are of other runs.
"""

import difflib
import json
import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/conformance.md"
PACKAGE = "/conformance"
SUITE, TTL = "TestUpstreamsSuite", "TestUpstreamsSuiteOfTimeToLive"

PREAMBLE = """\
# Conformance

Dapr's own suite for state stores, `tests/conformance/state` of
components-contrib, against the socket of `statecpp`, through the client that
daprd uses. `./dev test conformance --write` made this page from what the tests
in [tests/dapr/conformance](../tests/dapr/conformance/conformance_test.go)
reported, and `./dev test conformance` fails where it says anything else. The
sections of older Dapr belong to `./dev test full`.

A case has upstream's name. *Clean* is a store that was just made; *held* has
some thousand rows of other keys and was closed and opened since. The suite is
told `transaction`, `etag`, `first-write`, `query`, `ttl` and `actorStateStore`.
It also finds that `DELETE_WITH_PREFIX` and `KEYS_LIKE` are not claimed: no
pluggable store can offer them.

Upstream's cases about `ttlExpireTime` run only where a store does *not* claim
TTL. They are in the last table of each section: there the test's client keeps
TTL to itself, which the first of these cases finds."""


def cases(path):
    """The outcome of each case of the two tests, in the order they began."""
    outcomes = {}
    for line in path.read_text("utf-8").splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if not event.get("Package", "").endswith(PACKAGE):
            continue
        test, action = event.get("Test", ""), event["Action"]
        if action == "run":
            outcomes[test] = "**no end**"
        elif action in ("pass", "fail", "skip"):
            outcomes[test] = {"pass": "passed", "fail": "**failed**",
                              "skip": "skipped"}[action]
    outcomes.pop("", None)
    # A case with cases below it only adds them up.
    return {test: outcome for test, outcome in outcomes.items()
            if not any(other.startswith(test + "/") for other in outcomes)}


def below(outcomes, prefix):
    return {test[len(prefix) + 1:]: outcome
            for test, outcome in outcomes.items()
            if test.startswith(prefix + "/")}


def table(columns):
    names = list(dict.fromkeys(case for column in columns.values()
                               for case in column))
    yield "| case | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for case in names:
        row = [column.get(case, "not run") for column in columns.values()]
        yield f"| `{case}` | " + " | ".join(row) + " |"


def section(name, plain, sealed):
    runs = {"plain": cases(plain), "sealed": cases(sealed)}
    columns = {f"{store}, {run}": below(outcomes, f"{SUITE}/{store}")
               for store in ("clean", "held")
               for run, outcomes in runs.items()}
    ordinary = {case for column in columns.values() for case in column}
    ttl = {run: {case: outcome for case, outcome in below(outcomes, TTL).items()
                 if case not in ordinary}
           for run, outcomes in runs.items()}
    count = sum(len(column) for column in [*columns.values(), *ttl.values()])
    passed = sum(outcome == "passed"
                 for column in [*columns.values(), *ttl.values()]
                 for outcome in column.values())
    yield f"## {name}"
    yield ""
    yield f"{passed} of {count} passed."
    yield ""
    yield from table(columns)
    yield ""
    yield from table(ttl)


def sections_of(page):
    """The page's sections by name; "" is what comes before the first."""
    name, found = "", {"": []}
    for line in page.splitlines():
        if line.startswith("## "):
            name = line[3:]
            found[name] = []
        found[name].append(line)
    return {name: "\n".join(lines).rstrip() for name, lines in found.items()}


def main(verb, name, plain, sealed):
    text = "\n".join(section(name, pathlib.Path(plain), pathlib.Path(sealed)))
    if "| passed |" not in text:
        sys.exit(f"{plain} and {sealed} hold no case of the suite that passed")
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    sections = sections_of(page)
    wanted = {**sections, "": PREAMBLE, name: text}
    # Newest first.
    order = sorted(wanted, key=lambda n: (n == "", n), reverse=True)
    remade = "\n\n".join(wanted[n] for n in order) + "\n"
    if remade == page:
        return 0
    if verb == "write":
        PAGE.write_text(remade, "utf-8")
        print(f"wrote docs/{PAGE.name}")
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        page.splitlines(True), remade.splitlines(True), "committed", "this run"))
    print(f"docs/{PAGE.name} is not what this run says: if the run is right, "
          "./dev test conformance --write")
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
