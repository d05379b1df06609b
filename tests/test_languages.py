"""What a language knows, and what is said of one that knows less."""

import pytest
from maqa_severity.harness.errors import UserError
from maqa_severity.harness.labelling.lexicon import load_lexicon
from maqa_severity.harness.labelling.perturb import stress_data
from maqa_severity.harness.languages import DEFAULT, Part, codes, language
from maqa_severity.harness.metrics.safety.lexicon import safety_lexicon
from maqa_severity.harness.metrics.safety.units import quantity_words
from maqa_severity.tests.tongues import ARABIC

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
