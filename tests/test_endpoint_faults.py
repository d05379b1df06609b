"""What a server of ``/v1/completions`` can do wrong, and what becomes of the answers."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from maqa_severity.harness.core.errors import UserError
from maqa_severity.harness.generation.engines.waiting import LONGEST_WAIT_S, back_off_s, retry_after_s
from maqa_severity.harness.generation.records import FinishReason
from maqa_severity.harness.generation.stored import StoredModel
from maqa_severity.tests.generating import GREEDY, requests
from maqa_severity.tests.serving import GOOD, answer, config_of, error, serving

ASKED = requests(6)
BAD = ASKED[2].args[0]


def only(reply):
    """Misbehave for one prompt, every time."""
    return lambda body, nth: reply if body["prompt"] == BAD else answer()


def ask(server, store, **arguments):
    model = StoredModel(config_of(server, store, **arguments))
    model.generate_until(ASKED)
    return {answer.id: answer for answer in model.answers}


def bad_of(answers):
    return answers[ASKED[2].doc["id"]]


@pytest.mark.parametrize(
    ("reply", "words", "times"),
    [
        (error(400, "too long"), "400 too long", 1),
        (error(422, "bad prompt"), "422 bad prompt", 1),
        (error(413), "413 no", 1),
        ((404, b"gone", {}), "404 gone", 1),
        ((400, {"detail": [{"msg": "nested"}]}, {}), '400 {"detail": [{"msg": "nested"}]}', 1),
        (error(403, "flagged"), "403 flagged", 1),
        ((418, b"", {}), "418 I'm a Teapot", 1),
        (error(500, "out of luck"), "500 out of luck", 2),
        (error(529, "overloaded"), "529 overloaded", 2),
        (None, "Remote end closed connection", 2),
        ({"choices": []}, "malformed answer: `choices` is an empty list", 2),
        ([], "malformed answer: an empty list instead", 2),
        ({}, "`choices` is missing or null", 2),
        ({"choices": {"0": 1}}, "`choices` is an object", 2),
        ({"choices": [None]}, "`choices[0]` is missing or null", 2),
        (answer({"a": 1}), "`choices[0].text` is an object", 2),
        (answer(["a"]), "`choices[0].text` is a list", 2),
        (answer(5), "`choices[0].text` is a number", 2),
        (answer(None), "`choices[0].text` is missing or null", 2),
        ({"choices": [{"message": {"content": "x"}}]}, "as /v1/chat/completions answers", 2),
        ({"error": {"message": "busy"}}, "missing or null: busy", 2),
        ((200, b"<html>hello</html>", {}), "no JSON: <html>hello</html>", 2),
        ((200, b"", {}), "malformed answer: nothing", 2),
        ((200, b"[" * 100_000, {}), "malformed answer: no JSON", 2),
        (answer(None, "content_filter"), "content_filter", 1),
        (answer(" ", "content_filter", content_filter_results={"violence": "high"}), "violence", 1),
    ],
)
@pytest.mark.slow
def test_a_prompt_that_always_fails_is_a_refusal_with_the_servers_words_and_the_others_are_answered(
    tmp_path, reply, words, times
):
    with serving(only(reply)) as server:
        answers = ask(server, tmp_path)
        found = bad_of(answers)
        assert (found.text, found.finish_reason) == ("", FinishReason.ERROR) and words in found.error
        assert len(found.error) <= 400 and [a.text for a in answers.values()].count(GOOD) == 5
        assert server.asked_of(BAD) == times, "no attempt more than max_retries, and none that cannot help"
        count = len(server.asked)
        assert ask(server, tmp_path) == answers and len(server.asked) == count, "a refusal is kept, not asked again"


def test_what_was_refused_is_asked_again_on_demand_and_an_answer_wins_over_the_refusal(tmp_path):
    with serving(only(error(400))) as server:
        ask(server, tmp_path)
        server.behave = lambda body, nth: answer()
        count = len(server.asked)
        model = StoredModel(config_of(server, tmp_path).model_copy(update={"retry_refused": True}))
        assert model.generate_until(ASKED) == [GOOD] * 6
        assert len(server.asked) == count + 1
        assert bad_of(ask(server, tmp_path)).text == GOOD, "from the file too"


def test_each_answer_is_kept_although_the_server_dies_in_the_middle(tmp_path):
    def dying(body, nth):
        return answer() if len(server.asked) <= 3 else None

    with serving(dying) as server:
        with pytest.raises(UserError, match=r"does not answer: .*closed.*; 3 answers are kept.*same command"):
            ask(server, tmp_path, num_concurrent=1)
        server.behave = lambda body, nth: answer()
        count = len(server.asked)
        assert len(ask(server, tmp_path)) == 6 and len(server.asked) == count + 3


@pytest.mark.parametrize(
    ("reply", "line", "most"),
    [
        (error(401, "Incorrect API key"), r"does not let you in: 401 Incorrect API key.*MAQA_API_KEY", 2),
        (error(402, "no credit"), r"402 no credit", 2),
        (error(403, "not yours"), r"does not let you in: 403 not yours", 4),
        (error(404, "no model `m`"), r"404 no model `m`.*Check model= and base_url=", 4),
        (error(405), r"405 no.*base_url", 4),
        ((308, b"", {"Location": "http://other/v1"}), r"sends to http://other/v1.*308.*Give that as base_url", 2),
        (error(503, "loading"), r"does not answer: 503 loading.*Start the server", 7),
        (error(429, "slow down"), r"answers no more for now: 429 slow down.*num_concurrent", 7),
        ({"choices": []}, r"does not answer as /v1/completions does: `choices` is an empty list.*base_url", 7),
    ],
)  # fmt: skip
def test_a_server_that_answers_nobody_ends_the_run_in_a_few_requests_and_one_line(tmp_path, reply, line, most):
    with serving(lambda body, nth: reply) as server:
        with pytest.raises(UserError, match=line) as raised:
            ask(server, tmp_path)
        assert "\n" not in str(raised.value) and len(server.asked) <= most


def test_all_prompts_refused_is_one_line_and_kept(tmp_path):
    with serving(lambda body, nth: error(400, "max_tokens is too large")) as server:
        for _ in range(2):
            with pytest.raises(UserError, match=r"all 6 prompts were refused: 400 max_tokens.*--retry-refused"):
                ask(server, tmp_path)
        assert len(server.asked) == 6


def test_a_limit_on_requests_is_never_a_prompts_fault(tmp_path):
    with serving(only(error(429, "too many"))) as server:
        with pytest.raises(UserError, match=r"429 too many; 5 answers are kept"):
            ask(server, tmp_path)
        server.behave = lambda body, nth: answer()
        assert bad_of(ask(server, tmp_path)).text == GOOD


def test_a_server_that_says_when_to_come_back_is_obeyed(tmp_path):
    def busy(body, nth):
        return answer() if nth else error(429, Retry_After="1")

    with serving(busy) as server:
        assert bad_of(ask(server, tmp_path, num_concurrent=6)).text == GOOD
        assert server.times[6] - server.times[0] >= 1


def test_how_long_to_wait():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=7), usegmt=True)
    for value, seconds in {
        "3": 3, "0.5": 0.5, "0": 0, "-5": 0, "1e9": LONGEST_WAIT_S, "inf": LONGEST_WAIT_S, "nan": 0, "": 0,
        "soon": 0, date: 7,
        format_datetime(now - timedelta(days=9), usegmt=True): 0, "Thu, 01 Jan 1970 00:00:00 -0000": 0,
        "Mon, 99 Foo 2026": 0,
    }.items():  # fmt: skip
        assert retry_after_s(value, now) == seconds, value
    assert [back_off_s(n) for n in (1, 2, 3, 2000)] == [0.5, 1, 2, 10]


@pytest.mark.parametrize("usage", ["text", [], -3, {"completion_tokens": "many"}, {"completion_tokens": -4},
                                   {"completion_tokens": None}, {"completion_tokens": True}, 1e400])  # fmt: skip
def test_odd_counts_of_tokens_count_nothing(tmp_path, usage):
    with serving(lambda body, nth: answer(usage=usage)) as server:
        assert {(a.tokens, a.text) for a in ask(server, tmp_path).values()} == {(0, GOOD)}


def test_a_text_that_a_filter_cut_is_kept_and_marked(tmp_path):
    with serving(only(answer("راجع", "content_filter"))) as server:
        found = bad_of(ask(server, tmp_path))
        assert (found.text, found.finish_reason, found.error) == ("راجع", FinishReason.FILTERED, "")


@pytest.mark.parametrize("drops", [False, True])
def test_a_prompt_on_which_the_server_hangs_is_given_up_after_its_time(tmp_path, drops):
    def hang(body, nth):
        if body["prompt"] != BAD:
            return answer()
        if drops:
            return 200, (b" " for _ in range(50) if time.sleep(0.1) is None), {}
        return time.sleep(2)

    with serving(hang) as server:
        began = time.monotonic()
        found = bad_of(ask(server, tmp_path, timeout=0.3))
        assert time.monotonic() - began < 10
        assert found.error == "no answer within 0.3 s"


def test_an_answer_that_a_stop_string_ended_at_its_start_is_asked_for_without_and_cut_here(tmp_path):
    stop = GREEDY.until[0]

    def blank(body, nth):
        return answer("" if "stop" in body else f"\n\n{GOOD}{stop}more")

    with serving(blank) as server:
        answers = ask(server, tmp_path)
        assert {(a.text.strip(), a.stop, a.finish_reason) for a in answers.values()} == {(GOOD, stop, "stop")}
        assert len(server.asked) == 12


def test_the_stop_string_that_ended_an_answer_is_known_where_the_server_says_it(tmp_path):
    with serving(lambda body, nth: answer(stop_reason=body["stop"][0])) as server:
        assert {(a.text, a.stop) for a in ask(server, tmp_path).values()} == {(GOOD, GREEDY.until[0])}


def test_words_of_a_server_steer_no_terminal_and_are_bounded(tmp_path):
    with serving(only(error(400, "\x1b[31mred\u202e " + "x" * 10_000 + "\ud800"))) as server:
        found = bad_of(ask(server, tmp_path)).error
    assert found.isprintable() and len(found) < 400 and found.endswith("…")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:1/v1", "ftp://127.0.0.1/v1", "http://", "http://[::1/v1", "http://h:x/v1"]
)
def test_what_is_no_address_is_one_line(tmp_path, url):
    with serving(only(None)) as server, pytest.raises(UserError, match="no address"):
        ask(server, tmp_path, base_url=url)


@pytest.mark.parametrize(("name", "value"), [("num_concurrent", 0), ("timeout", -1), ("timeout", "soon"),
                                             ("max_retries", 0), ("num_concurrent", 10**400)])  # fmt: skip
def test_numbers_that_make_no_sense_are_one_line(tmp_path, name, value):
    with serving(only(None)) as server, pytest.raises(UserError, match=f"{name}=.*Give {name}="):
        ask(server, tmp_path, **{name: value})
