#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Whether docs/format.md is true: its grammars, its vector and its script."""

import hashlib
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

# Bazel starts this file through a link; beside the real one stands the reader,
# and two folders up the tree.
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import read_store  # noqa: E402
from read_store import Cipher, Tag, b2  # noqa: E402

DOCUMENT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
# From the folder in which Bazel runs tests.
PEER = pathlib.Path("tests/format/store_peer").absolute()

# Where the code has the grammars.
HEADERS = ["crypto/wrapped_key.h", "engine/accumulator.h", "engine/keys.h",
           "engine/record.h", "engine/store_header.h"]
# Begins what is sealed and never stands on disk: the tokens of pages, of keys
# and of a query's rows.
NOT_ON_DISK = {"lse/1/keys", "lse/1/query"}


def grammars(header):
    """The indented blocks of a header's comments that define something."""
    blocks, block = [], []
    for line in (ROOT / header).read_text().splitlines() + [""]:
        if line.startswith("//   "):
            block.append(line[len("//   "):])
            continue
        if any(" := " in line for line in block):
            blocks.append("\n".join(block))
        block = []
    return blocks


def vector():
    """Every `name = bytes` of the document's vector."""
    text = DOCUMENT[DOCUMENT.index("## Worked vector"):]
    found = {}
    for block in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S):
        for name, value in re.findall(
                r"^(\S[^=\n]*) =((?:\s+[0-9a-f]+$)+)", block, re.M):
            found[name] = bytes.fromhex("".join(value.split()))
    return found


def counting(start, size):
    return bytes(range(start, start + size))


class VectorStore:
    """The store of the vector, computed from what the document says."""

    KEY = b"orders||OrderActor||42||state"
    TYPE, VALUE = b"application/json", b'{"total":19.99}'

    def __init__(self):
        self.out = {}
        self.master = self.note("master key", counting(0x00, 32))
        self.root = self.note("root key", counting(0x20, 32))
        self.data_key = self.note("data key", counting(0x40, 32))
        self.store_id = self.note("store id", counting(0xA0, 16))
        self.make_header()
        self.make_record_key()
        self.make_records()
        self.make_accumulator()
        self.make_plain()

    def note(self, name, value):
        self.out[name] = value
        return value

    @staticmethod
    def wrap(key, nonce, ad, text):
        return nonce + b"".join(Cipher(key).seal(nonce, ad, text))

    def close(self, text):
        """The header of that text, by the nonce that the vector's have."""
        nonce = counting(0x50, 24)
        tag = Tag(self.sub["header"]).seal(nonce, b"lse/1/header\0", text)[1]
        checksum = hashlib.blake2b(text + nonce + tag, digest_size=16).digest()
        return tag, checksum, text + nonce + tag + checksum

    def make_header(self):
        check_value = self.note(
            "check value", b2(16, self.master, b"lse/1/kcv\0", self.store_id))
        ad = self.note("ad of the root key",
                       b"lse/1/srk\0" + self.store_id + b"\0")
        wrapped_root = self.note(
            "wrapped root key",
            self.wrap(self.master, counting(0x10, 24), ad, self.root))
        self.sub = {
            label: self.note(label, b2(32, self.root, b"lse/1/kdf\0",
                                       label.encode()))
            for label in ("index", "header", "wrap", "meta", "acc", "plain")}
        ad = self.note("ad of the data key", b"lse/1/dek\0" + self.store_id
                       + struct.pack("<I", 3))
        wrapped_key = self.note(
            "wrapped data key",
            self.wrap(self.sub["wrap"], counting(0x30, 24), ad, self.data_key))
        name = b"prod-2026-09"
        text = self.note("header text", b"".join((
            b"statecpp", struct.pack("<HHB3x", 1, 1, 1), self.store_id,
            struct.pack("<IIB", 4, 3, 1), bytes([0, len(name)]), name, b"\0",
            check_value, wrapped_root, struct.pack("<HI", 1, 3), wrapped_key)))
        tag, checksum, value = self.close(text)
        self.note("header tag", tag)
        self.note("header checksum", checksum)
        self.note("header value", value)

    def make_record_key(self):
        prefixes = b"orders||", b"orders||OrderActor||", b"orders||OrderActor||42||"
        self.place = b""
        for n, prefix in enumerate(prefixes, 1):
            ancestor = b2(16, self.sub["index"], b"anc\0", prefix)[:8]
            self.place += b"\1" + self.note(f"ancestor {n}", ancestor)
        leaf = self.note("leaf", b2(16, self.sub["index"], b"leaf\0", self.KEY))
        self.place = self.note("record key", self.place + b"\0" + leaf)

    def head_text(self, expires_ms, content_type, value_size, rest):
        return struct.pack("<QqHII", 7, expires_ms, len(content_type),
                           len(self.KEY), value_size) + (
                               self.KEY + content_type + rest)

    def make_records(self):
        nonce = counting(0xC0, 23) + b"\0"
        cipher = Cipher(self.data_key)
        text = self.note("head text", self.head_text(
            1790000000000, self.TYPE, len(self.VALUE), self.VALUE))
        header = self.note("record header",
                           struct.pack("<BBBBII", 1, 1, 0, 0, 3, len(text)))
        ad = self.note("ad of the head", b"lse/1/rec\0" + self.store_id + header
                       + self.place)
        sealed, tag = cipher.seal(nonce, ad, text)
        self.note("head sealed", sealed)
        self.note("head tag", tag)
        self.record = self.note("record", header + nonce + sealed + tag)

        value = b"v" * 1025
        header = self.note("split record header", struct.pack(
            "<BBBBII", 1, 1, 1, 0, 3, 26 + len(self.KEY) + 16))
        ad = self.store_id + header + self.place
        body_ad = self.note("ad of the body", b"lse/1/body\0" + ad)
        body, body_tag = cipher.seal(nonce[:23] + b"\1", body_ad, value)
        self.note("body begins", body[:32])
        self.note("body tag", body_tag)
        text = self.note("split head text",
                         self.head_text(0, b"", len(value), body_tag))
        sealed, tag = cipher.seal(nonce, b"lse/1/rec\0" + ad, text)
        self.note("split head sealed", sealed)
        self.note("split head tag", tag)
        self.split_record = header + nonce + sealed + tag + body
        self.note("split record hash", hashlib.blake2b(
            self.split_record, digest_size=16).digest())
        self.note("expiry key", struct.pack(">I", 27968752) + self.place)

    def make_accumulator(self):
        acc = self.sub["acc"]
        term = self.note("term", b2(32, acc, b"rec\0", self.place,
                                    self.record[:36], self.record[-16:]))
        chain = bytes(32)
        for seq, total in (1, bytes(32)), (2, bytes(32)), (3, term):
            chain = self.note(f"chain {seq}", b2(
                32, acc, b"chain\0", chain, struct.pack("<Q", seq), total))
        state = self.note(
            "accumulator state",
            struct.pack("<QQqQ", 3, 1, 1789999000000, 0) + term + chain
            + struct.pack("<IIQ", 1, 3, 1))
        ad = self.note("ad of the accumulator", b"lse/1/acc\0" + self.store_id)
        self.note("accumulator value", b"\1\1\0\0" + self.wrap(
            self.sub["meta"], counting(0x70, 24), ad, state))

    def make_plain(self):
        text = b"statecpp" + struct.pack("<HHB3x", 1, 1, 0) + (
            self.store_id + self.root)
        self.note("plain header value", self.close(text)[2])
        header = struct.pack("<BBBBII", 1, 0, 0, 0, 0, len(self.out["head text"]))
        nonce = counting(0xC0, 23) + b"\0"
        ad = b"lse/1/rec\0" + self.store_id + header + self.place
        self.note("plain record", header + nonce + b"".join(
            Tag(self.sub["plain"]).seal(nonce, ad, self.out["head text"])))


class DocumentTest(unittest.TestCase):
    def test_its_grammars_are_those_of_the_code(self):
        for header in HEADERS:
            with self.subTest(header):
                blocks = grammars(header)
                self.assertTrue(blocks, "no grammar found")
                for block in blocks:
                    self.assertIn("\n" + block + "\n", DOCUMENT)

    def test_it_names_every_domain_of_the_code(self):
        domains = set()
        for folder in "crypto", "engine":
            for path in (ROOT / folder).glob("*.[ch]*"):
                domains.update(re.findall(r'"(lse/\d+/\w+)', path.read_text()))
        self.assertGreater(len(domains), 5)
        missing = {domain for domain in domains if domain + "\\0" not in DOCUMENT}
        self.assertEqual(missing, NOT_ON_DISK)

    def test_every_value_of_its_vector_is_right(self):
        shown, computed = vector(), VectorStore().out
        self.assertEqual(set(shown), set(computed))
        for name, value in shown.items():
            with self.subTest(name):
                self.assertEqual(value.hex(), computed[name].hex())

    def test_the_reader_reads_the_vector(self):
        shown = vector()
        header = read_store.Header(shown["header value"])
        keys = read_store.Keys(header, header.root_key(shown["master key"]))
        place = keys.record_key(VectorStore.KEY)
        self.assertEqual(place, shown["record key"])
        self.assertEqual(
            read_store.open_record(keys, place, shown["record"]),
            (VectorStore.KEY, VectorStore.VALUE, 7, 1790000000000,
             "application/json"))
        self.assertEqual(
            read_store.open_record(keys, place, VectorStore().split_record),
            (VectorStore.KEY, b"v" * 1025, 7, 0, ""))
        accumulator = read_store.Accumulator(keys, shown["accumulator value"])
        self.assertEqual(accumulator.sum.to_bytes(32, "little"), shown["term"])
        self.assertEqual(accumulator.records, {3: 1})

    def test_its_script_reads_values_and_nothing_else(self):
        script, = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.M | re.S)
        lines = sum(bool(line) for line in script.splitlines())
        self.assertLessEqual(lines, 50, "the document says how many lines it has")
        items = {"a": b"small", "orders||42||\u00fc": b"s" * 5000,
                 "1||2||3||4||5||6||7||8": b"", "|||": b"\0\xff" * 512}
        with tempfile.TemporaryDirectory() as folder:
            store, key = folder + "/store", bytes(range(7, 39))
            commands = [f"set {name.encode().hex()} {value.hex() or '-'} - 0"
                        for name, value in items.items()]
            subprocess.run([PEER, "write", store, key.hex()], check=True,
                           stdout=subprocess.DEVNULL, text=True,
                           input="\n".join(commands + ["rotate", "retire 1", ""]))
            files = {name: pathlib.Path(folder, name)
                     for name in ("get.py", "key", "other")}
            files["get.py"].write_text(script)
            files["key"].write_bytes(key)
            files["other"].write_bytes(key[::-1])

            def get(name, key_file="key"):
                return subprocess.run(
                    ["/usr/bin/python3", files["get.py"], store, files[key_file],
                     name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

            for name, value in items.items():
                got = get(name)
                self.assertEqual((got.returncode, got.stdout), (0, value),
                                 got.stderr)
            absent, refused = get("b"), get("a", "other")
        self.assertEqual((absent.returncode, absent.stdout), (1, b""))
        self.assertIn(b"there is no such key", absent.stderr)
        self.assertEqual((refused.returncode, refused.stdout), (1, b""))
        self.assertIn(b"not the key of the store", refused.stderr)


if __name__ == "__main__":
    unittest.main()
