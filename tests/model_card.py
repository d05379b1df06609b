"""What the detectors find in the model answers: ``python tests/model_card.py``.

``--first-seen`` writes ``data/first_seen_model.json``, once.
"""

from __future__ import annotations

import sys
from pathlib import Path

from maqa_severity.harness.core.files import write_json
from maqa_severity.tests.model_gold import GOLD, joined_rows
from maqa_severity.tests.safety_card import counted, printed
from maqa_severity.tests.third_card import judged, record
from rich.console import Console

FIRST_SEEN = Path(__file__).parent / "data" / "first_seen_model.json"


def main() -> int:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    rows = joined_rows()
    if not rows:
        console.print("nothing measured: the questions are in FALAH-Mix, which is not at hand")
        return 2
    seen = judged(rows)
    console.print(printed("model answers", counted(seen)))
    if "--first-seen" in sys.argv:
        if FIRST_SEEN.exists():
            console.print("first-seen figures are written once")
            return 2
        write_json(FIRST_SEEN, record({"model": seen}, "model answers when they first saw them", [GOLD]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
