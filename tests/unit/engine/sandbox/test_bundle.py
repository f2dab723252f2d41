from __future__ import annotations

from pathlib import Path

from pipelines.engine.embedded.network.lease import Lease
from pipelines.engine.embedded.sandbox.bundle import Bundle, hosts_file
from pipelines.engine.embedded.sandbox.spec import ContainerSpec, SecretFile


def test_aliases_and_the_own_name_are_in_the_hosts_file() -> None:
    spec = ContainerSpec(
        Path("/"), ("true",), hostname="me", hosts={"db": "10.0.0.3", "web": "10.0.0.4"}, network=Lease("10.0.0.2", "", "")
    )
    assert hosts_file(spec).splitlines()[-3:] == ["10.0.0.2\tme", "10.0.0.3\tdb", "10.0.0.4\tweb"]


def test_only_the_owner_can_read_a_secret_and_it_goes_with_the_bundle(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "1")
    secret = SecretFile("/run/pw", b"s3cr3t", uid=tmp_path.stat().st_uid, gid=tmp_path.stat().st_gid)
    bundle.add_own_files(ContainerSpec(Path("/"), ("true",), secrets=(secret,)), init=None)
    bind = bundle.binds[-1]
    assert (bind.target, bind.readonly) == ("/run/pw", True)
    assert bind.source.read_bytes() == b"s3cr3t"
    assert bind.source.stat().st_mode & 0o777 == 0o400
    assert bundle.folder.stat().st_mode & 0o777 == 0o700
    assert bundle.folder in bind.source.parents


def test_without_a_network_there_are_no_resolvers(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "1")
    bundle.add_own_files(ContainerSpec(Path("/"), ("true",)), init=None)
    assert [bind.target for bind in bundle.binds] == ["/etc/hosts"]
