"""Files that came from anybody: bounded time, one line of bounded length."""

import time

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.core.yaml_files import read_yaml
from maqa_severity.harness.generation import chat

ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ALIASES, "aliases stand for more than 100,000 values"),
        ("a: &a [*a]\n", "aliases stand for more"),
        ("a: !!python/object/apply:os.system [true]\n", "not YAML"),
        (f"a: !{'x' * 500_000} 1\n", "not YAML"),
        ("{" * 100_000, "not YAML"),
        ("a: 1\n" * 300_000, "1,048,576 at most"),
        ("a: 1\nb: 2\na: 3\n", "'a' stands twice"),
    ],
    ids=["aliases", "itself", "tag", "long tag", "deep", "large", "twice"],
)
def test_settings_that_were_made_to_hurt_are_one_line(text, words, tmp_path):
    (tmp_path / "a.yaml").write_text(text)
    began = time.monotonic()
    with pytest.raises(UserError, match=words) as raised:
        read_yaml(tmp_path / "a.yaml", "Mend it")
    assert time.monotonic() - began < 10 and len(str(raised.value)) < 5000


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}"
         "{% endfor %}", "takes more than 1 s"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "grows without bound"),
        ("{{ 1 // 0 }}", "refuses the prompt"),
        ("{{ messages[0] + 1 }}", "refuses the prompt"),
        ("{{ 'x' * 5000000 }}", "makes 5,000,000 characters of 1"),
        ("{% for a in range(10**9) %}x{% endfor %}", "grows without bound|refuses"),
    ],
)  # fmt: skip
def test_a_chat_template_that_has_no_end_is_one_line(template, words, monkeypatch):
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    monkeypatch.setattr(chat, "LONGEST_S", 1.0)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, unk_token="a")))
    tokenizer.chat_template = template
    with pytest.raises(UserError, match=words):
        chat.rendered(tokenizer, [{"role": "user", "content": "a"}], True)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    assert chat.rendered(tokenizer, [{"role": "user", "content": "a"}], True) == "a"
