"""The languages that tests speak."""

from maqa_severity.harness.languages import language

ARABIC = language("ar")
ENGLISH = language("en")
