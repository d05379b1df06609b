"""Work for a process of its own."""

import os
import sys
import time
from pathlib import Path


def write(path: Path) -> None:
    """Say something, and write down who did it."""
    sys.stdout.write("nobody is to read this")
    sys.stderr.write("nor this")
    path.write_text(str(os.getpid()))


def sleep(path: Path) -> None:
    """Write down who sleeps, and sleep."""
    part = path.with_suffix(".part")
    part.write_text(str(os.getpid()))
    part.rename(path)
    time.sleep(600)
