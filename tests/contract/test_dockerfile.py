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

STAGES = """ARG BASE={image}
FROM $BASE AS build
ARG VERSION=dev
RUN mkdir /out && echo "built $VERSION" > /out/v
FROM build AS test
RUN echo tested > /out/t
FROM $BASE AS unused
RUN exit 1
FROM $BASE AS runtime
COPY --from=build --chown=1000:1000 /out /out
COPY app/ /app/
ENV NAME="x y" OTHER=z
WORKDIR /app
USER 1000
EXPOSE 8000/tcp
LABEL a=b
ENTRYPOINT ["python3"]
CMD ["main.py"]
"""


def context(dockerfile: str) -> dagger.Directory:
    return (
        dag.directory()
        .with_new_file("Dockerfile", dockerfile)
        .with_new_file("app/main.py", "print('app')\n")
        .with_new_file("skip.log", "no")
    )


async def test_stages_targets_arguments_and_configuration(image: str) -> None:
    text = STAGES.format(image=image)
    built = context(text).docker_build(build_args=[dagger.BuildArg("VERSION", "9")])
    assert await built.with_exec([], use_entrypoint=True).stdout() == "app\n"
    assert await built.file("/out/v").contents() == "built 9\n"
    assert await built.with_exec(["sh", "-c", "stat -c %u /out/v; echo $NAME; pwd; id -u"]).stdout() == "1000\nx y\n/app\n1000\n"
    assert [await built.entrypoint(), await built.default_args(), await built.label("a")] == [["python3"], ["main.py"], "b"]
    assert await context(text).docker_build(target="test").directory("/out").entries() == ["t", "v"]


async def test_heredocs_and_mounts(image: str) -> None:
    text = f"""# syntax-free
FROM {image}
RUN --mount=type=cache,target=/c --mount=type=secret,id=tok,target=/run/tok <<EOF
echo cached >> /c/x
wc -c < /run/tok > /len
EOF
RUN --mount=type=bind,target=/ctx ls /ctx > /ls
COPY <<TXT /greeting
hello
TXT
"""
    built = context(text).docker_build(secrets=[dag.set_secret("tok", "12345")])
    assert [await built.file(path).contents() for path in ("/len", "/ls", "/greeting")] == ["5\n", "Dockerfile\napp\nskip.log\n", "hello\n"]


async def test_ignored_files_do_not_come_in(image: str) -> None:
    built = context(f"FROM {image}\nCOPY . /all\n").with_new_file(".dockerignore", "*.log\n").docker_build()
    assert await built.directory("/all").entries() == [".dockerignore", "Dockerfile", "app/"]


async def test_a_failing_run_is_an_exec_error(image: str, is_real: bool) -> None:
    built = context(f"FROM {image}\nRUN echo before && exit 4\n").docker_build()
    with pytest.raises(dagger.QueryError) as caught:
        await built.sync()
    if is_real and not isinstance(caught.value, dagger.ExecError):
        pytest.skip("engines before 0.21 tell less")
    assert isinstance(caught.value, dagger.ExecError)
    assert (caught.value.command, caught.value.exit_code, caught.value.stdout) == (["/bin/sh", "-c", "echo before && exit 4"], 4, "before")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("RUNN x", r"dockerfile parse error on line 2: unknown instruction: RUNN \(did you mean RUN\?\)"),
        ("COPY nothing-here /x", r"nothing-here: no such file or directory|\"/nothing-here\": not found"),
    ],
)
async def test_what_cannot_be_built_is_named(image: str, line: str, message: str) -> None:
    with pytest.raises(dagger.QueryError, match=message):
        await context(f"FROM {image}\n{line}\n").docker_build().sync()


async def test_an_unknown_target_is_named(image: str) -> None:
    with pytest.raises(dagger.QueryError, match='target stage "two" could not be found'):
        await context(f"FROM {image} AS one\n").docker_build(target="two").sync()


async def test_copy_has_its_own_rules(image: str) -> None:
    text = f"""FROM {image}
COPY app/*.py /single/
COPY app /renamed
COPY app/main.py /file
COPY skip.log app/main.py /many/
WORKDIR /w
COPY app/main.py .
"""
    built = context(text).docker_build()
    script = "ls /single /renamed /many /w; test -f /file"
    assert await built.with_exec(["sh", "-c", script]).stdout() == (
        "/many:\nmain.py\nskip.log\n\n/renamed:\nmain.py\n\n/single:\nmain.py\n\n/w:\nmain.py\n"
    )


async def test_only_what_is_copied_counts(image: str, nonce: str) -> None:
    """A change elsewhere in the context does not run a command again."""
    text = f"FROM {image}\nCOPY app /app\nRUN echo {nonce} > /dev/null; date +%s%N > /stamp\n"
    one = await context(text).docker_build().file("/stamp").contents()
    two = await context(text).with_new_file("elsewhere", nonce).docker_build().file("/stamp").contents()
    three = await context(text).with_new_file("app/new", "1").docker_build().file("/stamp").contents()
    assert one == two != three


async def test_owners_of_copies(image: str, is_real: bool) -> None:
    """Kept from a stage, given by --chown also to the folders that are made, group alone; a folder that is there keeps its own."""
    if is_real:
        pytest.skip("0.21.8 gives the owner of the stage to one of these copies")
    text = f"""FROM {image} AS made
RUN mkdir -p /d/in && touch /f /d/in/deep && chown 100:200 /f /d && chown 101:201 /d/in && chown 102:202 /d/in/deep
FROM {image}
RUN mkdir -m 700 /own && chown 500:600 /own
COPY --from=made /f /kept
COPY --from=made /d /d
COPY --from=made --chown=7:8 /d /own
COPY --from=made --chown=:9 /f /p/q/group
COPY --from=made --chown=7 --link /f /linked/f
RUN mkdir -p /par/d && chown 5:6 /par/d
COPY --from=made --parents /d/in/deep /par/
COPY --chown=nobody <<X /named
X
"""
    paths = "/kept /d /d/in /d/in/deep /own /own/in /p /p/q/group /linked /named /par/d /par/d/in"
    built = context(text).docker_build()
    owners = ["100:200", "0:0", "101:201", "102:202", "500:600", "7:8", "0:9", "0:9", "7:7", "65534:65534", "5:6", "101:201"]
    assert (await built.with_exec(["sh", "-c", f"stat -c %u:%g {paths}"]).stdout()).split() == owners


async def test_cache_volumes_begin_as_their_mount_says(image: str, nonce: str, is_real: bool) -> None:
    """Mode and owner belong to the volume's key: the same id mounted otherwise is another volume; a user who may write there does."""
    if is_real:
        pytest.skip("0.21.8 cannot convert such a mount")
    text = f"""FROM {image}
WORKDIR /w
RUN --mount=type=cache,target=/c,id={nonce},mode=0777 stat -c '%a %u:%g' /c > /one && touch /c/x
RUN --mount=type=cache,target=/c,id={nonce},uid=5,gid=6 stat -c '%a %u:%g' /c > /two && ls /c >> /two
RUN --mount=type=cache,target=/c,id={nonce} ls /c > /three
RUN --mount=type=cache,id={nonce}w pwd > /four && touch /w/seen
RUN --mount=type=cache,id={nonce}w,target=/x ls /x >> /four
USER 1000
RUN --mount=type=cache,target=/c,id={nonce},mode=0777 touch /c/y
"""
    built = context(text).docker_build()
    assert [await built.file(f"/{name}").contents() for name in ("one", "two", "three", "four")] == [
        "777 0:0\n",
        "755 5:6\n",
        "",
        "/w\nseen\n",
    ]


async def test_triggers_read_from_stages(image: str, is_real: bool) -> None:
    """ONBUILD COPY and RUN --mount of a stage of the same file, also of one that nothing else needs."""
    if is_real:
        pytest.skip("0.21.8 refuses it: the stage is defined too late")
    text = f"""FROM {image} AS src
RUN echo 12 > /file
FROM {image} AS parent
ONBUILD COPY --from=src /file /out/copied
ONBUILD RUN --mount=from=src,source=/file,target=/m cat /m > /out/mounted
FROM parent
RUN cat /out/copied /out/mounted > /both
"""
    assert await context(text).docker_build().file("/both").contents() == "12\n12\n"


async def test_scratch_has_a_path_and_a_folder(image: str) -> None:
    text = f"""FROM {image} AS full
FROM scratch
ENV PATH=/opt/bin:$PATH
COPY --from=full / /
"""
    built = context(text).docker_build()
    assert await built.with_exec(["sh", "-c", "pwd; echo $PATH"]).stdout() == (
        "/\n/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    )
