#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Prints what is in a store, without the program that wrote it.

  read_store.py STORE [KEYFILE]

Written from docs/format.md, with Debian's python3-lmdb and python3-pycryptodome
and nothing of ours. KEYFILE holds a master key: 32 bytes, or the same as 64
hexadecimal digits or in base64. A plain store has none. Slots of passphrases are
passed over: Argon2id is in neither of the two packages.

Prints one JSON object a line for each item, in the order of their places:

  key           text; where it is not UTF-8, its bytes are in keyBase64 instead
  valueBase64   the value
  etag          16 hexadecimal digits
  contentType   absent where it is empty
  expires       milliseconds since 1970; absent where it never does. An item that
                has expired is printed as long as its record is there.

Everything is checked before anything is printed: the file's length, the header's
checksum and tag, the slot's check value, every record's tags, lengths and place,
the entries of the expiry index, and that the records are those that the
accumulator knows. Exit codes: 0 ok, 2 usage, 5 damaged, 6 made for a newer
program, 7 wrong or missing key.

The store may not be open elsewhere; a copy of its folder will do.
"""

import base64
import collections
import hashlib
import hmac
import json
import os
import struct
import sys

import lmdb
from Cryptodome.Cipher import ChaCha20_Poly1305

PLAIN, XCHACHA20_POLY1305 = 0, 1
SPLIT, PAD = 1, 2


class Refused(Exception):
    """The store is not read; `code` is for the process."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def damaged(text):
    return Refused(5, text)


def b2(size, key, *parts):
    return hashlib.blake2b(b"".join(parts), digest_size=size, key=key).digest()


class Cipher:
    """seal(...) of the document."""

    def __init__(self, key):
        self.key = key

    def seal(self, nonce, ad, text):
        cipher = ChaCha20_Poly1305.new(key=self.key, nonce=nonce)
        cipher.update(ad)
        return cipher.encrypt_and_digest(text)

    def open(self, nonce, ad, text, tag):
        """The text, or None where the tag does not fit."""
        cipher = ChaCha20_Poly1305.new(key=self.key, nonce=nonce)
        cipher.update(ad)
        try:
            return cipher.decrypt_and_verify(text, tag)
        except ValueError:
            return None


class Tag:
    """tag(...) of the document, which a plain store has for a cipher."""

    def __init__(self, key):
        self.key = key

    def seal(self, nonce, ad, text):
        return text, b2(16, self.key, ad, nonce, text)

    def open(self, nonce, ad, text, tag):
        fits = hmac.compare_digest(self.seal(nonce, ad, text)[1], tag)
        return text if fits else None


def unwrap(key, ad, wrapped):
    return Cipher(key).open(wrapped[:24], ad, wrapped[24:56], wrapped[56:])


def check_file(path):
    """Is the file as long as its newer meta page says? LMDB does not ask."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        metas = []
        for _ in range(2):
            page = file.read(152)
            if len(page) < 152 or struct.unpack_from("<II", page, 16) != (
                    0xBEEFC0DE, 1):
                raise damaged(f"{path} does not begin with two meta pages")
            page_size, = struct.unpack_from("<I", page, 40)
            last_page, transaction = struct.unpack_from("<QQ", page, 136)
            metas.append((transaction, (last_page + 1) * page_size))
            file.seek(page_size)
    if size < max(metas)[1]:
        raise damaged(f"{path} has {size} bytes, and needs {max(metas)[1]}")


class Fields:
    """Takes fields off the front of a header's body."""

    def __init__(self, text):
        self.text = text

    def bytes(self, size):
        if size > len(self.text):
            raise damaged("the header's body does not end where its parts do")
        taken, self.text = self.text[:size], self.text[size:]
        return taken

    def int(self, size):
        return int.from_bytes(self.bytes(size), "little")


Slot = collections.namedtuple("Slot", "index name argon2id check_value wrapped")


class Header:
    def __init__(self, value):
        if len(value) < 12 or value[:8] != b"statecpp":
            raise damaged("the header does not begin as one")
        min_reader, = struct.unpack_from("<H", value, 10)
        if min_reader > 1:
            raise Refused(6, f"the store has format {min_reader}; this reader "
                          "knows format 1")
        if len(value) < 32 + 56:
            raise damaged("the header is truncated")
        if hashlib.blake2b(value[:-16], digest_size=16).digest() != value[-16:]:
            raise damaged("the header's checksum does not fit")
        self.text, trailer = value[:-56], value[-56:]
        self.nonce, self.tag = trailer[:24], trailer[24:40]
        self.store_id = value[16:32]
        self.sealed = value[12] == 1
        body = self.text[32:]
        if not self.sealed:
            if value[12] != 0 or len(body) != 32:
                raise damaged("the header's mode or size is unknown")
            self.plain_root = body
            return
        self.parse_sealed(Fields(body))

    def parse_sealed(self, fields):
        self.next_key_id, self.active_key_id = fields.int(4), fields.int(4)
        count = fields.int(1)
        if not 1 <= count <= 8:
            raise damaged(f"the header has {count} slots")
        self.slots = [self.parse_slot(fields) for _ in range(count)]
        self.wrapped_keys = {}
        for _ in range(fields.int(2)):
            key_id = fields.int(4)
            self.wrapped_keys[key_id] = fields.bytes(72)
        if fields.text:
            raise damaged("the header's body does not end where its parts do")

    @staticmethod
    def parse_slot(fields):
        index = fields.int(1)
        name = fields.bytes(fields.int(1)).decode("ascii", "replace")
        derivation = fields.int(1)
        if derivation not in (0, 1):
            raise damaged(f"slot {name} has the unknown derivation {derivation}")
        argon2id = fields.bytes(24) if derivation else None
        return Slot(index, name, argon2id, fields.bytes(16), fields.bytes(72))

    def root_key(self, master):
        if not self.sealed:
            if master is not None:
                raise Refused(7, "the store is plain and has no key")
            return self.plain_root
        names = ", ".join(slot.name for slot in self.slots)
        if master is None:
            raise Refused(7, f"the store is sealed for: {names}; give a key file")
        check_value = b2(16, master, b"lse/1/kcv\0", self.store_id)
        for slot in self.slots:
            if slot.argon2id is None and slot.check_value == check_value:
                root = unwrap(master, b"lse/1/srk\0" + self.store_id
                              + bytes([slot.index]), slot.wrapped)
                if root is None:
                    raise damaged(f"slot {slot.name} does not open with its key")
                return root
        raise Refused(7, f"this is not the key of any slot: {names}")


class Keys:
    """What comes from a header and its root key."""

    def __init__(self, header, root):
        self.store_id, self.sealed = header.store_id, header.sealed
        sub = {label: b2(32, root, b"lse/1/kdf\0", label.encode())
               for label in ("index", "header", "wrap", "meta", "acc", "plain")}
        self.sub = sub
        if Tag(sub["header"]).open(header.nonce, b"lse/1/header\0", header.text,
                                   header.tag) is None:
            raise damaged("the header's tag does not fit")
        if not self.sealed:
            self.algorithm = PLAIN
            self.meta = Tag(sub["plain"])
            self.data = {0: Tag(sub["plain"])}
            return
        self.algorithm = XCHACHA20_POLY1305
        self.meta = Cipher(sub["meta"])
        self.data = {}
        for key_id, wrapped in header.wrapped_keys.items():
            key = unwrap(sub["wrap"], b"lse/1/dek\0" + self.store_id
                         + struct.pack("<I", key_id), wrapped)
            if key is None:
                raise damaged(f"data key {key_id} does not open")
            self.data[key_id] = Cipher(key)
        if header.active_key_id not in self.data:
            raise damaged(f"the active data key {header.active_key_id} is missing")

    def record_key(self, user_key):
        place, parts = b"", user_key.split(b"||")
        for n in range(1, min(len(parts), 7)):
            prefix = b"||".join(parts[:n]) + b"||"
            place += b"\1" + b2(16, self.sub["index"], b"anc\0", prefix)[:8]
        return place + b"\0" + b2(16, self.sub["index"], b"leaf\0", user_key)

    def term(self, place, frame):
        return b2(32, self.sub["acc"], b"rec\0", place, frame.header,
                  frame.nonce, frame.head_tag)


class Frame:
    """A record, taken apart."""

    def __init__(self, record):
        if len(record) < 78:
            raise damaged(f"truncated to {len(record)} bytes")
        (form, self.algorithm, self.flags, reserved, self.key_id,
         head_len) = struct.unpack_from("<BBBBII", record)
        if form != 1:
            raise damaged(f"unknown format {form}")
        if self.flags & ~(SPLIT | PAD) or reserved:
            raise damaged("a reserved bit is set")
        if not 26 <= head_len <= len(record) - 52:
            raise damaged(f"the head claims {head_len} bytes")
        self.header, self.nonce = record[:12], record[12:36]
        self.head = record[36:36 + head_len]
        self.head_tag = record[36 + head_len:52 + head_len]
        self.body = record[52 + head_len:]
        if self.nonce[23] != 0:
            raise damaged("the nonce is not that of a head")
        if self.body and not self.flags & SPLIT:
            raise damaged(f"{len(self.body)} trailing bytes")


Item = collections.namedtuple("Item", "key value version expires_ms content_type")


def open_record(keys, place, record):
    """The item of a record that was found at `place`."""
    frame = Frame(record)
    if frame.algorithm != keys.algorithm or frame.key_id not in keys.data:
        raise damaged(f"no key {frame.key_id} with algorithm {frame.algorithm}")
    key = keys.data[frame.key_id]
    ad = keys.store_id + frame.header + place
    head = key.open(frame.nonce, b"lse/1/rec\0" + ad, frame.head, frame.head_tag)
    if head is None:
        raise damaged("its tag does not fit bytes, key and place")
    version, expires_ms, type_len, key_len, value_len = struct.unpack_from(
        "<QqHII", head)
    split = frame.flags & SPLIT
    used = 26 + key_len + type_len + (16 if split else value_len)
    if (used > len(head) if frame.flags & PAD else used != len(head)) or (
            split and len(frame.body) != value_len):
        raise damaged("its lengths do not add up")
    value_at = 26 + key_len + type_len
    value = head[value_at:used]
    if split:
        value = key.open(frame.nonce[:23] + b"\1", b"lse/1/body\0" + ad,
                         frame.body, value)
        if value is None:
            raise damaged("its body does not belong to its head")
    user_key = head[26:26 + key_len]
    if keys.record_key(user_key) != place:
        raise damaged("it holds a key that does not belong there")
    return Item(user_key, value, version, expires_ms,
                head[26 + key_len:value_at].decode("utf-8", "replace"))


class Accumulator:
    def __init__(self, keys, value):
        if (len(value) < 28 + 100 + 16 or value[0] != 1
                or value[1] != keys.algorithm or value[2:4] != b"\0\0"):
            raise damaged("the accumulator is none")
        state = keys.meta.open(value[4:28], b"lse/1/acc\0" + keys.store_id,
                               value[28:-16], value[-16:])
        if state is None:
            raise damaged("the accumulator's tag does not fit")
        (self.commit_seq, self.open_count, self.high_water_ms,
         self.unreadable) = struct.unpack_from("<QQqQ", state)
        self.sum = int.from_bytes(state[32:64], "little")
        count, = struct.unpack_from("<I", state, 96)
        if len(state) != 100 + 12 * count:
            raise damaged("the accumulator's lengths do not add up")
        self.records = dict(struct.iter_unpack("<IQ", state[100:]))


def read(folder, master=None):
    """All items of a store, in the order of their places. Raises Refused."""
    path = os.path.join(folder, "data.mdb")
    if not os.path.isfile(path):
        raise Refused(2, f"there is no store at {folder}")
    check_file(path)
    try:
        with lmdb.open(os.fspath(folder), readonly=True, lock=False,
                       max_dbs=3) as env:
            tables = [env.open_db(name, create=False)
                      for name in (b"meta", b"records", b"expiry")]
            with env.begin() as txn:
                return read_tables(txn, *tables, master)
    except lmdb.Error as error:
        raise damaged(f"LMDB: {error}") from error


def read_tables(txn, meta, records, expiry, master):
    header = Header(txn.get(b"header", b"", db=meta))
    keys = Keys(header, header.root_key(master))
    accumulator = Accumulator(keys, txn.get(b"acc", b"", db=meta))
    items, total, counts, last = [], 0, collections.Counter(), None
    for place, record in txn.cursor(db=records):
        if last is not None and place <= last:
            raise damaged("the records are out of order")
        last = place
        try:
            items.append(open_record(keys, place, record))
        except Refused as refused:
            raise damaged(f"the record at {place.hex()}: {refused}") from None
        frame = Frame(record)
        total += int.from_bytes(keys.term(place, frame), "little")
        counts[frame.key_id] += 1
    if accumulator.unreadable:
        raise damaged(f"{accumulator.unreadable} damaged records were replaced; "
                      "what else there is cannot be told")
    if (total % (1 << 256), dict(counts)) != (accumulator.sum,
                                              accumulator.records):
        raise damaged(
            f"these are not the records that were written: counted "
            f"{dict(counts)}, expected {accumulator.records}")
    for entry, value in txn.cursor(db=expiry):
        if len(entry) <= 4 or value:
            raise damaged(f"the expiry entry {entry.hex()} is none")
    return items


def parse_key(content):
    if len(content) == 32:
        return content
    text = content.strip()
    try:
        key = (bytes.fromhex(text.decode("ascii")) if len(text) == 64 else
               base64.urlsafe_b64decode(text.translate(bytes.maketrans(
                   b"+/", b"-_")).rstrip(b"=") + b"="))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Refused(2, "the key file holds no key of 32 bytes")
    return key


def as_json(item):
    try:
        fields = {"key": item.key.decode("utf-8")}
    except UnicodeDecodeError:
        fields = {"keyBase64": base64.b64encode(item.key).decode()}
    fields["valueBase64"] = base64.b64encode(item.value).decode()
    fields["etag"] = f"{item.version:016x}"
    if item.content_type:
        fields["contentType"] = item.content_type
    if item.expires_ms:
        fields["expires"] = item.expires_ms
    return json.dumps(fields, ensure_ascii=False)


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        master = None
        if len(arguments) == 2:
            with open(arguments[1], "rb") as file:
                master = parse_key(file.read())
        for item in read(arguments[0], master):
            print(as_json(item))
    except (Refused, OSError) as error:
        print(f"read_store.py: {error}", file=sys.stderr)
        return getattr(error, "code", 2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
