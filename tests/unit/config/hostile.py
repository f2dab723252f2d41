"""Configuration files, spoiled: bytes, values and keys that nobody writes on purpose, each from one random seed."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = """[project]
name = "shop"
[registry]
url = "localhost:5000/team"
auth = "env://TOKEN"
[images.shop]
target = "runtime"
platforms = ["linux/amd64"]
args = { A = "1" }
[tests.unit]
image = { name = "shop", target = "test" }
command = ["pytest", "-q", "--junitxml=/reports/junit.xml"]
timeout = "10m"
env = { A = "b" }
[scan]
fail_on = "high"
waivers = [{ id = "CVE-2026-1", owner = "me", reason = "x", expires = 2027-01-31 }]
[perf.checkout]
script = "perf/checkout.js"
service = { image = "shop", port = 8000 }
[publish]
when = "never"
tags = ["{version}"]
"""
TOKENS = re.compile(r'"[^"\n]*"|[\w.-]+|\s+|.', re.DOTALL)
SPICE = [
    *'[]{}=",.#\n', "[[", "]]", '"""', "'''", "9" * 400, "9" * 5000, "-1", "0x" + "f" * 100, "1e999", "inf", "-inf", "nan", "1979-05-27",
    "07:32:00", "1979-05-27T07:32:00Z", "0000-00-00", "9999-99-99",
    "true", '""', '"\\u0000"', '"\\u001b[31m"', '"\\uD800"', '"\\U00110000"',
    '"\\u202e"', "\0", "\x1b[31m", "\x7f", "\r", "\ufeff", "é", '"é\\n\\t"', '"\\u001b[2Jkey" = 1', '"a\\nb" = 1', '"" = 1',
    "[" * 300,
    "x = " + "[" * 5000 + "]" * 5000, "a." * 3000 + "b = 1", "{a = " * 200, '"' + "x" * 10000 + '"', "[project]", "[tests.unit]",
    "[images]",
    "images = 1", "name = 1", "[environments.x]", '"//"', '"env://\\u0000"', '"file:///etc/shadow"', '"linux/amd64/v8/x"', '"{version"',
]  # fmt: skip
VARIABLES = {
    "LOCKGATE_SCAN_FAIL_ON": ["", "high", "\udcff", "\x1b[31m", "x" * 5000, "9" * 5000],
    "LOCKGATE_PUBLISH_WHEN": ["never", "\n", "\udc80never"],
    "LOCKGATE_IMAGES_SHOP_TARGET": ["", "\udcff", "a\x1bb"],
    "LOCKGATE_TESTS_UNIT_TIMEOUT": ["inf", "nan", "1e999s", "9" * 400 + "s", "-1", "5m"],
    "LOCKGATE_\udcff": ["1"],
    "LOCKGATE_X\x1b[31m": ["1"],
    "LOCKGATE_": [""],
    "LOCKGATE_PERF_CHECKOUT_SERVICE_PORT": ["0", "99999999999999999999", "\u0663"],
}  # fmt: skip


def file(seed: int) -> bytes:
    """The file of a seed."""
    rng = random.Random(seed)
    tokens = TOKENS.findall(BASE)
    changes: list[Callable[[int], None]] = [
        lambda at: tokens.insert(at, rng.choice(SPICE)),
        lambda at: tokens.__setitem__(at, rng.choice(SPICE)),
        lambda at: tokens.__setitem__(at, rng.choice(SPICE)),
        lambda at: tokens.__delitem__(slice(at, at + rng.choice([1, 2, 8]))),
        lambda at: tokens.insert(rng.randrange(len(tokens)), tokens[at]),
    ]
    for _ in range(rng.choice([1, 1, 2, 4])):
        if tokens:
            rng.choice(changes)(rng.randrange(len(tokens)))
    text = "".join(tokens)
    data = text.encode("utf-8", "surrogatepass")
    at = rng.randrange(len(data) + 1)
    return rng.choice(
        [data] * 8
        + [data[:at], data[:at] + bytes([rng.randrange(256)]) + data[at:], b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n")]
        + [text.encode("utf-16", "replace"), text.encode("utf-16-be", "replace"), data.replace(b"\n", b"\r"), b"\0" * 10]
    )


def environ(seed: int) -> dict[str, str]:
    """The environment of a seed; most have none."""
    rng = random.Random(seed)
    return {name: rng.choice(values) for name, values in VARIABLES.items() if rng.random() < 0.1}
