# SPDX-License-Identifier: Apache-2.0
"""What a query returns, as engine/query.h says: small, slow, and with nothing
from the library."""

import json

MAX_DEPTH = 1024
ORDERED = {"GT": lambda a, b: a > b, "GTE": lambda a, b: a >= b,
           "LT": lambda a, b: a < b, "LTE": lambda a, b: a <= b}
COMPARISONS = {"EQ", "NEQ", "IN"} | set(ORDERED)

# The kinds of values, in the order of a sort.
MISSING, NULL, FALSE, TRUE, NUMBER, TEXT, NESTED = range(7)


class NotJson(Exception):
    pass


class Malformed(Exception):
    pass


def whole_number(text):
    number = int(text) if len(text) < 25 else None
    if number is not None and -2**63 <= number < 2**64:
        return number
    return float(text)


def refuse_constant(text):
    raise ValueError(text)


class Pairs(list):
    """An object as it stands, repeated names and all."""


def check(value, depth=0):
    """A value with its objects as dicts; no half surrogates, not too deep."""
    if isinstance(value, str):
        value.encode()
    if isinstance(value, (list, Pairs)) and depth >= MAX_DEPTH:
        raise NotJson("too deep")
    if isinstance(value, Pairs):
        for name, _ in value:
            name.encode()
        return dict([(name, check(member, depth + 1)) for name, member in value])
    if isinstance(value, list):
        return [check(element, depth + 1) for element in value]
    return value


def parse(data, pairs=Pairs):
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=pairs,
                           parse_int=whole_number,
                           parse_constant=refuse_constant)
        return check(value)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


def scalar(value):
    """(kind, value), of which the second compares within the kind."""
    if value is None:
        return NULL, 0
    if value is False:
        return FALSE, 0
    if value is True:
        return TRUE, 0
    if isinstance(value, (int, float)):
        return NUMBER, value
    if isinstance(value, str):
        return TEXT, value.encode()
    return NESTED, 0


def at(document, path):
    for name in path.split("."):
        if not isinstance(document, dict) or name not in document:
            return MISSING, 0
        document = document[name]
    return scalar(document)


def check_path(path):
    if not isinstance(path, str) or "" in path.split(".") or (
            len(path.encode()) > 1024):
        raise Malformed(path)


def one_member(value, what):
    if not isinstance(value, dict) or len(value) != 1:
        raise Malformed(what)
    return next(iter(value.items()))


def check_filter(tree):
    op, operand = one_member(tree, "filter")
    if op in ("AND", "OR"):
        if not isinstance(operand, list) or len(operand) < 2:
            raise Malformed(op)
        for part in operand:
            check_filter(part)
        return
    if op not in COMPARISONS:
        raise Malformed(op)
    path, value = one_member(operand, op)
    check_path(path)
    if op == "IN" and (not isinstance(value, list) or not value):
        raise Malformed("IN")
    for each in value if op == "IN" else [value]:
        kind, _ = scalar(each)
        if kind == NESTED or op in ORDERED and kind not in (NUMBER, TEXT):
            raise Malformed(op)


def matches(tree, document):
    if not tree:
        return True
    op, operand = next(iter(tree.items()))
    if op in ("AND", "OR"):
        parts = [matches(part, document) for part in operand]
        return all(parts) if op == "AND" else any(parts)
    path, value = next(iter(operand.items()))
    found = at(document, path)
    if found[0] == MISSING:
        return False
    if op == "IN":
        return found in [scalar(each) for each in value]
    wanted = scalar(value)
    if op == "EQ":
        return found == wanted
    if op == "NEQ":
        return found != wanted
    return found[0] == wanted[0] and ORDERED[op](found[1], wanted[1])


class Item:
    """A value as it is stored."""

    def __init__(self, value):
        self.value = value
        try:
            self.document = parse(value)
            self.is_json = True
        except NotJson:
            self.is_json = False


class Query:
    """A query as an application writes it."""

    def __init__(self, data):
        try:
            query = parse(data)
        except NotJson as error:
            raise Malformed(str(error)) from None
        if not isinstance(query, dict) or set(query) - {"filter", "sort", "page"}:
            raise Malformed("query")
        self.filter = query.get("filter") or {}
        if query.get("filter", {}) not in (None, {}):
            check_filter(self.filter)
        self.sort = self.sort_of(query.get("sort"))
        page = query.get("page")
        page = {} if page is None else page
        if not isinstance(page, dict) or set(page) - {"limit", "token"}:
            raise Malformed("page")
        self.limit = page.get("limit", 0)
        if scalar(self.limit)[0] != NUMBER or not 0 <= self.limit < 2**31 or (
                self.limit != int(self.limit)):
            raise Malformed("limit")
        if not isinstance(page.get("token", ""), str):
            raise Malformed("token")

    @staticmethod
    def sort_of(keys):
        keys = [] if keys is None else keys
        if not isinstance(keys, list) or len(keys) > 8:
            raise Malformed("sort")
        sort = []
        for key in keys:
            if not isinstance(key, dict) or set(key) - {"key", "order"}:
                raise Malformed("sort")
            check_path(key.get("key", ""))
            if key.get("order", "ASC") not in ("ASC", "DESC"):
                raise Malformed("order")
            sort.append((key["key"], key.get("order") == "DESC"))
        return sort

    def rows(self, items, prefix):
        """The keys of all rows in order; `items` are Items by key."""
        found = [(key, item.document) for key, item in items.items()
                 if key.startswith(prefix) and item.is_json
                 and matches(self.filter, item.document)]
        found.sort(key=lambda row: row[0])
        # Sorts are stable: the last key first.
        for path, descending in reversed(self.sort):
            found.sort(key=lambda row: self.place(row[1], path),
                       reverse=descending)
        return [key for key, _ in found]

    @staticmethod
    def place(document, path):
        kind, value = at(document, path)
        return kind, value[:256] if kind == TEXT else value

    def pages(self, items, prefix, max_bytes):
        pages, page, size = [], [], 0
        for key in self.rows(items, prefix):
            cost = len(key) + len(items[key].value) + 64
            full = self.limit and len(page) == self.limit
            if page and (full or size + cost > max_bytes):
                pages.append(page)
                page, size = [], 0
            page.append(key)
            size += cost
        return pages + [page]
