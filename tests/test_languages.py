"""What a language knows, and what is said of one that knows less."""

import re
from pathlib import Path

import maqa_severity
import pytest
from maqa_severity.harness import languages, severity
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.labelling.prior import prior
from maqa_severity.harness.labelling.quality.perturb import stress_data
from maqa_severity.harness.labelling.sources.lexicon import load_lexicon
from maqa_severity.harness.languages import DEFAULT, Part, codes, language
from maqa_severity.harness.metrics.safety.lexicon import safety_lexicon
from maqa_severity.harness.metrics.safety.units import quantity_words
from maqa_severity.harness.severity import SCHEMES, parse_severity
from maqa_severity.tasks.documents import load_documents
from maqa_severity.tests.tongues import ARABIC

ROOT = Path(maqa_severity.__file__).parent
OURS = ("commands", "experiment.py", "harness", "leaderboards", "reports", "tasks", "trainers")
PRODUCT = [
    path
    for name in OURS
    for path in [ROOT / name, *(ROOT / name).rglob("*")]
    if path.suffix in (".py", ".html", ".yaml", ".css")
]

POOR = ARABIC.model_copy(update={"code": "poor", "name": "Poor"})


def test_an_unknown_language_is_one_line_that_names_the_known_ones():
    with pytest.raises(UserError, match=r"unknown language 'tlh'.*\bar\b"):
        language("tlh")
    assert DEFAULT in codes() and all(language(code).code == code for code in codes())


def test_arabic_knows_everything_and_a_language_without_files_nothing():
    assert all(ARABIC.knows(part) for part in Part)
    assert not any(POOR.knows(part) for part in Part)


@pytest.mark.parametrize("read", [load_lexicon, safety_lexicon, quantity_words, stress_data])
def test_what_a_language_lacks_is_one_line_with_the_file_that_is_missing(read):
    with pytest.raises(UserError, match=r"Poor \(poor\) has no .*\.json"):
        read(POOR)


def test_every_language_names_the_severities_and_no_spelling_means_two(monkeypatch):
    for code in codes():
        for name, spelling in language(code).severity_names.items():
            assert parse_severity(spelling) == name
    names = ARABIC.severity_names
    swapped = ARABIC.model_copy(update={"severity_names": {"critical": names["neutral"]}})
    monkeypatch.setattr(languages, "codes", lambda: ("ar", "zz"))
    monkeypatch.setattr(languages, "language", {"ar": ARABIC, "zz": swapped}.__getitem__)
    severity._spellings.cache_clear()
    with pytest.raises(UserError, match="critical in language zz, and neutral elsewhere"):
        parse_severity("critical")
    monkeypatch.undo()
    severity._spellings.cache_clear()


def test_the_prior_of_a_language_without_rules_weighs_one_under_every_scheme():
    for tongue in (ARABIC, POOR):
        for weights in SCHEMES.values():
            assert weights.of(prior(tongue)[None]) == pytest.approx([1.0])


def test_the_shipped_sample_is_chosen_by_metadata_or_environment_and_a_dataset_says_its_own(monkeypatch):
    def asked(**options):
        rows = load_documents("critical", bertscore_model="none", **options)["test"]
        return rows[0]["language"]

    assert (asked(), asked(language="en")) == ("ar", "en")
    monkeypatch.setenv("MAQA_LANGUAGE", "en")
    assert (asked(), asked(language="ar")) == ("en", "ar")
    monkeypatch.setenv("MAQA_DATA", str(ROOT / "tests" / "data" / "landed" / "dataset"))
    assert asked() == "ar"
    with pytest.raises(UserError, match="is in Arabic"):
        asked(language="en")


def test_one_line_of_the_product_names_the_default_language_and_none_spells_arabic():
    sources = [path for path in PRODUCT if path.suffix == ".py"]
    lines = [line for path in sources for line in path.read_text(encoding="utf-8").splitlines() if '"ar"' in line]
    assert lines == ['DEFAULT = "ar"']
    spelt = [path for path in PRODUCT if re.search("[\u0600-\u06ff]", path.read_text(encoding="utf-8"))]
    assert not spelt
