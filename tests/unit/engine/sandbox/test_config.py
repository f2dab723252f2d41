from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.embedded.network.lease import Lease
from pipelines.engine.embedded.sandbox.config import HostSupport, bounding_set, environment, oci_config
from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser
from pipelines.engine.embedded.sandbox.spec import Bind, ContainerSpec, Tmpfs

ROOT = ContainerUser(0, 0, (), "/root")
HOST = HostSupport(rootless=False, cgroups=True, seccomp=True, init=None)


def config(spec: ContainerSpec, user: ContainerUser = ROOT, host: HostSupport = HOST, extra: tuple[Bind, ...] = ()) -> dict[str, Any]:
    return oci_config(spec, user, host, extra, "/7")


def spec(**changes: Any) -> ContainerSpec:
    return ContainerSpec(Path("/rootfs"), ("true",), **changes)


def mounts(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {mount["destination"]: mount for mount in made["mounts"]}


def capabilities(made: dict[str, Any]) -> set[str]:
    return set(made["process"]["capabilities"]["bounding"])


def test_every_namespace_is_the_containers_own() -> None:
    kinds = {namespace["type"]: namespace.get("path") for namespace in config(spec())["linux"]["namespaces"]}
    assert kinds == dict.fromkeys(("pid", "mount", "ipc", "uts", "cgroup", "network"))


def test_a_leased_network_is_joined() -> None:
    made = config(spec(network=Lease("10.0.0.2", "/proc/1/fd/9", "")))
    assert {"type": "network", "path": "/proc/1/fd/9"} in made["linux"]["namespaces"]


def test_no_resource_limits_are_asked_for_as_machines_refuse_them() -> None:
    assert "rlimits" not in config(spec())["process"]


@pytest.mark.skipif(bounding_set() & 0xA80425FB != 0xA80425FB, reason="this process lacks default capabilities")
def test_default_capabilities_are_the_fourteen_of_docker() -> None:
    assert capabilities(config(spec())) == {
        *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID"),
        *("CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"),
    }


def test_only_root_has_them_in_effect() -> None:
    made = config(spec(), ContainerUser(1000, 1000))["process"]["capabilities"]
    assert made["effective"] == made["permitted"] == []
    assert set(made["bounding"]) == capabilities(config(spec()))


def test_without_a_device_filter_no_device_can_be_made_or_opened() -> None:
    unfiltered = HostSupport(rootless=False, cgroups=False, seccomp=True, init=None)
    assert "CAP_MKNOD" not in capabilities(config(spec(), host=unfiltered))
    bound = spec(mounts=(Bind(Path("/somewhere"), "/in"),))
    assert "nodev" in mounts(config(bound, host=unfiltered))["/in"]["options"]
    assert "nodev" not in mounts(config(bound))["/in"]["options"]


def test_a_privileged_container_is_hindered_by_nothing() -> None:
    made = config(spec(privileged=True))
    assert not {"seccomp", "maskedPaths", "readonlyPaths"} & set(made["linux"])
    assert made["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]
    assert "rw" in mounts(made)["/sys"]["options"]
    assert capabilities(made) >= capabilities(config(spec()))


def test_an_ordinary_container_is() -> None:
    made = config(spec())
    assert "/proc/kcore" in made["linux"]["maskedPaths"]
    assert "/proc/sys" in made["linux"]["readonlyPaths"]
    assert made["linux"]["resources"]["devices"][0] == {"allow": False, "access": "rwm"}
    assert "ro" in mounts(made)["/sys"]["options"]


def test_no_seccomp_profile_where_the_runtime_cannot_load_one() -> None:
    assert "seccomp" not in config(spec(), host=HostSupport(rootless=False, cgroups=True, seccomp=False, init=None))["linux"]


def test_mounts_come_in_order_after_the_system_and_ours_last() -> None:
    made = config(spec(mounts=(Bind(Path("/a"), "/x"), Tmpfs("/x/y", 4096))), extra=(Bind(Path("/h"), "/etc/hosts", readonly=True),))
    assert [mount["destination"] for mount in made["mounts"][-3:]] == ["/x", "/x/y", "/etc/hosts"]
    assert {"rw", "rbind"} <= set(mounts(made)["/x"]["options"])
    assert "size=4096" in mounts(made)["/x/y"]["options"]
    assert "ro" in mounts(made)["/etc/hosts"]["options"]


def test_home_and_path_have_defaults_that_the_environment_overrides() -> None:
    assert environment(("A=1", "A=2=3"), ROOT) == [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/root",
        "A=2=3",
    ]
    assert environment(("HOME=/h", "PATH=/p"), ROOT) == ["PATH=/p", "HOME=/h"]


def test_a_secret_in_a_spec_is_not_shown() -> None:
    assert "hunter2" not in repr(spec(env=("PW=hunter2",), stdin=b"hunter2", masks=(b"hunter2",)))
