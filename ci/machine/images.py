"""The images of ci/images.toml on this machine: official ones by digest, or built here and pushed to the local registry."""

from __future__ import annotations

import datetime as dt
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ci.machine import catalog, lock, oci, skopeo
from ci.machine.errors import SetupError
from ci.machine.recipes import RECIPES, database, gotool
from ci.machine.terminal import minutes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ci.machine.catalog import ImageSpec
    from ci.machine.part import Machine
    from ci.machine.registry import Registry

CHOICES = ("auto", "official", "built")
DATABASE = "trivy-db"


class Images:
    """LOCKGATE_IMAGES = auto (default) | official | built says where they come from."""

    def __init__(self, machine: Machine, registry: Registry, *, refresh: bool = False) -> None:
        self._machine, self._registry, self._refresh = machine, registry, refresh
        self._specs = catalog.load(machine.paths.checkout)
        self._files = [lock.path(project) for project in machine.paths.projects]
        self._choice = machine.environ.get("LOCKGATE_IMAGES") or "auto"
        if self._choice not in CHOICES:
            raise SetupError(
                f"LOCKGATE_IMAGES={self._choice} is not one of {', '.join(CHOICES)}", next_step="unset it, or set one of these"
            )

    def todo(self) -> list[str]:
        return [f"image {spec.name} {spec.version}: {self._how(spec)}" for spec in self._outdated()]

    def provide(self) -> None:
        outdated = self._outdated()
        kept = lock.read(self._files[0])  # with what others put there: the standard base image
        references = self._official(outdated)
        for spec in outdated:
            reference = references.get(spec.name)
            kept[spec.name] = self._take(spec, reference) if reference else self._build(spec)
            lock.write(self._files, kept)
            self._machine.voice.say(f"  image {spec.name}: {kept[spec.name].reference} ({kept[spec.name].origin})")

    def _outdated(self) -> list[ImageSpec]:
        known = [lock.read(file) for file in self._files]
        return [
            spec
            for spec in self._specs.values()
            if self._refresh or not all(self._current(spec, entries.get(spec.name)) for entries in known)
        ]

    def _current(self, spec: ImageSpec, locked: lock.Locked | None) -> bool:
        if locked is None or locked.key != spec.key or (self._choice not in ("auto", locked.origin)):
            return False
        host, _, path = locked.reference.partition("/")
        if not host.startswith("localhost:"):
            return True
        record = self._registry.record()
        repository, _, digest = path.partition("@")
        return record is not None and host == f"localhost:{record.port}" and self._registry.holds(repository, digest)

    def _how(self, spec: ImageSpec) -> str:
        if self._layout(spec).is_dir():
            return "from the cache"
        compiled = spec.recipe["kind"] == "go" and gotool.program(self._machine, spec).exists()
        build = "packed from the cache" if compiled else f"built here, about {minutes(spec.estimate_s)}"
        return {"official": "pulled by digest", "built": build}.get(
            self._choice, f"pulled by digest, or where no public registry answers {build}"
        )

    def _official(self, specs: list[ImageSpec]) -> dict[str, str]:
        """References by digest of those whose registry answers. Base and tools come from one world: all pulled or all built."""
        if self._choice == "built" or not specs:
            return {}
        with ThreadPoolExecutor(len(specs)) as pool:
            answers = pool.map(lambda spec: skopeo.resolve(self._machine.runner, catalog.pinned(spec.official)), specs)
            found = {spec.name: reference for spec, reference in zip(specs, answers, strict=True) if reference}
        missing = [spec.name for spec in specs if spec.name not in found]
        if missing and self._choice == "official":
            raise SetupError(
                f"no official image for {', '.join(missing)}",
                cause="its registry does not answer or refuses",
                next_step="unset LOCKGATE_IMAGES to build what is missing",
            )
        if set(missing) - {DATABASE}:
            return {name: reference for name, reference in found.items() if name == DATABASE}
        return found

    def _take(self, spec: ImageSpec, reference: str) -> lock.Locked:
        if spec.name != DATABASE:
            return lock.Locked(reference=reference, origin="official", fixture=False, key=spec.key)
        folder = self._machine.paths.layouts / f"{spec.name}-{dt.datetime.now(dt.UTC):%Y-%m-%d}"
        self._fill(folder, lambda draft: database.wrap_official(self._machine, spec, reference, draft))
        return lock.Locked(reference=self._push(spec, folder), origin="official", fixture=False, key=spec.key)

    def _build(self, spec: ImageSpec) -> lock.Locked:
        folder = self._layout(spec)
        layouts = {name: self._layout(other) for name, other in self._specs.items()}
        if spec.recipe["kind"] == "go":
            self._fill(layouts["python"], lambda draft: self._recipe(self._specs["python"], draft, layouts))
        self._fill(folder, lambda draft: self._recipe(spec, draft, layouts))
        return lock.Locked(reference=self._push(spec, folder), origin="built", fixture=spec.fixture, key=spec.key)

    def _recipe(self, spec: ImageSpec, draft: Path, layouts: dict[str, Path]) -> None:
        RECIPES[spec.recipe["kind"]](self._machine, spec, draft, layouts)

    def _fill(self, folder: Path, fill: Callable[[Path], None]) -> None:
        """A whole layout at `folder` or none: filled beside it and renamed."""
        if oci.digest(folder):
            return
        draft = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(parents=True, exist_ok=True)
        fill(draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)

    def _push(self, spec: ImageSpec, layout: Path) -> str:
        record, digest = self._registry.record(), oci.digest(layout)
        if record is None or digest is None:
            raise SetupError("the local registry is gone", next_step="run ci/setup again")
        repository = f"lockgate/{spec.name}"
        if not self._registry.holds(repository, digest):
            skopeo.push(self._machine.runner, layout, f"localhost:{record.port}/{repository}:{spec.version}")
        if not self._registry.holds(repository, digest):
            raise SetupError(
                f"the local registry did not keep {spec.name} as {digest}", next_step=f"read {self._machine.paths.logs / 'registry.log'}"
            )
        return f"localhost:{record.port}/{repository}@{digest}"

    def _layout(self, spec: ImageSpec) -> Path:
        return self._machine.paths.layouts / f"{spec.name}-{spec.key}"
