#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The library's queries against reference_query.py.

Documents, filters, sorts and pages are random, and some of the documents and
queries are broken: STATECPP_TEST_SEED, which is printed, brings them back.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

# Where Bazel puts it, with what it needs beside it.
HERE = pathlib.Path(__file__).absolute().parent
sys.path.insert(0, str(HERE))
import reference_query as reference  # noqa: E402

# From the folder in which Bazel runs tests.
PEER = pathlib.Path("tests/query/query_peer").absolute()

SEED = int(os.environ.get("STATECPP_TEST_SEED") or random.getrandbits(64))
ROUNDS = 10
DOCUMENTS = 300  # at a time, of which some change from round to round
QUERIES = 250  # in each round

NAMES = ["a", "b", "c", "aa", "\u00e4", "a.b", "", "<a>"]
PATHS = ["a", "b", "c", "a.b", "a.a", "b.a", "a.b.c", "\u00e4", "aa.b", "<a>"]
LONG = "x" * 255
TEXTS = ["", "a", "b", "ab", "A", "1", "true", "<b>", "\u00e4", "\U0001f600",
         "\uffff", "a\0b", LONG, LONG + "y", LONG + "yz", LONG + "\u00e4", "\n"]
NUMBERS = ["0", "-0", "1", "1.0", "1e0", "10e-1", "2", "-1", "0.1", "1E2", "100",
           "9007199254740992", "9007199254740993", "9007199254740992.0",
           "9223372036854775807", "9223372036854775808",
           "-9223372036854775808", "-9223372036854775809",
           "18446744073709551615", "18446744073709551616", "1.8446744073709552e19",
           "123456789012345678901234567890", "1e400", "-1e400", "1e-400",
           "5e-324", "1.7976931348623157e308"]
# What is not JSON, and what nearly is not.
HOSTILE = [b"", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b"-Infinity", b"\x00",
           b'{"a":1}\x00', b'{"a":"\\ud800"}', b'{"a":"\\ud83d\\ude00"}',
           b'{"a":01}', b"[1,]", b'{"a":1,}', b'{"a":"\t"}', b"1 2", b"'a'", b"1\x0b", b'{"a":1\x0c}',
           b'{"a":' * 1024 + b"1" + b"}" * 1024,
           b'{"a":' * 1025 + b"1" + b"}" * 1025,
           b"[" * 1024 + b"]" * 1024, b"[" * 1025 + b"]" * 1025,
           b"[" * 100000, b'{"a":1}}', b'{"a":1}]', b'{"a":1],"b":2']


class Writer:
    """Random JSON, spelled in random ways."""

    def __init__(self, rng):
        self.rng = rng

    def space(self):
        return self.rng.choice(["", "", "", " ", "\n", "\t \r"])

    def text(self, text):
        out = ""
        for char in text:
            units = char.encode("utf-16-be")
            escaped = "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}"
                              for i in range(0, len(units), 2))
            plain = json.dumps(char, ensure_ascii=False)[1:-1]
            out += escaped if self.rng.random() < 0.1 else plain
        return f'"{out}"'

    def scalar(self):
        kind = self.rng.random()
        if kind < 0.45:
            return self.rng.choice(NUMBERS)
        if kind < 0.85:
            return self.text(self.rng.choice(TEXTS))
        return self.rng.choice(["null", "true", "false"])

    def joined(self, open_, parts, close):
        space = self.space
        inner = ",".join(space() + part + space() for part in parts)
        return space() + open_ + (inner or space()) + close + space()

    def member(self, name, value):
        return self.text(name) + self.space() + ":" + self.space() + value

    def value(self, depth):
        if depth == 0 or self.rng.random() < 0.45:
            return self.scalar()
        count = self.rng.randrange(5)
        if self.rng.random() < 0.15:
            return self.joined(
                "[", [self.value(depth - 1) for _ in range(count)], "]")
        return self.joined("{", [
            self.member(self.rng.choice(NAMES), self.value(depth - 1))
            for _ in range(count)], "}")

    def document(self):
        if self.rng.random() < 0.05:
            return self.rng.choice(HOSTILE)
        names = self.rng.sample(NAMES, self.rng.randrange(1, 6))
        names += [self.rng.choice(names)] * (self.rng.random() < 0.1)
        text = self.joined("{", [self.member(name, self.value(3))
                                 for name in names], "}")
        if self.rng.random() < 0.05:
            text = self.value(2)
        return self.maybe_broken(text.encode(), 0.15)

    def maybe_broken(self, data, share):
        if self.rng.random() >= share:
            return data
        data = bytearray(data)
        at = self.rng.randrange(len(data) + 1)
        with_what = self.rng.choice(b'"{}[],:\\0-.ex \x00\x0b\x0c\xff\x80tnu')
        self.rng.choice([
            lambda: data.insert(at, with_what),
            lambda: data.__delitem__(slice(at, at + 1)),
            lambda: data.__setitem__(slice(at, at + 1), bytes([with_what])),
            lambda: data.__delitem__(slice(at, None)),
        ])()
        return bytes(data)

    def filter(self, depth):
        if depth > 0 and self.rng.random() < 0.5:
            parts = [self.filter(depth - 1)
                     for _ in range(self.rng.randrange(2, 4))]
            return self.joined("{", [self.member(
                self.rng.choice(["AND", "OR"]),
                self.joined("[", parts, "]"))], "}")
        op = self.rng.choice(["EQ", "NEQ", "GT", "GTE", "LT", "LTE", "IN"])
        if op == "IN":
            value = self.joined("[", [self.scalar() for _ in range(
                self.rng.randrange(1, 5))], "]")
        elif op in reference.ORDERED:
            value = self.rng.choice([self.rng.choice(NUMBERS),
                                     self.text(self.rng.choice(TEXTS))])
        else:
            value = self.scalar()
        operand = self.member(self.rng.choice(PATHS), value)
        return self.joined(
            "{", [self.member(op, self.joined("{", [operand], "}"))], "}")

    def query(self):
        """A function from a token to the query's text."""
        parts = []
        if self.rng.random() < 0.9:
            parts.append(self.member("filter", self.filter(3)))
        if self.rng.random() < 0.7:
            sort = []
            for path in self.rng.sample(PATHS, self.rng.randrange(1, 4)):
                order = self.rng.choice([None, "ASC", "DESC"])
                members = [self.member("key", self.text(path))]
                if order:
                    members.append(self.member("order", self.text(order)))
                sort.append(self.joined("{", members, "}"))
            parts.append(self.member("sort", self.joined("[", sort, "]")))
        limit = self.rng.choice([0, 0, 1, 2, 7, 50])
        head = self.maybe_broken(",".join(parts).encode(), 0.05)
        return lambda token: b"{" + head + (b"," if head else b"") + (
            b'"page":{"limit":%d,"token":"%s"}}' % (limit, token))


class Peer:
    """A store in a process of its own, one line in and one line out."""

    def __init__(self, folder, sealed):
        environment = dict(os.environ)
        environment.pop("STATECPP_TEST_SEALED", None)
        if sealed:
            environment["STATECPP_TEST_SEALED"] = "1"
        self.process = subprocess.Popen(
            [PEER, folder], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(timeout=120) != 0:
            raise AssertionError(f"the peer ended with {self.process.returncode}")

    def ask(self, *words):
        line = " ".join((word.hex() or "-") if isinstance(word, bytes)
                        else str(word) for word in words)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            raise AssertionError(f"no answer to {line[:200]}")
        return answer

    def pages(self, prefix, max_bytes, query, most):
        """The pages of a query; None if it is refused."""
        pages, token = [], b""
        while len(pages) <= most:
            verdict, *words = self.ask("query", prefix, max_bytes, query(token))
            if verdict == "refused":
                return None
            token, *keys = [b"" if word == "-" else bytes.fromhex(word)
                            for word in words]
            pages.append(keys)
            if not token:
                break
        return pages


class DifferentialTest(unittest.TestCase):
    maxDiff = None

    def compare(self, sealed):
        rng = random.Random(f"{SEED} {sealed}")
        writer = Writer(rng)
        items, seen = {}, {"rows": 0, "refused": 0, "queries": 0, "not JSON": 0}
        with tempfile.TemporaryDirectory() as folder, Peer(
                os.path.join(folder, "store"), sealed) as peer:
            for _ in range(ROUNDS):
                self.change(rng, writer, items, peer)
                for _ in range(QUERIES):
                    self.ask_both(rng, writer, items, peer, seen)
        seen["not JSON"] = sum(not item.is_json for item in items.values())
        print("sealed" if sealed else "plain", seen)
        # A run in which nothing was compared is no run.
        self.assertGreater(seen["rows"], 20 * QUERIES)
        self.assertGreater(seen["refused"], QUERIES // 20)
        self.assertGreater(seen["not JSON"], DOCUMENTS // 20)

    def change(self, rng, writer, items, peer):
        for key in rng.sample(sorted(items), len(items) // 2):
            peer.ask("delete", key)
            del items[key]
        while len(items) < DOCUMENTS:
            key = b"%s%d" % (rng.choice([b"app||", b"app||x||", b"other||", b"",
                                         b"\xff"]), rng.randrange(10**6))
            items[key] = reference.Item(writer.document())
            peer.ask("set", key, items[key].value)

    def ask_both(self, rng, writer, items, peer, seen):
        query = writer.query()
        prefix = rng.choice([b"", b"", b"app||", b"app||x", b"o", b"none||"])
        max_bytes = rng.choice([1, 1000, 5000] + 9 * [4 << 20])
        try:
            want = reference.Query(query(b"")).pages(items, prefix, max_bytes)
        except reference.Malformed:
            want = None
        got = peer.pages(prefix, max_bytes, query, len(items))
        self.assertEqual(got, want, f"seed {SEED}, prefix {prefix}, max_bytes "
                         f"{max_bytes}, query {query(b'').decode(errors='replace')}")
        seen["queries"] += 1
        seen["refused"] += want is None
        seen["rows"] += sum(len(page) for page in want or [])

    def test_a_plain_store_returns_what_the_reference_does(self):
        self.compare(sealed=False)

    def test_a_sealed_store_returns_what_the_reference_does(self):
        self.compare(sealed=True)


if __name__ == "__main__":
    print(f"STATECPP_TEST_SEED={SEED}", flush=True)
    sys.setrecursionlimit(10000)
    unittest.main()
