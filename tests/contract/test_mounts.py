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


def tree() -> dagger.Directory:
    return dag.directory().with_new_file("a.txt", "A").with_new_file("b/c.py", "print(1)\n").with_new_directory("empty")


def sh(container: dagger.Container, script: str) -> dagger.Container:
    return container.with_exec(["sh", "-c", script])


async def test_a_directory_goes_in_and_comes_back(base: dagger.Container) -> None:
    inside = base.with_directory("/src", tree())
    assert await inside.directory("/src").glob("**") == ["a.txt", "b/", "b/c.py", "empty/"]
    assert await sh(inside, "find /src -type f | sort").stdout() == "/src/a.txt\n/src/b/c.py\n"


async def test_owners_by_number(base: dagger.Container) -> None:
    owned = base.with_directory("/src", tree(), owner="1000:1000").with_new_file("/one", "1", permissions=0o600, owner="7:8")
    assert await sh(owned, "stat -c '%u:%g %a' /src/a.txt /one").stdout() == "1000:1000 644\n7:8 600\n"


async def test_owners_by_name(base: dagger.Container) -> None:
    owned = base.with_new_file("/one", "1", owner="daemon:mail")
    assert await sh(owned, "stat -c '%U:%G' /one").stdout() == "daemon:mail\n"


async def test_a_removed_file_is_gone(base: dagger.Container) -> None:
    gone = sh(base.with_new_file("/x", "1").without_file("/x"), "ls /x 2>&1 || echo gone")
    assert await gone.stdout() == "ls: cannot access '/x': No such file or directory\ngone\n"


async def test_writes_to_a_mounted_directory_stay_with_the_container(base: dagger.Container) -> None:
    written = sh(base.with_mounted_directory("/m", tree()), "echo W > /m/w; ls /m")
    assert await written.stdout() == "a.txt\nb\nempty\nw\n"
    assert await written.directory("/m").entries() == ["a.txt", "b/", "empty/", "w"]
    assert await sh(written, "ls /m").stdout() == "a.txt\nb\nempty\nw\n"
    assert await tree().entries() == ["a.txt", "b/", "empty/"]


async def test_a_mount_is_not_part_of_the_root(base: dagger.Container) -> None:
    written = sh(base.with_mounted_directory("/m", tree()), "echo W > /m/w")
    with pytest.raises(dagger.QueryError, match=r"/?m: no such file or directory"):
        await written.rootfs().directory("/m").entries()


async def test_part_of_a_directory_can_be_mounted(base: dagger.Container) -> None:
    part = sh(base.with_mounted_directory("/m", tree().directory("b")), "ls /m; echo n > /m/n")
    assert await part.stdout() == "c.py\n"
    assert await part.directory("/m").entries() == ["c.py", "n"]


async def test_a_read_only_mount_refuses_writes(base: dagger.Container) -> None:
    mounted = base.with_mounted_directory("/m", tree(), read_only=True)
    assert "Read-only file system" in await sh(mounted, "touch /m/x 2>&1; true").stdout()


async def test_files_and_memory_can_be_mounted(base: dagger.Container) -> None:
    mounted = base.with_mounted_file("/f", tree().file("a.txt")).with_mounted_temp("/t")
    assert await sh(mounted, "cat /f; echo x > /t/x; ls /t").stdout() == "Ax\n"
    assert await mounted.mounts() == ["/f", "/t"]


async def test_a_root_can_be_swapped(base: dagger.Container) -> None:
    assert await sh(dag.container().with_rootfs(base.rootfs()), "echo swapped").stdout() == "swapped\n"


async def test_mount_points_leave_nothing_in_the_root(base: dagger.Container) -> None:
    mounted = sh(base.with_mounted_directory("/deep/er/m", tree()).with_mounted_temp("/deep/t"), "true")
    assert not await mounted.rootfs().exists("/deep/t/x")
    assert await mounted.without_mount("/deep/er/m").without_mount("/deep/t").with_exec(["sh", "-c", "ls /etc/hostname"]).stdout()


def folder(text: str) -> dagger.Directory:
    return dag.directory().with_new_file("f", text)


async def test_a_mount_replaces_those_at_its_path_and_below(base: dagger.Container) -> None:
    box = base.with_mounted_directory("/mnt/in", folder("a")).with_mounted_temp("/mnt/tmp").with_mounted_directory("/mnt2", folder("c"))
    over = box.with_mounted_directory("/mnt", folder("b"))
    assert await over.mounts() == ["/mnt2", "/mnt"]
    assert sorted((await over.with_exec(["find", "/mnt"]).stdout()).split()) == ["/mnt", "/mnt/f"]
    assert await over.without_mount("/mnt").mounts() == ["/mnt2"]
    assert await over.file("/mnt/f").contents() == "b"
    again = over.with_mounted_file("/mnt/f", folder("d").file("f"))
    assert (await again.mounts(), await again.file("/mnt/f").contents()) == (["/mnt2", "/mnt", "/mnt/f"], "d")
    assert await again.with_exec(["cat", "/mnt/f"]).stdout() == "d"


async def test_secrets_lie_over_mounts_whatever_came_first(base: dagger.Container) -> None:
    secret = dag.set_secret("over", "value-over")
    box = base.with_mounted_secret("/mnt/s", secret).with_mounted_directory("/mnt", folder("b"))
    assert await box.mounts() == ["/mnt"]
    assert await box.with_exec(["sh", "-c", "ls /mnt; wc -c < /mnt/s"]).stdout() == "f\ns\n10\n"
    assert await box.without_mount("/mnt/s").with_exec(["ls", "/mnt"]).stdout() == "f\n"


async def test_a_file_cannot_be_mounted_over_a_folder(base: dagger.Container) -> None:
    with pytest.raises(dagger.QueryError) as refused:
        await base.with_mounted_file("/etc", folder("x").file("f")).with_exec(["true"]).sync()
    assert "internal error" not in str(refused.value)
