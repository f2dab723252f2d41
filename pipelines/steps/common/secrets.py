"""References to secrets (env://, file://, cmd:// and whatever else the engine knows) to Dagger secrets.

Each use is written to the step's log by name and kind of source; the value is masked in everything the step leaves from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError, StepFailed
from pipelines.steps.common.dagger_errors import explained_errors
from pipelines.steps.common.error_text import core
from pipelines.steps.common.local_secrets import REMEDY, secret_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import dagger

    from pipelines.model import SecretRef
    from pipelines.steps.common.step_inputs import StepInputs


def located(secret: SecretRef, root: Path) -> str:
    """The URI with a file's path made absolute.

    Raises:
        CredentialsError: the user whose home folder it names does not exist.
    """
    return f"file://{secret_file(secret, root)}" if secret.scheme == "file" else secret.uri


async def read_secret(step_inputs: StepInputs, name: str, ref: SecretRef) -> tuple[dagger.Secret, str]:
    """The secret behind a reference, and its value as the engine reads it.

    Raises:
        CredentialsError: it cannot be read.
    """
    import dagger

    step_inputs.context.log(f"secret {name}: read from {ref.scheme}\n")
    secret = step_inputs.client.secret(located(ref, step_inputs.project.root))
    try:
        with explained_errors(f"secret {name}"):
            value = await secret.plaintext()
    except (StepFailed, CredentialsError) as error:
        if not isinstance(error.__cause__, dagger.QueryError):
            raise
        raise CredentialsError(f"secret {name} cannot be read", cause=core(str(error.__cause__)), next_step=REMEDY) from error.__cause__
    step_inputs.context.mask(value)
    return secret, value


async def build_secrets(step_inputs: StepInputs, secrets: Mapping[str, SecretRef]) -> list[dagger.Secret]:
    """Secrets for `RUN --mount=type=secret,id=NAME`: an engine finds them by name, and only a secret that was set has one."""
    values = {name: (await read_secret(step_inputs, name, ref))[1] for name, ref in secrets.items()}
    return [step_inputs.client.set_secret(name, value) for name, value in values.items()]


async def with_secrets(step_inputs: StepInputs, container: dagger.Container, secrets: Mapping[str, SecretRef]) -> dagger.Container:
    """The container with each secret as an environment variable."""
    for name, ref in secrets.items():
        secret, _ = await read_secret(step_inputs, name, ref)
        container = container.with_secret_variable(name, secret)
    return container
