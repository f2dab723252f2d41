from __future__ import annotations

import pytest

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.instructions.mounts import MountFlag, RunMount
from pipelines.engine.embedded.dockerfile.instructions.origins import BuildContext, Scratch, StageRef
from pipelines.engine.embedded.errors import Unsupported


def resolve(text: str, values: dict[str, str] | None = None) -> RunMount:
    def word(text: str) -> str:
        for name, value in (values or {}).items():
            text = text.replace(f"${name}", value)
        return text

    return MountFlag(text, None).resolve(word)


def test_bind_is_the_default_and_read_only() -> None:
    assert resolve("target=/c") == RunMount("bind", BuildContext(), target="/c", readonly=True)
    assert not resolve("target=/c,rw").readonly
    assert not resolve("target=/c,readonly=false").readonly
    assert resolve("type=cache,dst=/c,ro").readonly


@pytest.mark.parametrize(("kind", "readonly"), [("bind", True), ("cache", False), ("tmpfs", False)])
def test_caches_and_tmpfs_are_for_writing(kind: str, *, readonly: bool) -> None:
    assert resolve(f"type={kind},target=/c").readonly == readonly


def test_origin_is_kept() -> None:
    assert MountFlag("from=x,source=/a,target=/b", StageRef(2)).resolve(str).origin == StageRef(2)
    assert MountFlag("type=cache,target=/b", Scratch()).resolve(str).origin == Scratch()


def test_cache() -> None:
    mount = resolve("type=cache,target=/root/.cache/,sharing=LOCKED,uid=1000,gid=100,mode=0700")
    assert (mount.cache_id, mount.sharing, mount.uid, mount.gid, mount.mode) == ("/root/.cache", "locked", 1000, 100, 0o700)
    assert resolve("type=cache,id=pip,target=/c").cache_id == "pip"


def test_values_are_expanded_and_may_hold_commas() -> None:
    mount = resolve('type=$KIND,"target=/a,b/$X"', {"KIND": "tmpfs", "X": "y"})
    assert (mount.type, mount.target) == ("tmpfs", "/a,b/y")


@pytest.mark.parametrize(
    ("text", "name", "target", "env"),
    [
        ("type=secret,id=tok", "tok", "/run/secrets/tok", None),
        ("type=secret,id=a/tok", "a/tok", "/run/secrets/tok", None),
        ("type=secret,target=/x/key", "key", "/x/key", None),
        ("type=secret,source=s,target=/k", "s", "/k", None),
        ("type=secret,id=tok,env=TOKEN", "tok", "", "TOKEN"),
        ("type=secret,id=tok,env=TOKEN,target=/k", "tok", "/k", "TOKEN"),
    ],
)
def test_secret(text: str, name: str, target: str, env: str | None) -> None:
    mount = resolve(text)
    assert (mount.secret_id, mount.secret_target, mount.env) == (name, target, env)


@pytest.mark.parametrize(("text", "size"), [("1000", 1000), ("1k", 1024), ("64m", 64 << 20), ("1.5GiB", 3 << 29), ("2 kb", 2048)])
def test_tmpfs_size(text: str, size: int) -> None:
    assert resolve(f"type=tmpfs,target=/t,size={text}").size == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target", "invalid field 'target' must be a key=value pair"),
        ("targt=/x", "unexpected key 'targt' in 'targt=/x' (did you mean target?)"),
        ("type=cach,target=/x", 'unsupported mount type "cach" (did you mean cache?)'),
        ("type=cache,target=/x,sharing=lock", 'unsupported sharing value "lock"'),
        ("target=/x,sharing=shared", "invalid cache sharing set for bind mount"),
        ("target=/x,uid=1", 'uid not allowed for "bind" type mounts'),
        ("target=/x,required", "unexpected key 'required' for mount type 'bind'"),
        ("target=/x,size=1", "unexpected key 'size' for mount type 'bind'"),
        ("type=tmpfs,target=/x,size=big", "invalid value for size: big"),
        ("type=cache,target=/x,mode=9", "invalid value 9 for mode"),
        ("target=/x,ro=maybe", "invalid value for readonly: maybe"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=b", "secret mount should not have a from"),
        ('"target=/a', "failed to parse csv mounts"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(Fault) as caught:
        resolve(text)
    assert message in str(caught.value)


def test_ssh_is_refused_by_name() -> None:
    with pytest.raises(Unsupported, match=r"RUN --mount=type=ssh is not supported by the embedded engine"):
        resolve("type=ssh")
