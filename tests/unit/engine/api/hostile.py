"""Requests as an SDK sends them, spoiled: bytes, JSON and GraphQL that nobody should send, made from one random seed each."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

QUERIES = [
    '{ container { from(address: "a") { withExec(args: ["b", "c"], expect: ANY) { stdout exitCode } } } }',
    '{ directory { withNewFile(path: "p", contents: "text\\n", permissions: 420) { entries } } }',
    'query One($a: String!, $b: [String!] = ["x"]) { container { from(address: $a) { withExec(args: $b) { id sync } } } }',
    '{ container { envVariables { name value } stat(path: "p") { size } } } query Two { version }',
    "{ container { ...A @include(if: true) ... on Container { exitCode } } } fragment A on Container { stdout }",
    '{ node(id: "Container@0") { id ... on Container { stdout } } __typename }',
    "{ __schema { types { name fields { name type { name kind ofType { name } } args { name } } } } }",
    '{ __type(name: "Query") { kind } }',
    'mutation { version } subscription { version } { a: version b: version @skip(if: false) """block""" }',
]
TOKENS = re.compile(r'"""[^"]*"""|"(?:\\.|[^"\\])*"|\w+|\s+|.', re.DOTALL)
SPICE = [
    *"{}()[]:!$@|&=,#",
    "...", '"', '"""', "\\", "\0", "\ufeff", "\ud800", "é", "😀", '"\\ud83d\\ude00"', '"\\ud800"', '"\\u{110000}"', '"\\u0000"', "null",
    "true", "0", "-0", "1e999", "-1e-999", "0x1", "00", "9" * 30, "9" * 5000, "1." + "0" * 400, "on",
    "fragment", "query", "A", "$a", "$b", "@skip(if: 1)",
    "id", "sync", "container", "version", "__typename", "__schema", "fields", "type", "ofType",
    '"Container@0"', "ANY", "{a: {a: 1}}", "[[[[]]]]",
    "[" * 3000, "{a" * 1200, "(a:" * 50, "# comment\n", "\r", "\u2028",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 1.5, 1e308, float("nan"), float("inf"), "", "x", "\0", "\ud800", "x" * 5000,
    [], [None], [[["x"]]], {}, {"a": None}, {"": {"": {}}}, ["x", 1, None], {"__typename": "A"},
]  # fmt: skip


def request(seed: int) -> bytes:
    """The request of a seed."""
    rng = random.Random(seed)
    body: dict[str, Any] = {
        "query": rng.choice(QUERIES),
        "variables": {"a": "x", "b": ["y"]},
        "operationName": rng.choice([None, "One", "Two"]),
    }
    for _ in range(rng.choice([1, 1, 2, 3, 6])):
        rng.choice([_query, _query, _query, _variables, _envelope])(rng, body)
    raw = json.dumps(body, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    return _bytes(rng, raw) if rng.random() < 0.2 else raw


def _query(rng: random.Random, body: dict[str, Any]) -> None:
    if not isinstance(body.get("query"), str):
        return
    tokens = TOKENS.findall(body["query"]) or [""]
    changes: list[Callable[[int], None]] = [
        lambda at: tokens.insert(at, rng.choice(SPICE)),
        lambda at: tokens.__setitem__(at, rng.choice(SPICE)),
        lambda at: tokens.__delitem__(slice(at, at + rng.choice([1, 2, 9]))),
        lambda at: tokens.insert(at, tokens[at] * rng.choice([2, 30, 3000])),
        lambda at: tokens.insert(rng.randrange(len(tokens)), tokens[at]),
    ]
    for _ in range(rng.choice([1, 2, 5])):
        if tokens:
            rng.choice(changes)(rng.randrange(len(tokens)))
    body["query"] = "".join(tokens)[:100_000]


def _variables(rng: random.Random, body: dict[str, Any]) -> None:
    name = rng.choice(["a", "b", "c", ""])
    body["variables"] = rng.choice([{name: rng.choice(VALUES)}, {name: [rng.choice(VALUES)] * 3}, rng.choice(VALUES)])


def _envelope(rng: random.Random, body: dict[str, Any]) -> None:
    body[rng.choice(["query", "operationName", "extensions", "variables"])] = rng.choice(VALUES)


def _bytes(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    spoiled = [
        raw[:at],
        raw[:at] + bytes([rng.randrange(256)]) + raw[at:],
        raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :],
        raw + raw,
        b"\xef\xbb\xbf" + raw,
        raw.decode("utf-8", "replace").encode("utf-16"),
        raw.replace(b'"query"', b'"query": 1, "query"', 1),
        b"[" * 200_000,
        b'{"a":' * 20_000,
    ]
    return rng.choice(spoiled)
