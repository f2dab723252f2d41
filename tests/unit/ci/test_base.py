from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from ci import base
from ci.machine import lock
from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON = lock.Locked(reference=f"localhost:1/python@sha256:{'1' * 64}", origin="built", fixture=False, key="3.11-x")
REFERENCE = f"localhost:1/base@sha256:{'2' * 64}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in base.INPUTS:
        (tmp_path / name).write_text(name)
    lock.write([lock.path(tmp_path)], {"python": PYTHON})
    return tmp_path


def test_the_key_follows_every_input(project: Path) -> None:
    keys = {base.key_of(project, {"python": PYTHON})}
    for name in base.INPUTS:
        (project / name).write_text("changed")
        keys.add(base.key_of(project, {"python": PYTHON}))
    moved = lock.Locked(reference=f"localhost:1/python@sha256:{'3' * 64}", origin="built", fixture=False, key="3.11-x")
    keys.add(base.key_of(project, {"python": moved}))
    assert len(keys) == 4


def test_without_set_up_it_says_so(project: Path) -> None:
    with pytest.raises(SetupError, match="no image python"):
        base.key_of(project, {})


def test_the_line_is_put_beside_the_others(project: Path) -> None:
    base.record([project], REFERENCE, "k")
    found = lock.read(lock.path(project))
    assert found["python"] == PYTHON
    assert (found["base"].reference, found["base"].key) == (REFERENCE, "k")


class Everything(BaseHTTPRequestHandler):
    """A registry that has every image."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Everything) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_line_counts_only_with_its_key_and_while_a_registry_has_the_image(port: int) -> None:
    kept = lock.Locked(reference=f"localhost:{port}/base@sha256:{'2' * 64}", origin="built", fixture=False, key="k")
    gone = lock.Locked(reference=REFERENCE, origin="built", fixture=False, key="k")
    assert base.is_current(kept, "k")
    assert not base.is_current(kept, "other")
    assert not base.is_current(gone, "k")  # nothing listens on port 1
    assert not base.is_current(None, "k")


def test_it_takes_what_was_published(tmp_path: Path) -> None:
    report = tmp_path / "run.json"
    image = {"name": "base", "ref": "localhost:1/base:1.0", "digest": f"sha256:{'2' * 64}", "published": True}
    report.write_text(json.dumps({"images": [image]}))
    assert base.published(report) == REFERENCE
    report.write_text(json.dumps({"images": [{**image, "published": False}]}))
    with pytest.raises(SetupError, match="published no image base"):
        base.published(report)


def test_other_projects_of_the_user_find_it_unless_a_person_chose_another(tmp_path: Path) -> None:
    file = tmp_path / "config/images.lock"
    first = lock.Locked(reference=REFERENCE, origin="built", fixture=False, key="1")
    second = lock.Locked(reference=f"localhost:1/base@sha256:{'4' * 64}", origin="built", fixture=False, key="2")
    base.share(file, first)
    base.share(file, second)
    assert lock.read(file)["base"] == first  # another checkout's is as good
    base.share(file, second, again=True)
    assert lock.read(file)["base"] == second
    chosen = lock.Locked(reference=REFERENCE, origin=lock.CHOSEN, fixture=False)
    lock.write([file], {"base": chosen})
    base.share(file, second, again=True)
    assert lock.read(file)["base"] == chosen
