"""Task families: declared once, their YAML files written, their samples told apart by name."""

import pytest
from maqa_severity.harness.severity import SEVERITIES
from maqa_severity.tasks import FOLDER, GROUP
from maqa_severity.tasks.families import FAMILIES, Family, add_family
from maqa_severity.tasks.write import files


def family(group, task, **changes):
    kept = {"documents": "a.b", "prompt": "a.c", "folder": "other", "max_new_tokens": 8, "version": 1.0}
    return Family(group=group, task=task, **{**kept, **changes})


@pytest.fixture
def no_trace():
    """What a test declares is gone afterwards."""
    things, places = dict(FAMILIES._things), dict(FAMILIES._places)
    yield
    FAMILIES._things, FAMILIES._places = things, places


def test_the_committed_yaml_files_are_those_that_are_written():
    written = files()
    assert set(FOLDER.rglob("*.yaml")) == set(written)
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is stale: run `make tasks`"


def test_the_group_aggregates_every_metric_of_its_tasks():
    import yaml

    for each in FAMILIES.things():
        group = yaml.safe_load(files()[FOLDER / each.folder / f"{each.group}.yaml"])
        template = files()[FOLDER / each.folder / "_template.yaml"].replace("!function", "")
        named = [metric["metric"] for metric in yaml.safe_load(template)["metric_list"]]
        assert [metric["metric"] for metric in group["aggregate_metric_list"]] == named
        assert group["task"] == list(each.tasks.values()) and len(group["task"]) == len(SEVERITIES)


def test_no_groups_samples_can_be_mistaken_for_one_severitys():
    for each in FAMILIES.things():
        assert not [task for task in each.tasks.values() if task.startswith(f"{each.group}_")]
    assert FAMILIES[GROUP].former_name(SEVERITIES[0]) == "maqa_severity_critical"


@pytest.mark.parametrize(
    ("group", "task", "message"),
    [
        ("triage", "triage_{severity}", "samples_triage_"),
        ("triage", "asked", "samples_asked_"),
        ("maqa", "asked_{severity}", "samples_maqa_"),
        (GROUP, "asked_{severity}", "two task familys are called 'maqa_severity': tasks/severity and tasks/other"),
    ],
)
def test_a_family_whose_samples_would_be_mistaken_is_refused(no_trace, group, task, message):
    with pytest.raises(ValueError, match=message):
        add_family(family(group, task))
