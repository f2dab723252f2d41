"""Dockerfiles that make files and run commands: many behaviours in one build each. Right values: BuildKit's sources and tests."""

from __future__ import annotations

import dagger
import pytest
from dagger import dag

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.rootless,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("engine"),
]

ARCHIVES = """
import bz2, gzip, io, lzma, os, tarfile
os.makedirs("/ctx/folder")
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as tar:
    for name, uid in (("made/by/tar", 3), ("plain", 4)):
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.uid, member.gid = 1, 0o640, uid, uid
        tar.addfile(member, io.BytesIO(b"x"))
raw = data.getvalue()
zst = bytes.fromhex("28b52ffda0") + len(raw).to_bytes(4, "little") + (len(raw) << 3 | 1).to_bytes(3, "little") + raw
for name, content in {
    "a.tar": raw, "a.tar.gz": gzip.compress(raw), "a.tar.bz2": bz2.compress(raw), "a.tar.xz": lzma.compress(raw), "a.tar.zst": zst,
    "not.tar.gz": b"no archive", "only.gz": gzip.compress(b"no archive"), "folder/in.tar": raw,
}.items():
    open(f"/ctx/{name}", "wb").write(content)
"""


async def said(built: dagger.Container, script: str) -> list[str]:
    return (await built.with_exec(["sh", "-c", script]).stdout()).splitlines()


async def test_archives(base: dagger.Container, image: str, is_real: bool) -> None:
    """ADD unpacks what is an archive, whatever it is called: not below a folder, not where it is told not to."""
    if is_real:
        pytest.skip("0.21.8 gives what it unpacks to the owner of --chown otherwise")
    context = base.with_exec(["python3", "-c", ARCHIVES]).directory("/ctx")
    text = f"""FROM {image}
ADD a.tar /tar/
ADD a.tar.gz /gz
ADD a.tar.bz2 a.tar.xz /both/
ADD a.tar.z* /zst/
ADD --chown=8:9 a.tar /owned/
ADD --unpack=false a.tar /kept/
ADD not.tar.gz only.gz /files/
ADD folder /folder
COPY a.tar /copied
"""
    built = context.with_new_file("Dockerfile", text).docker_build()
    find = "find /tar /gz /both /zst /kept /files /folder /copied -type f | sort"
    assert await said(built, f"{find}; stat -c '%a %u:%g' /tar/made/by/tar /tar/made /owned /owned/plain") == [
        "/both/made/by/tar",
        "/both/plain",
        "/copied",
        "/files/not.tar.gz",
        "/files/only.gz",
        "/folder/in.tar",
        "/gz/made/by/tar",
        "/gz/plain",
        "/kept/a.tar",
        "/tar/made/by/tar",
        "/tar/plain",
        "/zst/made/by/tar",
        "/zst/plain",
        "640 3:3",
        "755 0:0",
        "755 8:9",
        "640 8:9",
    ]


async def test_files_that_stand_in_the_dockerfile(image: str, is_real: bool) -> None:
    if is_real:
        pytest.skip("0.21.8 takes octal modes only")
    text = f"""FROM {image}
ENV X=x
RUN useradd --uid 1500 app && mkdir -p /link/real && ln -s real /link/to
COPY <<one <<-'two' <<three /d/
$X ${{X:-no}} \\$X "'
one
	tab $X
	two
three
COPY --chmod=u=rwx,go= --chown=app <<run.sh /link/to/
#!/bin/sh
run.sh
USER app
WORKDIR /made/deep
COPY <<E rel
E
RUN <<E
set -e
echo a $X > by-shell
stat -c '%a %U %n' /made /made/deep /made/deep/rel by-shell
E
"""
    built = dag.directory().with_new_file("Dockerfile", text).docker_build()
    script = "cat /d/one /d/two; stat -c '%a %U %s' /d/* /link/real/run.sh; stat -c '%U %n' /made /made/deep rel by-shell; cat by-shell"
    assert await said(built, script) == [
        "x x $X \"'",
        "tab $X",
        "644 root 10",
        "644 root 0",
        "644 root 7",
        "700 app 10",
        "app /made",
        "app /made/deep",
        "root rel",
        "app by-shell",
        "a x",
    ]


async def test_what_mounts_are_and_leave(image: str, nonce: str, is_real: bool) -> None:
    """Options of each type of mount, and that nothing of them is in the image."""
    if is_real:
        pytest.skip("a bind mount with rw ends the process of 0.21.8")
    text = f"""FROM {image} AS src
RUN mkdir /out && echo from > /out/f && echo other > /out/g
FROM {image}
RUN --mount=from=src,source=/out,target=/m,rw sh -c 'echo new > /m/f; cat /m/f /m/g' > /log
RUN --mount=from=src,source=out/f,target=/one/file sh -c 'cat /one/file; echo no > /one/file || echo read-only' >> /log 2>/dev/null
RUN --mount=type=tmpfs,target=/t,size=64k sh -c 'stat -f -c "%T" /t; head -c 70000 /dev/zero > /t/x || echo full' >> /log 2>/dev/null
RUN --mount=type=secret,id=s stat -c '%a %u:%g' /run/secrets/s >> /log
RUN --mount=type=secret,id=s,target=/etc/tok,mode=0444,uid=3,gid=4 sh -c 'stat -c "%a %u:%g" /etc/tok; wc -c < /etc/tok' >> /log
RUN --mount=type=secret,id=s,env=TOK sh -c 'echo ${{#TOK}}; ls /run/secrets 2>/dev/null || true' >> /log
RUN --mount=type=secret,id=unknown sh -c 'ls /run/secrets 2>/dev/null || echo none' >> /log
RUN --mount=type=cache,id={nonce}m,target=/c,from=src,source=/out sh -c 'cat /c/f; echo changed > /c/f' >> /log
RUN --mount=type=cache,id={nonce}m,target=/c,from=src,source=/out cat /c/f >> /log
RUN --mount=type=cache,id={nonce}m,target=/c sh -c 'ls /c | wc -l' >> /log
RUN --mount=type=cache,id={nonce}m,target=/c,ro --mount=type=tmpfs,target=/t,ro \\
    sh -c 'touch /c/x || touch /t/x || echo both' >> /log 2>/dev/null
WORKDIR /w
RUN --mount=target=. test -f Dockerfile || echo "not in /" >> /log
RUN --network=none ls /sys/class/net >> /log
RUN ls -d /m /one /t /c /etc/tok /run/secrets 2>/dev/null >> /log || true
"""
    context = dag.directory().with_new_file(
        "Dockerfile", text.replace("RUN --mount=target=. test", "WORKDIR /w\nRUN --mount=target=. test")
    )
    built = context.docker_build(secrets=[dag.set_secret("s", "12345")])
    assert (await built.file("/log").contents()).splitlines() == [
        *("new", "other"),
        *("from", "read-only"),
        *("tmpfs", "full"),
        "400 0:0",
        *("444 3:4", "5"),
        "5",
        "none",
        *("from", "changed", "0"),
        "both",
        "lo",
    ]


async def test_ignore_files_and_other_names(image: str) -> None:
    """An ignore file beside the Dockerfile counts alone; what is ignored is not there for COPY, a mount or a wildcard."""
    text = f"""FROM {image}
COPY . /all
COPY **.log *.txt /some/
RUN --mount=target=/ctx find /ctx -type f | sort > /seen
"""
    context = (
        dag.directory()
        .with_new_file("docker/app.Dockerfile", text)
        .with_new_file("docker/app.Dockerfile.dockerignore", "# not the other one\n*\n!src\n!*.txt\nsrc/**/skip*\n")
        .with_new_file(".dockerignore", "src\n")
        .with_new_file("src/a", "")
        .with_new_file("src/deep/skip-this", "")
        .with_new_file("src/deep/keep", "")
        .with_new_file("b.txt", "")
        .with_new_file("c.log", "")
    )
    built = context.docker_build(dockerfile="docker/app.Dockerfile")
    assert await said(built, "cat /seen; cd /all; find . -type f | sort; ls /some") == [
        "/ctx/b.txt",
        "/ctx/src/a",
        "/ctx/src/deep/keep",
        "./b.txt",
        "./src/a",
        "./src/deep/keep",
        "b.txt",
    ]
