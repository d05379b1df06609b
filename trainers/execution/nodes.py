"""Whether a machine of a cluster has all that an experiment's work needs there, found out before any of it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...harness.core.errors import UserError
from ...harness.generation.weights import hub_commit
from ...harness.runs.manifest import versions
from .job import Job

_REMEDY = "Put it where every machine of the cluster sees it under the same path, as on a shared disk"


@dataclass(frozen=True)
class Needs:
    """What the driver has and every machine must have too.

    Attributes:
        cwd: the driver's working folder, from which relative paths start.
        paths: what is needed, in words, with its path.
        hub: bases of the hub, with their revisions.
        versions: of the packages.
        environment: what of it changes results.
    """

    cwd: str
    paths: tuple[tuple[str, str], ...]
    hub: tuple[tuple[str, str | None], ...]
    versions: dict[str, str]
    environment: dict[str, str]

    @classmethod
    def of(cls, job: Job) -> Needs:
        """Those of an experiment, seen from its driver."""
        paths = [("the experiment's folder", str(job.out)), ("the dataset", str(job.data))]
        if job.encoder[0] is not None and Path(job.encoder[0]).is_dir():
            paths.append(("the encoder", job.encoder[0]))
        bases = [(model, job.base(model)) for model in job.experiment.models]
        paths += [(f"the base {model.name}", base) for model, base in bases if Path(base).is_dir()]
        hub = [(base, model.revision) for model, base in bases if not Path(base).is_dir()]
        packages = versions()
        # Machines of one cluster may well have other kernels.
        del packages["platform"]
        return cls(str(Path.cwd()), tuple(paths), tuple(hub), packages, job.environment())

    def demand_here(self) -> None:
        """Look whether this machine has them, and go to the driver's folder, with its environment.

        Raises:
            UserError: something is missing here, or a package is another one; it names this machine.
        """
        node = platform.node()
        for what, path in self.paths:
            if not (there := Path(self.cwd) / path).exists():
                raise UserError(f"machine {node} has no {there}, {what}", _REMEDY)
        found = versions()
        for package, version in self.versions.items():
            if found.get(package) != version:
                raise UserError(
                    f"machine {node} has {package} {found.get(package, 'not at all')}, the driver {version}",
                    "Install the same packages on every machine of the cluster",
                )
        for base, revision in self.hub:
            try:
                hub_commit(base, revision)
            except UserError as error:
                raise UserError(f"machine {node}: {error.problem}", error.remedy) from None
        if Path(self.cwd).is_dir():
            os.chdir(self.cwd)
        os.environ.update(self.environment)


def demand_everywhere(ray: Any, needs: Needs) -> None:
    """Look at every machine of the cluster, all at once.

    Raises:
        UserError: one lacks something.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(num_cpus=0, max_retries=3)(_lack)
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    strategies = [NodeAffinitySchedulingStrategy(node_id=node, soft=False) for node in nodes]
    for problem in ray.get([look.options(scheduling_strategy=each).remote(needs) for each in strategies]):
        if problem is not None:
            raise problem


def _lack(needs: Needs) -> UserError | None:
    try:
        needs.demand_here()
    except UserError as error:
        return error
    return None
