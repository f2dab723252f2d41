from __future__ import annotations

import http.server
import re
import threading
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.rootless,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("engine"),
]

GET = "import sys,urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode())"


def web(base: dagger.Container, text: str = "hello", port: int = 8000) -> dagger.Service:
    served = base.with_new_file("/srv/index.html", text).with_workdir("/srv").with_exposed_port(port)
    return served.as_service(args=["python3", "-m", "http.server", str(port)])


async def test_a_bound_service_answers_by_its_alias(base: dagger.Container) -> None:
    assert await base.with_service_binding("web", web(base)).with_exec(["python3", "-c", GET, "http://web:8000/"]).stdout() == "hello\n"


async def test_two_services_on_one_port(base: dagger.Container) -> None:
    both = base.with_service_binding("one", web(base, "1")).with_service_binding("two", web(base, "2"))
    script = f"python3 -c '{GET}' http://one:8000/; python3 -c '{GET}' http://two:8000/"
    assert await both.with_exec(["sh", "-c", script]).stdout() == "1\n2\n"


async def test_a_service_that_dies_says_how(base: dagger.Container) -> None:
    dead = base.with_exposed_port(9000).as_service(args=["sh", "-c", "echo dying >&2; exit 3"])
    with pytest.raises(dagger.ExecError, match=r"start \S+ \(aliased as dead\): exit code: 3") as caught:
        await base.with_service_binding("dead", dead).with_exec(["true"]).sync()
    assert (caught.value.exit_code, caught.value.stdout, caught.value.stderr) == (3, "", "dying\n")


async def test_a_service_that_ends_while_it_is_used_fails_its_user_at_once(base: dagger.Container, nonce: str) -> None:
    script = "python3 -m http.server 8080 & sleep 1; exit 42"
    ends = base.with_env_variable("N", nonce).with_exposed_port(8080).as_service(args=["sh", "-c", script])
    began = time.monotonic()
    with pytest.raises(dagger.QueryError, match=r"bound service \S+ \(aliased as www\) exited: exit code: 42"):
        await base.with_env_variable("N", nonce).with_service_binding("www", ends).with_exec(["sleep", "60"]).sync()
    assert time.monotonic() - began < 30


async def test_a_health_check_that_fails_is_the_error_of_its_command(base: dagger.Container, nonce: str) -> None:
    plain = base.with_env_variable("N", nonce).with_exposed_port(8080).with_default_args(["python3", "-m", "http.server", "8080"])
    checked = plain.with_docker_healthcheck(["sh", "-c", "echo no >&2; exit 3"], interval="100ms", retries=1)
    user = base.with_env_variable("N", nonce)
    await user.with_service_binding("www", plain.as_service()).with_exec(["true"]).sync()  # another service: it has no such check
    with pytest.raises(dagger.ExecError, match=r"start \S+ \(aliased as www\): health check errored: exit code: 3") as caught:
        await user.with_service_binding("www", checked.as_service()).with_exec(["true"]).sync()
    assert (caught.value.exit_code, caught.value.stderr.strip()) == (3, "no")


async def test_a_started_service_has_an_endpoint_until_it_is_stopped(base: dagger.Container) -> None:
    service = await web(base, "up").start()
    assert re.fullmatch(r"http://[^:/]+:8000", await service.endpoint(scheme="http"))
    assert await base.with_service_binding("w", web(base, "up")).with_exec(["python3", "-c", GET, "http://w:8000/"]).stdout() == "up\n"
    await service.stop()


async def test_a_tunnel_leads_to_a_service(base: dagger.Container) -> None:
    tunnel = await dag.host().tunnel(web(base, "tunnelled")).start()
    endpoint = await tunnel.endpoint(scheme="http")
    try:
        assert await anyio.to_thread.run_sync(lambda: urllib.request.urlopen(endpoint, timeout=5).read()) == b"tunnelled"
    finally:
        await tunnel.stop()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "13")
        self.end_headers()
        self.wfile.write(b"from the host")

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def host_server() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


async def test_a_port_of_the_host_is_reached_only_when_given(base: dagger.Container) -> None:
    with host_server() as port:
        service = dag.host().service([dagger.PortForward(backend=port, frontend=80)])
        assert await base.with_service_binding("h", service).with_exec(["python3", "-c", GET, "http://h/"]).stdout() == "from the host\n"
        with pytest.raises(dagger.ExecError):
            await base.with_exec(["python3", "-c", GET, f"http://127.0.0.1:{port}/"]).sync()


async def test_services_can_use_services(base: dagger.Container) -> None:
    relay = (
        "import http.server as h, urllib.request as u\n"
        "class H(h.BaseHTTPRequestHandler):\n"
        " def do_GET(s):\n"
        "  b = u.urlopen('http://inner:8000/').read(); s.send_response(200); s.end_headers(); s.wfile.write(b'via ' + b)\n"
        "h.HTTPServer(('', 7000), H).serve_forever()"
    )
    outer = base.with_service_binding("inner", web(base, "inner")).with_exposed_port(7000).as_service(args=["python3", "-c", relay])
    assert await base.with_service_binding("outer", outer).with_exec(["python3", "-c", GET, "http://outer:7000/"]).stdout() == "via inner\n"
