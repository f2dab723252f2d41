"""Git repositories by URL: refs resolved once a session, trees by commit."""

from __future__ import annotations

import asyncio
import base64
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable, InvalidInput, NotFound, ToolError
from pipelines.engine.embedded.ops.digest import digest_of
from pipelines.engine.embedded.ops.op import Op, Output
from pipelines.engine.embedded.ops.threads import in_thread
from pipelines.engine.embedded.store.snapshot import SCRATCH
from pipelines.foundation.process import running
from pipelines.foundation.process.result import OutputTooLarge
from pipelines.foundation.redaction import without_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.engine.embedded.ops.session import Session
    from pipelines.engine.embedded.ops.states import DirectoryState

SCHEMES = re.compile(r"(https?|git|ssh|file)://|[\w.-]+@[\w.-]+:")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MOST_REFS = 256 << 20  # bytes of a list of refs
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")
NO_HOST = ("-c", "protocol.file.allow=never", "-c", "protocol.ext.allow=never")
"""A submodule's URL is a stranger's: it may name neither a folder of this machine nor a program."""
# What git sets for its hooks, which may have started us: it means another repository (git rev-parse --local-env-vars).
OF_ONE_REPOSITORY = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
}
TOLD = 400  # characters of git's complaint that are passed on


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository; `environment` holds what git needs to be let in (never part of a key).

    `source` is where git's files are, of a repository in a directory of ours; `url` then names their content.
    """

    url: str
    environment: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    source: DirectoryState | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A ref of a repository, resolved: `name` in full (`refs/heads/main`) or the commit itself."""

    repository: Repository
    name: str
    commit: str


def open_repository(
    url: str, *, username: str = "", token: bytes | None = None, header: bytes | None = None, socket: Path | None = None, known: str = ""
) -> Repository:
    """A repository, and how to be let in: by HTTP token or header, or by an SSH agent's socket.

    Raises:
        InvalidInput: not an URL git can fetch from.
    """
    if not SCHEMES.match(url):
        url = f"https://{url}"
    if url.startswith("-"):
        raise InvalidInput(f"git: {url!r} is not an URL")
    environment: dict[str, str] = {}
    if token is not None:
        pair = base64.b64encode((username or "x-access-token").encode() + b":" + token.strip()).decode()
        header = f"Basic {pair}".encode()
    if header is not None:
        setting = f"Authorization: {header.decode().strip()}"
        environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": setting}
    if socket is not None:
        environment["SSH_AUTH_SOCK"] = str(socket)
    if known:
        option = "-o StrictHostKeyChecking=yes -o KnownHostsCommand='printf %s\\\\n \"$LOCKGATE_KNOWN_HOSTS\"'"
        environment |= {"GIT_SSH_COMMAND": f"ssh {option}", "LOCKGATE_KNOWN_HOSTS": known}
    return Repository(url, environment)


async def list_refs(session: Session, repository: Repository) -> dict[str, str]:
    """Commits by full ref name; an annotated tag stands for the commit it tags."""
    from pipelines.engine.embedded.ops.gitlocal import located

    async with located(session, repository) as where:
        listed = await git(repository, ["ls-remote", "--symref", where])
    refs: dict[str, str] = {}
    for line in listed.splitlines():
        commit, _, name = line.partition("\t")
        if commit.startswith("ref: "):
            refs["symbolic " + name] = commit.removeprefix("ref: ")
        elif name.endswith("^{}") or name not in refs:
            refs[name.removesuffix("^{}")] = commit
    return refs


async def resolve(session: Session, repository: Repository, *names: str) -> Ref:
    """The first of the full names that the repository has.

    Raises:
        NotFound: it has none of them.
    """
    refs = await session.git_refs(repository)
    for name in names:
        if name == "HEAD" and "HEAD" in refs:
            return Ref(repository, refs.get("symbolic HEAD", "HEAD"), refs["HEAD"])
        if name in refs:
            return Ref(repository, name, refs[name])
    where = without_passwords(repository.url) if repository.source is None else "the directory"
    raise NotFound(f'git: {where}: repository does not contain ref "{names[0]}"')


class TreeOp(Op):
    """The files of a commit, with a `.git` of `depth` commits unless it is left out."""

    kind = "git"
    __slots__ = ("bare", "depth", "ref")

    def __init__(self, ref: Ref, *, discard_git_dir: bool, depth: int) -> None:
        source = ref.repository.source
        recipe = [ref.repository.url, ref.name, ref.commit, discard_git_dir, depth]
        super().__init__(recipe, [source.op] if source is not None else [])
        self.ref = ref
        self.bare = discard_git_dir
        self.depth = depth

    def describe(self) -> str:
        return f"{without_passwords(self.ref.repository.url)} {self.ref.commit[:12]}"

    async def key(self, session: Session, inputs: Sequence[Output]) -> str:  # noqa: ARG002 - the url of a local one names its content
        ref = self.ref
        return digest_of(self.kind, ref.repository.url, ref.name, ref.commit, self.bare, self.depth)

    async def run(self, session: Session, inputs: Sequence[Output], key: str) -> Output:  # noqa: ARG002 - it has none
        draft = session.store.draft(SCRATCH)
        try:
            await self._checkout(session, draft.mount())
            return Output(await in_thread(draft.commit, key))
        except BaseException:
            await in_thread(draft.discard)
            raise

    async def _checkout(self, session: Session, folder: Path) -> None:
        from pipelines.engine.embedded.ops.gitlocal import located

        repository, at = self.ref.repository, ["-C", str(folder)]
        await git(repository, [*at, "init", "--quiet"])
        if repository.source is None:
            await git(repository, [*at, "remote", "add", "origin", repository.url])
        depth = [f"--depth={self.depth}"] if self.depth > 0 else []
        async with located(session, repository) as where:
            await git(repository, [*at, "fetch", "--quiet", "--no-tags", *depth, where, self.ref.commit])
        if repository.source is not None:  # it names a folder of this machine, which is gone by now
            (folder / ".git/FETCH_HEAD").unlink(missing_ok=True)
        await git(repository, [*at, "checkout", "--quiet", "--detach", self.ref.commit])
        await git(repository, [*at, *NO_HOST, "submodule", "update", "--quiet", "--init", "--recursive", *depth])
        if self.bare:
            from pipelines.engine.embedded.store.trees.root import Root

            await asyncio.to_thread(Root(folder).remove_tree, ".git")


async def git(repository: Repository, arguments: Sequence[str]) -> str:
    """Run git; returns what it printed.

    Raises:
        ToolError: it failed, with its last words.
        EmbeddedUnavailable: it is not installed.
    """
    given = {name: value for name, value in os.environ.items() if name not in OF_ONE_REPOSITORY}
    environment = {
        **given,
        **({"GIT_CONFIG_GLOBAL": os.devnull} if repository.source is not None else {}),
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        **repository.environment,
    }
    try:
        done = await running.run(["git", *NO_HOOKS, *arguments], env=environment, stdout_limit=MOST_REFS)
    except FileNotFoundError:
        raise EmbeddedUnavailable("repositories are fetched by git, which is not installed: install the package git") from None
    except OutputTooLarge as error:
        raise ToolError(f"git: {without_passwords(repository.url)}: {error}") from None
    if done.code:
        raise ToolError(without_passwords(f"git: {repository.url}: {done.complaint[-TOLD:]}"))
    return done.text
