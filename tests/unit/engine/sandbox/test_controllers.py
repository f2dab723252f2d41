"""Where limits are set, on trees of control files as the kernel shows them: version 1, version 2, or both at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.sandbox.cgroups.controllers import (
    CgroupHome,
    Hierarchy,
    fewest_cpus,
    find_home,
    first_version,
    needed,
    seen,
    session_files,
    tightest,
)
from pipelines.model import EngineSpec

if TYPE_CHECKING:
    from pathlib import Path

HYBRID = "8:pids:/\n5:devices:/\n4:memory:/a/b\n1:cpu,cpuacct:/c:d\n9:name=systemd:/\n0::/\n"


def tree(root: Path, folders: dict[str, tuple[str, str]]) -> Path:
    """A version 2 hierarchy: folder -> controllers it has, controllers it hands on. Control files that are handed out are writable."""
    for name, (has, hands_on) in folders.items():
        folder = root / name if name else root
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.controllers").write_text(has + "\n")
        (folder / "cgroup.subtree_control").write_text(hands_on + "\n")
        (folder / "cgroup.subtree_control").chmod(0o400)
        (folder / "cgroup.procs").touch()
    return root


def test_controllers_of_version_1_are_known_by_their_hierarchy() -> None:
    assert first_version(HYBRID) == {
        "pids": Hierarchy("pids", ""),
        "memory": Hierarchy("memory", "a/b"),
        "cpu": Hierarchy("cpu,cpuacct", "c:d"),
    }
    assert first_version("0::/user.slice\n") == {}
    assert first_version("4:memory:/../elsewhere\n0::/\n") == {}


def test_the_root_of_all_hands_on_what_it_has(tmp_path: Path) -> None:
    root = tree(tmp_path, {"": ("cpu memory pids io", "cpu memory pids")})
    home = find_home(root, "", ("pids", "memory", "cpu"))
    assert home == CgroupHome(root, frozenset({"pids", "memory", "cpu"}))


def test_a_folder_with_processes_leaves_it_to_one_above(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "": ("cpu memory pids", "cpu memory pids"),
            "user.slice": ("cpu memory pids", "cpu memory pids"),
            "user.slice/session.scope": ("cpu memory pids", "memory"),
        },
    )
    home = find_home(root, "user.slice/session.scope", ("pids", "memory", "cpu"))
    assert (home.folder, home.skipped) == (root / "user.slice", (root / "user.slice/session.scope",))


def test_where_nobody_hands_on_there_are_no_limits(tmp_path: Path) -> None:
    root = tree(tmp_path, {"": ("memory pids", ""), "a": ("memory pids", "")})
    assert find_home(root, "a", ("pids", "memory")).controllers in ({"pids", "memory"}, frozenset())  # root may write what is read-only
    (root / "cgroup.procs").unlink()
    (root / "a/cgroup.procs").unlink()
    home = find_home(root, "a", ("pids", "memory"))
    assert (home.folder, home.controllers) == (root / "a", frozenset())


def test_a_hybrid_machine_has_no_controllers_in_version_2(tmp_path: Path) -> None:
    home = find_home(tree(tmp_path, {"": ("", ""), "a": ("", "")}), "a", ("pids", "memory", "cpu"))
    assert home == CgroupHome(tmp_path / "a")


def test_limits_that_are_jumped_over_still_hold(tmp_path: Path) -> None:
    for name, text in (("a", "max\n"), ("b", "1000\n"), ("c", "500\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "memory.max").write_text(text)
    folders = [tmp_path / name for name in "abc"]
    assert tightest(folders, "memory.max") == 500
    assert tightest(folders, "memory.max", 100) == 100
    assert tightest(folders, "pids.max") is None
    assert tightest(folders[:1], "memory.max") is None


def test_a_limit_of_our_own_folder_is_not_left_behind(tmp_path: Path) -> None:
    """As `systemd-run --scope -p MemoryMax=2G` sets it: the folder beside ours must be able to have the same."""
    folders = {"": ("cpu memory pids", "cpu memory pids"), "a": ("cpu memory pids", "pids"), "a/b": ("memory pids", "")}
    root = tree(tmp_path, folders)
    for name in ("a", "a/b"):
        (root / name / "cgroup.subtree_control").unlink()
        (root / name / "cgroup.subtree_control").mkdir()  # nobody can write it, root neither
    (root / "a/b/memory.max").write_text("1000\n")
    (root / "a/b/cpu.max").write_text("max 100000\n")
    home = find_home(root, "a/b", ("pids",))
    assert home == CgroupHome(root, frozenset({"pids", "memory"}), (root / "a/b", root / "a"))
    assert tightest(home.skipped, "memory.max") == 1000


def test_processors_are_counted_in_quotas(tmp_path: Path) -> None:
    for name, text in (("a", "max 100000\n"), ("b", "150000 100000\n"), ("c", "1000 0\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cpu.max").write_text(text)
    folders = [tmp_path / name for name in "abc"]
    assert (fewest_cpus(folders), fewest_cpus(folders, 1.0), fewest_cpus(folders, 2.0), fewest_cpus([])) == (1.5, 1.0, 1.5, None)


def test_only_what_is_asked_for_is_looked_for(tmp_path: Path) -> None:
    """Distributions hand on the processes' controller nearly everywhere, the processors' not."""
    assert needed(EngineSpec()) == ("pids",)
    assert needed(EngineSpec(memory=1, cpus=1.0)) == ("pids", "memory", "cpu")
    root = tree(tmp_path, {"": ("cpu memory pids", "cpu memory pids"), "a": ("cpu memory pids", "memory pids"), "a/b": ("memory pids", "")})
    assert find_home(root, "a/b", needed(EngineSpec(memory=1))).folder in (root / "a", root / "a/b")  # root may write what is read-only
    assert find_home(root, "a/b", needed(EngineSpec(cpus=1.0))).folder in (root, root / "a/b")


def test_what_is_written_where() -> None:
    spec = EngineSpec(memory=1 << 30, cpus=1.5)
    assert dict(session_files("memory", spec, second=True)) == {"memory.max": "1073741824", "memory.swap.max": "0"}
    assert dict(session_files("cpu", spec, second=True)) == {"cpu.max": "150000 100000"}
    assert dict(session_files("memory", spec, second=False)) == {
        "memory.limit_in_bytes": "1073741824",
        "memory.memsw.limit_in_bytes": "1073741824",
    }
    assert list(session_files("cpu", spec, second=False)) == [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "150000")]
    assert [*session_files("memory", EngineSpec(), second=True), *session_files("cpu", EngineSpec(), second=False)] == []
    assert dict(session_files("cpu", EngineSpec(cpus=0.0001), second=True)) == {"cpu.max": "1000 100000"}


@pytest.mark.parametrize(
    ("files", "root", "found"),
    [
        ({"/proc/self/cgroup": HYBRID}, True, {"pids", "memory", "cpu"}),
        ({"/proc/self/cgroup": HYBRID}, False, set()),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cgroup.controllers": "cpu io memory pids\n"}, True, {"pids", "memory", "cpu"}),
        (
            {
                "/proc/self/cgroup": "0::/\n",
                "/sys/fs/cgroup/cgroup.type": "domain\n",  # a container's: only what looks like the root
                "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
                "/sys/fs/cgroup/cgroup.subtree_control": "\n",
            },
            True,
            set(),
        ),
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/cgroup.controllers": "memory pids\n",
                "/sys/fs/cgroup/a/b/cgroup.subtree_control": "\n",
                "/sys/fs/cgroup/a/cgroup.subtree_control": "memory pids\n",
            },
            True,
            {"pids", "memory"},
        ),
        ({}, True, set()),
    ],
)
def test_what_doctor_sees_by_reading(files: dict[str, str], root: bool, found: set[str]) -> None:
    assert seen(files.get, root=root) == found
