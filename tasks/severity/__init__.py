"""The questions as they were asked, one task per severity: what ``lm_eval --tasks maqa_severity`` runs."""

from ..families import Family, add_family

FAMILY = add_family(
    Family(
        group="maqa_severity",
        task="maqa_by_severity_{severity}",
        former="maqa_severity_{severity}",
        documents="maqa_severity.tasks.documents.load_documents",
        prompt="maqa_severity.tasks.documents.prompt",
        folder="severity",
        max_new_tokens=128,
        version=2.0,
    )
)
