from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.rootless,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("engine"),
]


async def test_a_secret_is_a_variable_or_a_file_and_never_shown(base: dagger.Container) -> None:
    secret = dag.set_secret("pw", "s3cr3t-value")
    given = base.with_secret_variable("PW", secret).with_mounted_secret("/run/pw", secret)
    script = "echo $PW | wc -c; wc -c < /run/pw; stat -c '%a %u' /run/pw; echo $PW; cat /run/pw"
    assert await given.with_exec(["sh", "-c", script]).stdout() == "13\n12\n400 0\n***\n***"


async def test_a_mounted_secret_leaves_no_trace_in_the_image(base: dagger.Container) -> None:
    mounted = base.with_mounted_secret("/run/pw", dag.set_secret("pw2", "s3cr3t-value")).with_exec(["true"])
    assert await mounted.without_mount("/run/pw").with_exec(["sh", "-c", "ls -la /run/pw 2>&1 | wc -l"]).stdout() == "1\n"


async def test_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    assert await dag.secret(f"file://{tmp_path}/token").plaintext() == "from-file"


async def test_errors_do_not_tell_secrets_either(base: dagger.Container) -> None:
    given = base.with_secret_variable("PW", dag.set_secret("pw3", "an0ther-secret"))
    with pytest.raises(dagger.ExecError) as caught:
        await given.with_exec(["sh", "-c", "echo leak $PW; exit 1"]).sync()
    assert caught.value.stdout == "leak ***"


async def test_an_owner_may_read_it(base: dagger.Container) -> None:
    mounted = base.with_mounted_secret("/run/pw", dag.set_secret("pw4", "s3cr3t-value"), owner="1000:1000", mode=0o440)
    assert await mounted.with_exec(["stat", "-c", "%u:%g %a", "/run/pw"]).stdout() == "1000:1000 440\n"
