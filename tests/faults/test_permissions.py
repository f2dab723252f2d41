"""Who may start containers with all capabilities: said to the engine by its environment, kept to also where a result is known already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest

if TYPE_CHECKING:
    from tests.faults.engine import Engines

pytestmark = [pytest.mark.engine, pytest.mark.root]
RUN = "FROM {image}\nRUN --security=insecure grep CapEff /proc/self/status > /caps\n"
TRIGGER = "FROM {image}\nONBUILD RUN --security=insecure grep CapEff /proc/self/status > /caps\n"


async def test_a_dockerfile_needs_a_word_and_a_program_can_be_refused_one(engines: Engines, image: str, registry: str) -> None:
    async def ask(word: str, what: str) -> str:
        async with engines.start({"LOCKGATE_ENGINE_INSECURE": word}).client() as client:
            base = client.container().from_(image)
            try:
                if what == "api":
                    return await base.with_exec(["grep", "CapEff", "/proc/self/status"], insecure_root_capabilities=True).stdout()
                if what == "service":
                    await base.as_service(args=["sleep", "9"], insecure_root_capabilities=True).start()
                    return "started"
                text = RUN.format(image=image)
                if what == "trigger":
                    parent = client.directory().with_new_file("Dockerfile", TRIGGER.format(image=image)).docker_build()
                    text = f"FROM {await parent.publish(f'{registry}/tests/insecure-trigger')}\n"
                return await client.directory().with_new_file("Dockerfile", text).docker_build().file("/caps").contents()
            except dagger.QueryError as error:
                return str(error)

    dockerfile = "RUN --security=insecure (line {}) is refused: it gives a container all capabilities"
    program = "Container.{}(insecureRootCapabilities:) is refused"
    assert "CapEff" in await ask("all", "run")
    for word in ("api", ""):
        assert dockerfile.format(2) in await ask(word, "run")
        assert dockerfile.format(1) in await ask(word, "trigger")
    assert "CapEff" in await ask("", "api")
    assert program.format("withExec") in await ask("none", "api")
    assert program.format("asService") in await ask("none", "service")
    assert dockerfile.format(2) in await ask("none", "run")
