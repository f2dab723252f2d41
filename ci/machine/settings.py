"""`lockgate.local.toml` beside each lockgate.toml: this machine's registry, package settings and what it allows. Never committed.

Package index settings and private certificates reach a build only as build secrets: a pip.conf and a CA bundle that RUN
--mount=type=secret shows to one command, so no layer and no history holds them.
"""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from ci.machine import lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ci.machine.part import Machine
    from ci.machine.registry import Registry

HEAD = "# Written by ci/setup for this machine, and again when it changes. To keep your own version, delete this line.\n"
IN_BUILD = "/run/secrets/"  # where a build finds a secret by its id
PIP_LINE = re.compile(r"^(global|:env:)\.([\w-]+)=('.*'|\".*\")$", re.MULTILINE)
ALIASES = {"default-timeout": "timeout"}
PASSED_ON = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries", "find-links")
BUNDLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSettings:
    """What pip on this machine is told: the text of a pip.conf for inside a build, and a CA bundle of its own if there is one."""

    pip_conf: str
    bundle: Path | None


class Settings:
    """Writes the files; a file somebody made or took over is left alone."""

    def __init__(self, machine: Machine, registry: Registry) -> None:
        self._machine, self._registry = machine, registry
        self._package: PackageSettings | None = None

    def todo(self) -> list[str]:
        return (
            [] if self._registry.record() and not self._stale() else ["lockgate.local.toml: this machine's registry and package settings"]
        )

    def provide(self) -> None:
        write_private(self._stale())

    def _stale(self) -> dict[Path, str]:
        return {file: text for file, text in self._wanted().items() if differs(file, text)}

    def package(self) -> PackageSettings:
        """The settings that pip uses; read once there is a Python environment."""
        if self._package is None:
            python = self._machine.paths.venv / "bin/python"
            if not python.exists():  # the part before makes it, and this one is asked again
                return read_package_settings(self._machine.environ, "")
            listed = self._machine.runner.output([str(python), "-m", "pip", "config", "list"])
            self._package = read_package_settings(self._machine.environ, listed)
        return self._package

    def _wanted(self) -> dict[Path, str]:
        record = self._registry.record()
        if record is None:
            return {}
        package = self.package()
        files: dict[Path, str] = {}
        for project, image in zip(self._machine.paths.projects, ("base", "shop"), strict=True):
            secret = project / ".lockgate/pip.conf"
            fixture = any(locked.fixture for locked in lock.read(lock.path(project)).values())
            files[secret] = package.pip_conf
            files[project / "lockgate.local.toml"] = render(f"localhost:{record.port}", image, secret, package.bundle, fixture=fixture)
        return files


def write_private(files: Mapping[Path, str]) -> None:
    """Write files that only their owner may read, each whole or not at all."""
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.tmp")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.write(text)
        draft.replace(file)


def build_secrets(pip_conf: Path, bundle: Path | None) -> list[str]:
    """The lines of TOML that offer both to a build."""
    secrets = {"pip": f"file://{pip_conf}", **({"ca": f"file://{bundle}"} if bundle else {})}
    return [f"{name} = {json.dumps(uri)}" for name, uri in secrets.items()]


def read_package_settings(environ: Mapping[str, str], pip_list: str) -> PackageSettings:
    """Settings out of `pip config list` (files and PIP_ variables, as `global.name='value'` and `:env:.name='value'` lines).

    Local folders are left out: a build cannot see them. A CA bundle is renamed to where the build finds the secret.
    """
    found = sorted((match.groups() for match in PIP_LINE.finditer(pip_list)), key=lambda row: row[0] == ":env:")  # the environment wins
    values = {ALIASES.get(name, name): str(ast.literal_eval(value)) for _, name, value in found}
    bundle = next(
        (Path(path) for path in (values.get("cert"), *(environ.get(name) for name in BUNDLES)) if path and Path(path).is_file()), None
    )
    told = {name: values[name] for name in PASSED_ON if name in values and not values[name].startswith("/")}
    return PackageSettings(pip_conf=_pip_conf({**told, **({"cert": f"{IN_BUILD}ca"} if bundle else {})}), bundle=bundle)


def render(registry: str, image: str, pip_conf: Path, bundle: Path | None, *, fixture: bool) -> str:
    """The text of a lockgate.local.toml."""
    lines = [HEAD, "[registry]", f"url = {json.dumps(registry)}", "", f"[images.{image}.secrets]", *build_secrets(pip_conf, bundle)]
    if fixture:
        lines += [
            "",
            "[scan]",
            "# The vulnerability database here is made up (see .lockgate/images.lock): a scan with it proves only that scanning works.",
        ]
        lines += ["allow_fixture_database = true"]
    return "\n".join(lines) + "\n"


def _pip_conf(values: Mapping[str, str]) -> str:
    parser = configparser.RawConfigParser()
    parser["global"] = values
    text = StringIO()
    parser.write(text)
    return text.getvalue()


def differs(file: Path, text: str) -> bool:
    """Whether a file has to be written; one that somebody made or took over is left alone."""
    try:
        found = file.read_text()
    except OSError:
        return True
    return found != text and (file.suffix != ".toml" or found.startswith(HEAD))
