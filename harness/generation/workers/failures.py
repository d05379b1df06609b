"""What can end a generation early, in words that say what was kept and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from safetensors import SafetensorError

from ...core.errors import Interrupted, UserError
from ..engines.requesting import EndpointError
from ..store.store import Store

_CONTINUE = "run the same command again"
_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "no available memory for the cache",
    "kv cache memory",
    "free memory on device",
)
_DEAD = ("EngineDeadError", "EngineGenerateError", "ActorDiedError", "ActorUnavailableError", "WorkerCrashedError")


@contextmanager
def kept(store: Store) -> Iterator[None]:
    """Turn what ends a generation early into one line; a defect keeps its traceback and gets a note.

    Raises:
        UserError: memory ran out, the engine died, the endpoint cannot be asked, or the user interrupted.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {_count(store)}", f"To continue, {_CONTINUE}") from None
    except EndpointError as error:
        raise UserError(f"{error.problem}; {_count(store)}", error.remedy) from error
    except UserError:
        raise
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in _NO_MEMORY):
            raise UserError(
                f"the model ran out of memory; {_count(store)}",
                "Give a smaller --batch-size or --max-new-tokens, or with vllm another kv_cache_memory_bytes= or "
                f"gpu_memory_utilization= in --model-args, then {_CONTINUE}",
            ) from error
        if names & set(_DEAD):
            raise UserError(
                f"the engine died ({_first_line(error)}); {_count(store)}", f"To continue, {_CONTINUE}"
            ) from error
        error.add_note(f"{_count(store)}; to continue, {_CONTINUE}.")
        raise


def _count(store: Store) -> str:
    return f"{len(store)} answers are kept in {store.folder}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def loading(name: object) -> Iterator[None]:
    """Say in one line that a model cannot be loaded; a lack of memory is left to ``kept``.

    Raises:
        UserError: files are missing or damaged, or a model argument is wrong.
    """
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, ImportError, AssertionError, SafetensorError) as error:
        if any(sign in str(error).lower() for sign in _NO_MEMORY):
            raise
        raise UserError(
            f"the model {name} cannot be loaded: {_first_line(error).rstrip('.')}", "Check --model-args"
        ) from error
