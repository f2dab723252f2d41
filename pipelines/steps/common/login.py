"""Access to the project's registry: a container that knows the credentials, from which lookups and pushes start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.common.secrets import read_secret

if TYPE_CHECKING:
    import dagger

    from pipelines.model import Registry, SecretRef
    from pipelines.steps.common.step_inputs import StepInputs

NO_USER = "token"
"""User name for a registry that looks at the token only."""


class Login:
    """Credentials of a registry, read once."""

    def __init__(self, registry: Registry, secret: dagger.Secret | None) -> None:
        self._registry = registry
        self._secret = secret

    def apply(self, container: dagger.Container) -> dagger.Container:
        """The container, able to pull from and push to the registry."""
        if self._secret is None:
            return container
        host, user = self._registry.url.partition("/")[0], self._registry.username or NO_USER
        return container.with_registry_auth(host, user, self._secret)


async def login(step_inputs: StepInputs, registry: Registry) -> Login:
    """Read the credentials; without `auth` in the configuration the engine's own are used.

    Raises:
        CredentialsError: the secret cannot be read.
    """
    if registry.auth is None:
        return Login(registry, None)
    return Login(registry, await _password(step_inputs, registry.auth))


async def _password(step_inputs: StepInputs, ref: SecretRef) -> dagger.Secret:
    """The password without the line break a file or command ends in, which no registry would take for part of it."""
    secret, value = await read_secret(step_inputs, "registry.auth", ref)
    bare = value.rstrip("\r\n")
    return secret if bare == value else step_inputs.client.set_secret("registry.auth", bare)
