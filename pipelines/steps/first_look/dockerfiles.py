"""A first Dockerfile for a project that has none: one stage for the dependencies, one that tests run in, one that ships.

Each is a first version that a person reads and corrects: which command starts the service cannot be found out for every language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.foundation.files import OWN_FOLDER
from pipelines.steps.first_look.languages import Language, languages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = "Dockerfile"
IGNORE_FILE = ".dockerignore"
REQUIREMENTS = "requirements.txt"
IGNORED = (".git", OWN_FOLDER, "lockgate.local.toml", "**/node_modules", "**/.venv", "**/__pycache__", "target", "dist", "build")
_HEAD = "# Written by `lockgate init --dockerfile` for a project in {language}: a first version, to be corrected where it is wrong.\n"
_PIP = """RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip --mount=type=secret,id=ca \\
    PIP_CONFIG_FILE=/run/secrets/pip pip install {words}
"""
_USER = """RUN id app >/dev/null 2>&1 || useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app
USER app
"""


def write(root: Path) -> tuple[Path, ...]:
    """Write a Dockerfile, and a .dockerignore where there is none; the files written.

    Raises:
        UsageError: there is a Dockerfile, the language is not recognised, or the folder cannot be written.
    """
    file, ignore = root / FILE, root / IGNORE_FILE
    if file.exists():
        raise UsageError(f"{file} is already there", next_step="leave --dockerfile out: `lockgate init` looks at the one there is")
    found = languages(root)
    if not found:
        known = ", ".join(language.value for language in Language)
        raise UsageError(f"{root} is not recognised as a project in any of: {known}", next_step=f"write {file} by hand")
    texts = {file: _HEAD.format(language=found[0].language) + _TEMPLATES[found[0].language](root)}
    if not ignore.exists():
        texts[ignore] = "".join(f"{pattern}\n" for pattern in IGNORED)
    try:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from error
    return tuple(texts)


def _python(root: Path) -> str:
    requirements = (root / REQUIREMENTS).is_file()
    installed = (root / "pyproject.toml").is_file() or (root / "setup.py").is_file()
    first = f"COPY {REQUIREMENTS} ./\n{_PIP.format(words=f'-r {REQUIREMENTS}')}" if requirements else ""
    project = _PIP.format(words=".") if installed and not requirements else ""
    return f"""# BASE is an image with Python and venv: `base` in lockgate.toml.
ARG BASE
FROM ${{BASE}} AS deps
USER root
WORKDIR /src
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Index settings and private certificates of the machine come as secrets, so no layer holds them; without them pip uses its defaults.
{first}
FROM deps AS test
{_PIP.format(words="pytest")}COPY . .
{project}
FROM deps AS runtime
COPY . .
{project}{_USER}CMD {_started(root)}
"""


def _started(root: Path) -> str:
    """The command that most likely starts the program."""
    for name in ("main.py", "app.py", "server.py"):
        if (root / name).is_file():
            return f'["python", "{name}"]'
    packages = sorted(path.parent.name for path in root.glob("*/__main__.py"))
    return f'["python", "-m", "{packages[0]}"]' if packages else '["python"]'


def _node(root: Path) -> str:
    locked = (root / "package-lock.json").is_file()
    install = "npm ci" if locked else "npm install"
    files = "package.json package-lock.json" if locked else "package.json"
    return f"""FROM node:22-slim AS deps
WORKDIR /src
COPY {files} ./
RUN --mount=type=cache,target=/root/.npm {install}

FROM deps AS test
COPY . .

FROM node:22-slim AS runtime
ENV NODE_ENV=production
WORKDIR /src
COPY {files} ./
RUN --mount=type=cache,target=/root/.npm {install} --omit=dev
COPY . .
USER node
CMD ["npm", "start"]
"""


def _go(root: Path) -> str:
    sums = "go.mod go.sum" if (root / "go.sum").is_file() else "go.mod"
    commands = sorted(path.parent.relative_to(root).as_posix() for path in root.glob("cmd/*/main.go"))
    package = f"./{commands[0]}" if commands else "."
    return f"""FROM golang:1.25 AS build
WORKDIR /src
COPY {sums} ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\
    CGO_ENABLED=0 go build -trimpath -o /out/app {package}

FROM build AS test

FROM gcr.io/distroless/static-debian12:nonroot AS runtime
COPY --from=build /out/app /app
ENTRYPOINT ["/app"]
"""


def _rust(root: Path) -> str:
    locked = " --locked" if (root / "Cargo.lock").is_file() else ""
    return f"""FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \\
    cargo install{locked} --path . --root /out

FROM build AS test

FROM debian:bookworm-slim AS runtime
COPY --from=build /out/bin /usr/local/bin
{_USER}# The name of the program:
CMD ["sh", "-c", "ls /usr/local/bin"]
"""


def _maven(root: Path) -> str:
    program = "./mvnw" if (root / "mvnw").is_file() else "mvn"
    return _java("maven:3-eclipse-temurin-21", f"--mount=type=cache,target=/root/.m2 {program} -B package -DskipTests", "target/*.jar")


def _gradle(root: Path) -> str:
    program = "./gradlew" if (root / "gradlew").is_file() else "gradle"
    return _java("gradle:8-jdk21", f"--mount=type=cache,target=/root/.gradle {program} assemble", "build/libs/*.jar")


def _java(image: str, command: str, jars: str) -> str:
    return f"""FROM {image} AS build
WORKDIR /src
COPY . .
RUN {command} && mkdir /out && cp {jars} /out/

FROM build AS test

FROM eclipse-temurin:21-jre AS runtime
COPY --from=build /out /app
{_USER}# The name of the archive that starts, where there are several:
CMD ["sh", "-c", "exec java -jar /app/*.jar"]
"""


_TEMPLATES: dict[Language, Callable[[Path], str]] = {
    Language.PYTHON: _python,
    Language.NODE: _node,
    Language.GO: _go,
    Language.RUST: _rust,
    Language.MAVEN: _maven,
    Language.GRADLE: _gradle,
}
