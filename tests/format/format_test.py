#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Stores and records across two implementations.

What the program and the library write, read_store.py reads, and refuses when
somebody changed it; and what this test seals as docs/format.md says, the library
opens. Items and records are random: STATECPP_TEST_SEED, which is printed, brings
them back.
"""

import base64
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

import lmdb

# Where Bazel puts it, with what it needs beside it.
HERE = pathlib.Path(__file__).absolute().parent
sys.path.insert(0, str(HERE))
import read_store  # noqa: E402
from read_store import Cipher, Refused, Tag, b2  # noqa: E402

# From the folder in which Bazel runs tests.
STORE_PEER = pathlib.Path("tests/format/store_peer").absolute()
SERVED_PEER = pathlib.Path("tests/format/served_peer").absolute()
STATECPP = pathlib.Path("statecpp").absolute()

SEED = int(os.environ.get("STATECPP_TEST_SEED") or random.getrandbits(64))
RECORDS = 1000


def hexed(data):
    return data.hex() or "-"


class Peer:
    """A peer process, one line in and one line out."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(timeout=120) != 0:
            raise AssertionError(f"a peer ended with {self.process.returncode}")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            raise AssertionError(f"no answer to {line[:200]}")
        return answer


class Items:
    """What was written: (value, etag, expires, content type) by key."""

    def __init__(self):
        self.by_key = {}

    def set(self, peer, key, value, content_type="", ttl=0):
        word, etag, expires = peer.ask(
            f"set {hexed(key)} {hexed(value)} {hexed(content_type.encode())} {ttl}")
        assert word == "etag"
        self.by_key[key] = value, etag, int(expires), content_type

    def delete(self, peer, key):
        assert peer.ask(f"delete {hexed(key)}") == ["deleted"]
        del self.by_key[key]


def known_keys():
    return [b"k", b"a\0b", b"\0", b"|||", b"||", b"||||", b"a||", b"||a", b"a|||b",
            b"a||||b", b"1||2||3||4||5||6||7||8||9||10", b"k" * 4096,
            "\u043a\u043b\u044e\u0447||\u9375||\U0001f511".encode(), b"\xff\xfe"]


def write_items(rng, peer, items):
    """Items of every shape, some of them over again, some of them gone."""
    for n, key in enumerate(known_keys()):
        items.set(peer, key, b"value %d" % n, "text/plain" if n % 2 else "")
    for size in (0, 1, 1023, 1024, 1025, 4096, 100_000, 4 << 20):
        items.set(peer, b"size||%d" % size, rng.randbytes(size))
    for n in range(100):
        key = b"||".join(b"%x" % rng.randrange(4) for _ in range(rng.randrange(1, 9)))
        items.set(peer, key, rng.randbytes(rng.choice((3, 30, 1500))),
                  rng.choice(("", "application/json", "t" * 300)),
                  rng.choice((0, 0, 3_600_000, 86_400_001)))
    for key in rng.sample(sorted(items.by_key), 10):
        items.delete(peer, key)


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.store = self.folder / "store"
        self.master = self.rng.randbytes(32)

    def peer(self, key="master"):
        return Peer(STORE_PEER, "write", self.store,
                    hexed(self.master if key == "master" else key))

    def key_file(self, content):
        path = self.folder / "key"
        path.write_bytes(content)
        path.chmod(0o600)
        return path

    def run_reader(self, *arguments):
        return subprocess.run([HERE / "read_store.py", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def assert_reads(self, items, *key_file, store=None, in_seconds=False):
        """The reader prints exactly these items."""
        run = self.run_reader(store or self.store, *key_file)
        self.assertEqual(run.returncode, 0, run.stderr)
        found = {}
        for line in run.stdout.splitlines():
            item = json.loads(line)
            key = (item["key"].encode() if "key" in item
                   else base64.b64decode(item["keyBase64"]))
            self.assertNotIn(key, found)
            expires = item.get("expires", 0)
            found[key] = (base64.b64decode(item["valueBase64"]), item["etag"],
                          expires // 1000 if in_seconds else expires,
                          item.get("contentType", ""))
        self.assertEqual(sorted(found), sorted(items.by_key))
        for key, expected in items.by_key.items():
            self.assertEqual(found[key], expected, key[:80])

    def refusal(self, master="master", store=None):
        """Why the reader does not read the store; it must not."""
        with self.assertRaises(Refused) as refused:
            read_store.read(store or self.store,
                            self.master if master == "master" else master)
        return refused.exception.code, str(refused.exception)

    # The store's tables, past the store.

    def entries(self, table):
        with lmdb.open(str(self.store), readonly=True, lock=False,
                       max_dbs=3) as env:
            db = env.open_db(table, create=False)
            with env.begin(db=db) as txn:
                return dict(txn.cursor())

    def plant(self, table, entries):
        """Each value at its key, in one transaction; None: nothing there."""
        with lmdb.open(str(self.store), max_dbs=3, map_size=1 << 28,
                       sync=False) as env:
            db = env.open_db(table, create=False)
            with env.begin(db=db, write=True) as txn:
                for key, value in entries.items():
                    txn.delete(key) if value is None else txn.put(key, value)


class ReadingTest(StoreTest):
    def test_prints_exactly_what_the_library_wrote(self):
        items = Items()
        with self.peer() as peer:
            write_items(self.rng, peer, items)
        self.assert_reads(items, self.key_file(self.master))
        self.assertTrue(self.entries(b"expiry"))

    def test_so_it_does_after_keys_were_changed(self):
        items, second = Items(), self.rng.randbytes(32)
        with self.peer() as peer:
            write_items(self.rng, peer, items)
            self.assertEqual(peer.ask(f"add second {second.hex()}"), ["added"])
            self.assertEqual(peer.ask("rotate"), ["rotated", "2"])
        for key in (self.master, second):
            self.assert_reads(items, self.key_file(key))
        with self.peer(second) as peer:
            self.assertEqual(peer.ask("retire 1"), ["retired"])
            self.assertEqual(peer.ask("rotate"), ["rotated", "3"])
            items.set(peer, b"after", b"the rotation")
        for key in (self.master, second):
            self.assert_reads(items, self.key_file(key))

    def test_prints_what_is_in_a_plain_store(self):
        items = Items()
        with self.peer(b"") as peer:
            write_items(self.rng, peer, items)
        self.assert_reads(items)
        self.assertEqual(self.refusal()[0], 7)

    def test_prints_nothing_of_an_empty_store(self):
        with self.peer():
            pass
        self.assert_reads(Items(), self.key_file(self.master))

    def test_prints_exactly_what_a_server_wrote(self):
        items, sockets = Items(), self.folder / "sockets"
        key_file = self.key_file(self.master)
        log = (self.folder / "log").open("w+")
        self.addCleanup(log.close)
        server = subprocess.Popen(
            [STATECPP, "serve", "--data-root", self.folder / "data",
             "--socket-folder", sockets, "--key-file", key_file],
            stdout=log, stderr=log)
        try:
            subprocess.run([STATECPP, "health", "--wait", "60s",
                            "--socket-folder", sockets], check=True,
                           stdout=subprocess.DEVNULL)
            with Peer(SERVED_PEER, sockets / "cpp.sock") as peer:
                for n, key in enumerate(known_keys()):
                    if key != b"\xff\xfe":  # a key of Dapr's is text
                        items.set(peer, key, self.rng.randbytes(n * 200),
                                  "text/plain" if n % 3 else "", n % 4 * 3600)
                items.set(peer, b"k", b"again")
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=60)
        self.assertEqual(code, 0, (self.folder / "log").read_text())
        self.assert_reads(items, key_file, store=self.folder / "data/stores/orders",
                          in_seconds=True)


class RefusingTest(StoreTest):
    def setUp(self):
        super().setUp()
        self.items = Items()
        with self.peer() as peer:
            self.items.set(peer, b"a||1", b"of a")
            self.items.set(peer, b"a||2", b"of b", "text/plain", 3_600_000)
            self.items.set(peer, b"large", b"v" * 1500)
        self.records = self.entries(b"records")
        self.meta = self.entries(b"meta")
        keys = self.keys()
        self.places = {key: keys.record_key(key) for key in self.items.by_key}
        self.assertEqual(set(self.places.values()), set(self.records))

    def keys(self):
        header = read_store.Header(self.meta[b"header"])
        return read_store.Keys(header, header.root_key(self.master))

    def assert_still_reads(self):
        self.assertEqual(len(read_store.read(self.store, self.master)),
                         len(self.items.by_key))

    def test_a_wrong_key_and_no_key(self):
        other = self.rng.randbytes(32)
        code, text = self.refusal(other)
        self.assertEqual((code, text), (7, "this is not the key of any slot: first"))
        self.assertEqual(self.refusal(None)[0], 7)
        run = self.run_reader(self.store, self.key_file(other))
        self.assertEqual((run.returncode, run.stdout), (7, b""))
        self.assertIn(b"not the key of any slot", run.stderr)

    def test_a_key_in_any_form_but_a_wrong_one(self):
        for content in (self.master, self.master.hex().encode() + b"\n",
                        base64.b64encode(self.master) + b"\n",
                        base64.urlsafe_b64encode(self.master).rstrip(b"=")):
            self.assert_reads(self.items, self.key_file(content))
        for content in (b"", self.master[:31], self.master.hex()[:62].encode()):
            run = self.run_reader(self.store, self.key_file(content))
            self.assertEqual((run.returncode, run.stdout), (2, b""))

    def test_one_flipped_bit_in_a_record(self):
        for place, record in self.records.items():
            for at in range(len(record)):
                if 300 < at < len(record) - 50:
                    continue  # the middle of a value is like its ends
                flipped = bytearray(record)
                flipped[at] ^= 1 << self.rng.randrange(8)
                self.plant(b"records", {place: bytes(flipped)})
                code, text = self.refusal()
                self.assertEqual(code, 5, (at, text))
                self.assertIn(place.hex(), text)
            self.plant(b"records", {place: record})
        self.assert_still_reads()

    def test_one_flipped_bit_in_header_and_accumulator(self):
        for name, value in self.meta.items():
            for at in range(len(value)):
                flipped = bytearray(value)
                flipped[at] ^= 1 << self.rng.randrange(8)
                self.plant(b"meta", {name: bytes(flipped)})
                is_min_reader = name == b"header" and at in (10, 11)
                self.assertIn(self.refusal()[0], (5, 6) if is_min_reader else (5,),
                              (name, at))
            self.plant(b"meta", {name: value})
        self.assert_still_reads()

    def test_a_header_of_which_the_checksum_was_fitted(self):
        value = self.meta[b"header"]
        for at in range(len(value) - 16):
            flipped = bytearray(value[:-16])
            flipped[at] ^= 1 << self.rng.randrange(8)
            self.plant(b"meta", {b"header": bytes(flipped)
                                 + read_store.hashlib.blake2b(
                                     flipped, digest_size=16).digest()})
            self.assertIn(self.refusal()[0], (5, 6, 7), at)

    def test_a_store_for_newer_programs(self):
        header = bytearray(self.meta[b"header"])
        header[10] = 2
        self.plant(b"meta", {b"header": bytes(header)})
        code, text = self.refusal()
        self.assertEqual(code, 6)
        self.assertIn("format 2", text)

    def test_records_that_changed_places(self):
        a, b = self.places[b"a||1"], self.places[b"a||2"]
        self.plant(b"records", {a: self.records[b], b: self.records[a]})
        self.assertIn("does not fit bytes, key and place", self.refusal()[1])

    def test_records_that_were_deleted_brought_back_or_copied_in(self):
        place = self.places[b"a||1"]
        self.plant(b"records", {place: None})
        self.assertIn("not the records that were written", self.refusal()[1])
        self.plant(b"records", {place: self.records[place]})
        self.assert_still_reads()
        with self.peer() as peer:
            self.items.set(peer, b"a||1", b"newer")
            self.items.delete(peer, b"a||2")
        self.assert_still_reads()
        self.plant(b"records", {place: self.records[place]})
        self.assertIn("not the records that were written", self.refusal()[1])
        with self.peer() as peer:
            self.items.set(peer, b"a||1", b"newer")
        # It was not what the accumulator knew, so it stays wrong.
        self.assertIn("not the records that were written", self.refusal()[1])

    def test_records_of_another_store_or_of_a_retired_key(self):
        place, record = self.places[b"a||1"], self.records[self.places[b"a||1"]]
        shutil.rmtree(self.store)
        with self.peer() as peer:
            self.items.set(peer, b"a||1", b"of a")
        self.plant(b"records", {place: record})
        self.assertIn("does not fit bytes, key and place", self.refusal()[1])
        self.plant(b"records", {place: None})
        place, record = self.entries(b"records").popitem()
        with self.peer() as peer:
            peer.ask("rotate")
            peer.ask("retire 1")
        self.plant(b"records", {place: record})
        self.assertIn("no key 1 with algorithm 1", self.refusal()[1])

    def test_a_plain_record_in_a_sealed_store(self):
        keys, place = self.keys(), self.places[b"a||1"]
        keys.data[0] = Tag(keys.sub["plain"])
        self.plant(b"records", {place: seal_record(
            keys, place, 0, self.rng, b"a||1", b"planted")})
        self.assertIn("no key 0 with algorithm 0", self.refusal()[1])

    def test_a_file_that_was_cut(self):
        path = self.store / "data.mdb"
        whole = path.read_bytes()
        for size in (0, 100, 4096, 8192, 3 * 4096):
            path.write_bytes(whole[:size])
            self.assertEqual(self.refusal()[0], 5, size)


def seal_record(keys, place, key_id, rng, key, value, version=1, expires_ms=0,
                content_type=b"", pad=0):
    """A record, as the document says."""
    split = len(value) > 1024
    nonce = rng.randbytes(23)
    inside = 16 if split else len(value)
    header = struct.pack("<BBBBII", 1, 1 if key_id else 0,
                         (1 if split else 0) | (2 if pad else 0), 0, key_id,
                         26 + len(key) + len(content_type) + inside + pad)
    ad, body, rest = keys.store_id + header + place, b"", value
    if split:
        body, rest = keys.data[key_id].seal(nonce + b"\1", b"lse/1/body\0" + ad,
                                            value)
    head = struct.pack("<QqHII", version, expires_ms, len(content_type), len(key),
                       len(value)) + key + content_type + rest + bytes(pad)
    sealed, tag = keys.data[key_id].seal(nonce + b"\0", b"lse/1/rec\0" + ad, head)
    return header + nonce + b"\0" + sealed + tag + body


def make_header(rng, master, root, data_key_ids):
    """A header with one slot, as the document says."""
    def wrap(key, ad, text):
        nonce = rng.randbytes(24)
        return nonce + b"".join(Cipher(key).seal(nonce, ad, text))

    store_id, name, index = rng.randbytes(16), b"of-python", rng.randrange(256)
    sub = {label: b2(32, root, b"lse/1/kdf\0", label)
           for label in (b"wrap", b"header")}
    text = b"statecpp" + struct.pack("<HHB3x", 1, 1, 1) + store_id
    text += struct.pack("<IIB", max(data_key_ids) + 1, data_key_ids[-1], 1)
    text += bytes([index, len(name)]) + name + b"\0"
    text += b2(16, master, b"lse/1/kcv\0", store_id)
    text += wrap(master, b"lse/1/srk\0" + store_id + bytes([index]), root)
    text += struct.pack("<H", len(data_key_ids))
    for key_id in data_key_ids:
        packed = struct.pack("<I", key_id)
        text += packed + wrap(sub[b"wrap"], b"lse/1/dek\0" + store_id + packed,
                              rng.randbytes(32))
    nonce = rng.randbytes(24)
    text += nonce + Tag(sub[b"header"]).seal(nonce, b"lse/1/header\0", text)[1]
    return text + read_store.hashlib.blake2b(text, digest_size=16).digest()


class SealingTest(unittest.TestCase):
    """The other way round: sealed here, opened by the library."""

    def setUp(self):
        self.rng = random.Random(SEED)
        self.master = self.rng.randbytes(32)
        header = make_header(self.rng, self.master, self.rng.randbytes(32),
                             [1, 3, 70_000])
        read = read_store.Header(header)
        self.keys = read_store.Keys(read, read.root_key(self.master))
        peer = Peer(STORE_PEER, "read", header.hex(), self.master.hex())
        self.peer = self.enterContext(peer)

    def random_record(self):
        rng = self.rng
        key = b"||".join(rng.randbytes(rng.randrange(12))
                         for _ in range(rng.randrange(1, 10))) or b"k"
        item = read_store.Item(
            key, rng.randbytes(rng.choice((0, 5, 200, 1024, 1025, 6000))),
            rng.getrandbits(64), rng.choice((0, rng.getrandbits(63))),
            "t" * rng.choice((0, 10, 300)))
        place = self.keys.record_key(key)
        return item, place, seal_record(
            self.keys, place, rng.choice((1, 3, 70_000)), rng, key, item.value,
            item.version, item.expires_ms, item.content_type.encode(),
            rng.choice((0, 0, 1, 50)))

    def ask(self, key, place, record):
        """The place that the library finds for the key, and the item."""
        answer = self.peer.ask(f"{hexed(key)} {hexed(place)} {hexed(record)}")
        self.assertEqual(answer[0], "place")
        if answer[2:] == ["refused"]:
            return answer[1], None
        _, _, _, version, expires_ms, key, content_type, value = (
            word if word != "-" else "" for word in answer)
        return answer[1], read_store.Item(
            bytes.fromhex(key), bytes.fromhex(value), int(version),
            int(expires_ms), bytes.fromhex(content_type).decode())

    def opens_here(self, place, record):
        try:
            return read_store.open_record(self.keys, place, record)
        except Refused:
            return None

    def test_a_thousand_records_open_as_they_were_sealed(self):
        for n in range(RECORDS):
            item, place, record = self.random_record()
            self.assertEqual(self.ask(item.key, place, record),
                             (place.hex(), item), n)
            self.assertEqual(self.opens_here(place, record), item, n)

    def test_what_is_changed_opens_on_neither_side(self):
        for n in range(RECORDS):
            item, place, record = self.random_record()
            changed = bytearray(record)
            kind = n % 4
            if kind == 0:
                changed[self.rng.randrange(len(record))] ^= (
                    1 << self.rng.randrange(8))
            elif kind == 1:
                del changed[self.rng.randrange(len(record)):]
            elif kind == 2:
                changed += self.rng.randbytes(self.rng.randrange(1, 20))
            else:
                place = self.keys.record_key(item.key + b"x")
            self.assertIsNone(self.ask(item.key, place, bytes(changed))[1], n)
            self.assertIsNone(self.opens_here(place, bytes(changed)), n)


if __name__ == "__main__":
    print(f"STATECPP_TEST_SEED={SEED}", flush=True)
    unittest.main()
