"""What is installed, reachable and missing on this machine, with the remedy for each."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .core.errors import UserError
from .core.hub import in_cache
from .data.dataset import open_dataset
from .generation.backends import BACKENDS
from .generation.engines.vllm_packages import installed_version
from .runs.leaks import REMEDY, leaks

HUB_TIMEOUT_S = 3.0
_RUNS = Path("runs")
_PROJECT = "maqa-severity"


class State(StrEnum):
    """``missing`` is what some uses need and this one may do without; ``broken`` must be mended."""

    FINE = "fine"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``remedy`` is empty where it is fine."""

    name: str
    state: State
    detail: str
    remedy: str = ""


def examine(registered: Path | None) -> Iterator[Finding]:
    """Look at everything, the quick things first.

    Args:
        registered: where the tasks are registered in lm-eval; None if they are not.
    """
    yield Finding("python", State.FINE, f"{platform.python_version()} on {platform.platform()}")
    yield from _requirements()
    yield _tasks(registered)
    yield _accelerator()
    yield from _backends()
    yield _extra("ray", "ray", "evaluation and labelling on many machines")
    yield _extra("gguf", "fetch", "`maqa fetch` of GGUF files")
    yield _data()
    yield _encoder()
    yield from _secrets()
    yield _hub()
    free = shutil.disk_usage(Path.cwd()).free
    room = State.FINE if free > 2**30 else State.MISSING
    yield Finding("disk", room, f"{free / 2**30:.1f} GiB free here", "" if free > 2**30 else "Make room")


def _requirements() -> Iterator[Finding]:
    """Every declared dependency, in one finding if all are fine."""
    from packaging.requirements import Requirement

    wrong = []
    declared = [Requirement(text) for text in importlib.metadata.requires(_PROJECT) or []]
    needed = [one for one in declared if one.marker is None or one.marker.evaluate({"extra": ""})]
    for requirement in needed:
        found = installed_version(requirement.name)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            wrong.append(requirement)
            remedy = f"pip install '{requirement}'"
            detail = f"{found or 'not installed'}, needs {requirement.specifier or 'any version'}"
            yield Finding(requirement.name, State.BROKEN, detail, remedy)
    if not wrong:
        versions = ", ".join(f"{name} {installed_version(name)}" for name in ("torch", "transformers", "lm-eval"))
        yield Finding("dependencies", State.FINE, f"all {len(needed)} as declared; {versions}")


def _tasks(registered: Path | None) -> Finding:
    if registered:
        return Finding("lm_eval tasks", State.FINE, f"registered in {registered}")
    return Finding(
        "lm_eval tasks",
        State.MISSING,
        "not registered; `maqa evaluate` does not need it",
        "For `lm_eval --tasks maqa_severity`: maqa register",
    )


def _accelerator() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("GPU", State.BROKEN, f"torch cannot be imported: {error}", "Install torch 2.13.0 again")
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        name = f"{torch.cuda.device_count()} × {torch.cuda.get_device_name(0)}"
        return Finding("GPU", State.FINE, f"{name}, {free / 2**30:.0f} of {total / 2**30:.0f} GiB free")
    if shutil.which("nvidia-smi"):
        return Finding(
            "GPU",
            State.MISSING,
            f"there is one, and torch {torch.__version__} does not see it",
            "Install the CUDA build: pip install --force-reinstall torch==2.13.0, and check `nvidia-smi`",
        )
    return Finding("GPU", State.MISSING, f"none; torch {torch.__version__}", "Not needed for small models")


def _backends() -> Iterator[Finding]:
    """Every backend that needs more than the declared dependencies."""
    for backend in (one for one in BACKENDS.things() if one.extra):
        name = backend.title or backend.name
        try:
            yield Finding(name, State.FINE, backend.check())
        except UserError as error:
            absent = "is not installed" in error.problem
            yield Finding(name, State.MISSING if absent else State.BROKEN, error.problem, error.remedy)
        except (ImportError, OSError):
            yield Finding(name, State.MISSING, "cannot be judged without torch", "Install torch first")


def _extra(name: str, extra: str, use: str) -> Finding:
    found = installed_version(name)
    if found:
        return Finding(name, State.FINE, found)
    return Finding(name, State.MISSING, f"not installed; for {use}", f'pip install "{_PROJECT}[{extra}]"')


def _data() -> Finding:
    folder = os.environ.get("MAQA_DATA")
    if not folder:
        return Finding("MAQA_DATA", State.FINE, "not set: the shipped sample, or --data DATASET")
    try:
        counts = open_dataset(Path(folder)).info.counts
    except UserError as error:
        return Finding("MAQA_DATA", State.BROKEN, error.problem, error.remedy)
    return Finding("MAQA_DATA", State.FINE, f"{folder}: {counts['test']['rows']} test rows")


def _encoder() -> Finding:
    from .metrics.bertscore.encoder import NO_ENCODER, choose_encoder, encoder_asked

    try:
        asked = encoder_asked(None)
        choice = choose_encoder(asked.model, asked.layer) if asked.model != NO_ENCODER else None
    except UserError as error:
        return Finding("BERTScore encoder", State.BROKEN, error.problem, error.remedy)
    if choice is None:
        return Finding("BERTScore encoder", State.FINE, "left out by MAQA_BERTSCORE_MODEL=none")
    if Path(choice.source).is_dir() or in_cache(choice.source):
        return Finding("BERTScore encoder", State.FINE, f"{choice.source}, layer {choice.layer}")
    return Finding(
        "BERTScore encoder",
        State.MISSING,
        f"{choice.source} is not in the hub's cache",
        f"Download it once (hf download {choice.source}), or set MAQA_BERTSCORE_MODEL to a folder or to `none`",
    )


def _secrets() -> Iterator[Finding]:
    """Secrets in the runs that lie here, where there are runs."""
    if not _RUNS.is_dir():
        return
    try:
        found = [f"{leak.path}: {', '.join(leak.places)}" for leak in leaks(_RUNS)]
    except UserError as error:
        yield Finding("secrets", State.MISSING, error.problem, error.remedy)
        return
    if found:
        yield Finding("secrets", State.BROKEN, f"in clear in {'; '.join(found)}", REMEDY)
    else:
        yield Finding("secrets", State.FINE, f"none in clear below {_RUNS}; other folders: maqa doctor FOLDER")


def _hub() -> Finding:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return Finding("hub", State.MISSING, "not asked: HF_HUB_OFFLINE is set", "Unset it to download models")
    try:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        with urllib.request.urlopen(request, timeout=HUB_TIMEOUT_S):
            return Finding("hub", State.FINE, f"{constants.ENDPOINT} answers")
    except urllib.error.HTTPError:
        return Finding("hub", State.FINE, f"{constants.ENDPOINT} answers")
    except (OSError, ValueError) as error:
        return Finding(
            "hub",
            State.MISSING,
            f"{constants.ENDPOINT} does not answer within {HUB_TIMEOUT_S:.0f} s: {error}",
            "Name models by their folders, or copy a hub cache here, set HF_HOME to it and HF_HUB_OFFLINE=1",
        )
