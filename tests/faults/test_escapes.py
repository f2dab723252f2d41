"""Paths that lead out by `..`, from `/` or through links, wherever files are read or written: nothing outside is read or changed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import dagger
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Ask = Callable[[dagger.Client, dagger.Container, str], Awaitable[object]]

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.rootless, pytest.mark.asyncio(loop_scope="session")]

PRIVATE = "private words of the host"
IMAGES: list[str] = []  # the image of this run


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """All about the files below a folder."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        seen = path.lstat()
        content = path.read_text() if path.is_file() else None
        found[str(path)] = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_mtime_ns if path != folder else 0, content)
    return found


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder of the host that nobody was given; unchanged at the end."""
    folder = tmp_path / "outside"
    (folder / "sub").mkdir(parents=True)
    (folder / "private").write_text(PRIVATE)
    (folder / "sub" / "file").write_text(PRIVATE)
    (folder / "passwd").write_text("root:x:0:0::/root:/bin/sh\nhostonly:x:4321:4321::/:/bin/sh\n")
    before = state(folder)
    yield folder
    assert state(folder) == before


async def answered(asking: Awaitable[object]) -> str:
    """What was answered, be it an error."""
    try:
        return str(await asking)
    except dagger.ExecError as error:
        return f"{error} {error.stdout} {error.stderr}"
    except dagger.QueryError as error:
        return str(error)


def linked(base: dagger.Container, outside: str) -> dagger.Container:
    """A root file system with links out of it: absolute, and by more `..` than there are folders."""
    up = "../" * 30
    return base.with_exec(["sh", "-c", f"mkdir /d; ln -s {outside} /m; ln -s {up}{outside[1:]} /d/up; ln -s {outside}/private /f"])


READS: dict[str, Ask] = {
    "a file by ..": lambda client, base, out: client.directory().file(f"{'../' * 30}{out}/private").contents(),
    "a folder by ..": lambda client, base, out: client.directory().directory(f"{'../' * 30}{out}").entries(),
    "a file through a link": lambda client, base, out: base.file("/f").contents(),
    "a file below a link": lambda client, base, out: base.file("/m/private").contents(),
    "a file below a link of ..": lambda client, base, out: base.file("/d/up/private").contents(),
    "a folder through a link": lambda client, base, out: base.directory("/m").glob("**"),
    "a glob through a link": lambda client, base, out: base.directory("/").glob("m/*"),
    "a copy through a link": lambda client, base, out: client.directory().with_directory("x", base.directory("/m")).glob("**"),
    "a copy of a file through a link": lambda client, base, out: client.directory().with_file("x", base.file("/f")).file("x").contents(),
    "an exported link": lambda client, base, out: base.file("/f").size(),
    "redirected input": lambda client, base, out: base.with_exec(["cat"], redirect_stdin="/f").stdout(),
    "redirected input below a link": lambda client, base, out: base.with_exec(["cat"], redirect_stdin="/m/private").stdout(),
    "a mount of a link": lambda client, base, out: (
        base.with_mounted_directory("/x", base.directory("/m")).with_exec(["sh", "-c", "cat /x/private /x/sub/file"]).stdout()
    ),
    "a mounted file of a link": lambda client, base, out: base.with_mounted_file("/x", base.file("/f")).with_exec(["cat", "/x"]).stdout(),
    "a volume's beginning": lambda client, base, out: (
        base.with_mounted_cache("/x", client.cache_volume(out), source=base.directory("/m"))
        .with_exec(["sh", "-c", "cat /x/private"])
        .stdout()
    ),
    "a user of the host": lambda client, base, out: (
        base.with_exec(["ln", "-sf", f"{out}/passwd", "/etc/passwd"]).with_user("hostonly").with_exec(["id", "-u"]).stdout()
    ),
    "an owner of the host": lambda client, base, out: (
        base.with_exec(["ln", "-sf", f"{out}/passwd", "/etc/passwd"])
        .with_new_file("/owned", "x", owner="hostonly")
        .with_exec(["stat", "-c", "%u", "/owned"])
        .stdout()
    ),
    "a digest": lambda client, base, out: base.file("/m/private").digest(),
    "whether it exists": lambda client, base, out: base.directory("/").exists("m/private"),
    "COPY through a link of the context": lambda client, base, out: (
        client.directory()
        .with_symlink(out, "link")
        .with_new_file("Dockerfile", "FROM scratch\nCOPY link/private /x\n")
        .docker_build()
        .file("/x")
        .contents()
    ),
    "COPY by ..": lambda client, base, out: (
        client.directory()
        .with_new_file("Dockerfile", f"FROM scratch\nCOPY {'../' * 30}{out[1:]}/private /x\n")
        .docker_build()
        .file("/x")
        .contents()
    ),
    "a Dockerfile outside": lambda client, base, out: (
        client.directory().with_symlink(f"{out}/private", "Dockerfile").docker_build().rootfs().entries()
    ),
    "a mount in RUN": lambda client, base, out: (
        client.directory()
        .with_symlink(out, "link")
        .with_new_file("Dockerfile", f"FROM {IMAGES[0]}\nRUN --mount=type=bind,source=link,target=/x cat /x/private > /y\n")
        .docker_build()
        .file("/y")
        .contents()
    ),
}


@pytest.fixture(autouse=True)
def _image(image: str) -> None:
    IMAGES[:] = [image]


@pytest.mark.parametrize("name", READS)
async def test_nothing_outside_is_read(name: str, client: dagger.Client, base: dagger.Container, outside: Path) -> None:
    said = await answered(READS[name](client, linked(base, str(outside)), str(outside)))
    assert PRIVATE not in said
    assert "4321" not in said
    assert hashlib.sha256(PRIVATE.encode()).hexdigest() not in said
    assert said not in {"True", str(len(PRIVATE))}
    assert "internal error" not in said


TOUCH = ["sh", "-c", "touch /m/here /m/sub/here /d/up/here; ls /m"]

WRITES: dict[str, Ask] = {
    "a new file below a link": lambda client, base, out: base.with_new_file("/m/new", "x").sync(),
    "a new file by a link": lambda client, base, out: base.with_new_file("/f", "changed").sync(),
    "a new file by ..": lambda client, base, out: client.directory().with_new_file(f"{'../' * 30}{out}/new", "x").sync(),
    "a new folder below a link": lambda client, base, out: base.with_directory("/d/up/new", client.directory()).sync(),
    "a folder onto a link": lambda client, base, out: base.with_directory("/m", client.directory().with_new_file("sub/file", "x")).sync(),
    "a file onto a link": lambda client, base, out: base.with_file("/f", client.directory().with_new_file("f", "x").file("f")).sync(),
    "a file removed below a link": lambda client, base, out: base.without_file("/m/private").sync(),
    "a folder removed by a link": lambda client, base, out: base.without_directory("/m/sub").sync(),
    "an owner below a link": lambda client, base, out: base.directory("/").chown("m", "7:7").sync(),
    "times": lambda client, base, out: base.directory("/").with_timestamps(1).sync(),
    "a link over a link": lambda client, base, out: base.with_symlink("/nowhere", "/m/private").sync(),
    "a working directory": lambda client, base, out: base.with_workdir("/m/work").with_exec(["true"]).sync(),
    "redirected output": lambda client, base, out: base.with_exec(["echo", "x"], redirect_stdout="/f", redirect_stderr="/m/err").sync(),
    "a mounted folder": lambda client, base, out: (
        base.with_mounted_directory("/m", client.directory().with_new_file("own", "")).with_exec(TOUCH).sync()
    ),
    "a folder mounted below": lambda client, base, out: base.with_mounted_directory("/m/point", client.directory()).with_exec(TOUCH).sync(),
    "a mounted file": lambda client, base, out: (
        base.with_mounted_file("/m/point", client.directory().with_new_file("f", "").file("f")).with_exec(TOUCH).sync()
    ),
    "a mounted file by a link": lambda client, base, out: (
        base.with_mounted_file("/f", client.directory().with_new_file("f", "").file("f")).with_exec(["sh", "-c", "echo x > /f"]).sync()
    ),
    "a mounted volume": lambda client, base, out: base.with_mounted_cache("/m/sub", client.cache_volume("escape")).with_exec(TOUCH).sync(),
    "a link in a volume": lambda client, base, out: (
        base.with_mounted_cache("/v", client.cache_volume("escape"))
        .with_exec(["sh", "-c", f"ln -sfn {out} /v/l; mkdir -p {out}; touch /v/l/here"])
        .with_mounted_cache("/v/l/w", client.cache_volume("escape2"))
        .with_exec(["sh", "-c", "touch /v/l/w/x"])
        .sync()
    ),
    "mounted memory": lambda client, base, out: base.with_mounted_temp("/d/up/point").with_exec(TOUCH).sync(),
    "a mounted secret": lambda client, base, out: (
        base.with_mounted_secret("/m/secret", client.set_secret("escape", "x" * 9)).with_exec(TOUCH).sync()
    ),
    "network files": lambda client, base, out: (
        base.with_exec(
            [
                "sh",
                "-c",
                f"ln -sf {out}/private /etc/resolv.conf; rm /etc/hosts; ln -s {out}/hosts /etc/hosts; ln -sf {out}/h /etc/hostname",
            ]
        )
        .with_exec(["sh", "-c", "echo x >> /etc/hosts; cat /etc/resolv.conf >/dev/null; true"])
        .sync()
    ),
    "WORKDIR": lambda client, base, out: (
        client.directory()
        .with_new_file("Dockerfile", f"FROM {IMAGES[0]}\nRUN ln -s {out} /m\nWORKDIR /m/w\nCOPY Dockerfile /m/copied\nCOPY Dockerfile .\n")
        .docker_build()
        .sync()
    ),
}


@pytest.mark.parametrize("name", WRITES)
async def test_nothing_outside_is_written(name: str, client: dagger.Client, base: dagger.Container, outside: Path) -> None:
    said = await answered(WRITES[name](client, linked(base, str(outside)), str(outside)))
    assert "internal error" not in said


async def test_links_of_a_host_directory_are_not_followed_out(client: dagger.Client, tmp_path: Path, outside: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "file").symlink_to(outside / "private")
    (given / "folder").symlink_to(outside)
    (given / "up").symlink_to("../outside")
    folder = client.host().directory(str(given))
    assert await folder.glob("**") == ["file", "folder", "up"]
    for path in ("file", "folder/private", "up/private"):
        assert PRIVATE not in await answered(folder.file(path).contents())
    only = client.host().directory(str(given), include=["folder/private", "up/private"])
    assert PRIVATE not in await answered(only.file("folder/private").contents())
    assert PRIVATE not in await answered(only.file("up/private").contents())


async def test_an_export_stays_where_it_was_sent(client: dagger.Client, base: dagger.Container, tmp_path: Path, outside: Path) -> None:
    target = tmp_path / "target"
    (target / "inner").mkdir(parents=True)
    (target / "sub").symlink_to(outside)
    (target / "up").symlink_to("../outside")
    (target / "private").symlink_to(outside / "private")
    tree = (
        client.directory()
        .with_new_file("sub/private", "changed")
        .with_new_file("up/sub/file", "changed")
        .with_new_file("private", "changed")
        .with_symlink(str(outside), "made")
    )
    await answered(tree.export(str(target)))
    await answered(linked(base, str(outside)).directory("/d").export(str(tmp_path / "links")))
    assert not (tmp_path / "links" / "up").exists() or (tmp_path / "links" / "up").is_symlink()
    await answered(tree.export(str(target), wipe=True))
    assert (target / "made").is_symlink()


def archive(outside: Path, *, hard: bool = True) -> bytes:
    """A tar whose members lead out of it in every way a tar can say."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(*_member("fine", b"fine"))
        for name in (f"{'../' * 30}{outside}/new", f"{outside}/absolute", "../../evil", "./../x/../../../evil"):
            tar.addfile(*_member(name, b"evil"))
        for name, target in (("link", str(outside)), ("up", f"{'../' * 30}{outside}")):
            tar.addfile(_link(name, target, tarfile.SYMTYPE))
            tar.addfile(*_member(f"{name}/private", b"evil"))
            tar.addfile(*_member(f"{name}/sub/.wh.file", b""))
            tar.addfile(*_member(f"{name}/sub/.wh..wh..opq", b""))
        if hard:
            tar.addfile(_link("hard", f"{outside}/private", tarfile.LNKTYPE))
            tar.addfile(_link("hard2", f"{'../' * 30}{outside}/private", tarfile.LNKTYPE))
            tar.addfile(*_member("hard", b"evil"))
    return data.getvalue()


def _member(name: str, content: bytes) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, io.BytesIO(content)


def _link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def image_of(layer: bytes) -> bytes:
    """A docker-archive of one layer."""
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": None, "Layers": ["layer.tar"]}]).encode()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in (("config.json", config), ("layer.tar", layer), ("manifest.json", manifest)):
            tar.addfile(*_member(name, content))
    return data.getvalue()


def _harmless(tmp_path: Path) -> None:
    assert not list(tmp_path.rglob("evil"))
    assert not Path("/evil").exists()


async def test_members_of_an_imported_image_stay_in_it(client: dagger.Client, tmp_path: Path, outside: Path) -> None:
    (tmp_path / "image.tar").write_bytes(image_of(archive(outside)))
    imported = client.container().import_(client.host().file(str(tmp_path / "image.tar")))
    said = await answered(imported.rootfs().glob("**"))
    assert "internal error" not in said
    assert PRIVATE not in await answered(imported.file("/hard").contents())
    assert PRIVATE not in await answered(imported.file("/hard2").contents())
    _harmless(tmp_path)


@pytest.mark.parametrize("hard", [True, False])
async def test_members_of_an_added_tar_stay_in_place(client: dagger.Client, tmp_path: Path, outside: Path, image: str, hard: bool) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "evil.tar").write_bytes(archive(outside, hard=hard))
    (context / "Dockerfile").write_text(f"FROM {image}\nRUN ln -s {outside} /m\nADD evil.tar /x/\nADD evil.tar /m/\n")
    built = client.host().directory(str(context)).docker_build()
    said = await answered(built.directory("/x").glob("*"))
    assert "'fine'" in said, said
    _harmless(tmp_path)
