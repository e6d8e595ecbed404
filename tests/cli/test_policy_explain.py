"""Why an action was decided as it was, and how another would be: at the command line, in real workspaces."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import interlock_demo
from interlock.cli.output import Exit
from tests.cli.shell import Said, Shell
from tests.workspaces import CAPABILITIES, Place, forget, workspace

PAY = '''

class Books(msgspec.Struct, frozen=True, kw_only=True):
    """What the books say of somebody."""

    limit_minor: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    vip: bool = False


def books(to: str) -> Books:
    """Read them."""
    (HERE / "asked.txt").write_text(to)
    return Books(limit_minor=len(to) * 100)


@interlock.tool(
    name="box.pay", effect="write", risk="low", idempotency=KEYED, facts=books,
    data={"to": "personal", "card": "secret", "word": "internal"},
    cost=interlock.Cost(unit="EUR", amount="$args.n"),
    reversal=interlock.Reversal(contract="box.take", arguments={"n": "$args.n"}),
)
def pay(call: interlock.Call, to: str, n: Count, card: str = "none", word: str = "x") -> int:
    """Pay somebody."""
    effect(call, f"paid {n}")
    return n
'''
POLICIES = """\
@id("pay.limit") @owner("books") @outcome("deny") @reason("above the limit")
forbid(principal, action == Action::"box.pay", resource)
when { context.args.n > context.facts.limit_minor }
unless { context.facts.vip };

@id("pay.card") @owner("books") @outcome("deny") @reason("no such card")
forbid(principal, action == Action::"box.pay", resource) when { context.args.card == "stolen" };

@id("pay.roles") @owner("books") @outcome("require_approval") @approver("lead") @reason("leads pay more")
forbid(principal, action == Action::"box.pay", resource)
when { context.args.n > 300 } unless { context.user.roles.contains("lead") };

@id("pay.night") @owner("books") @outcome("escalate") @approver("lead") @reason("nobody is awake")
forbid(principal, action == Action::"box.pay", resource) when { context.minuteOfDay < 360 };

@id("pay.left") @owner("books") @outcome("deny") @reason("keep some")
forbid(principal, action == Action::"box.pay", resource)
when { context.budget has EUR && context.budget.EUR < 50 };

@id("pay.sure") @owner("books") @outcome("require_approval") @approver("reviewer") @reason("not sure")
forbid(principal, action == Action::"box.pay", resource)
when { context has confidence && context.confidence < 800 };

@id("pay.taint") @owner("books") @outcome("deny") @reason("from untrusted content")
forbid(principal, action == Action::"box.pay", resource) when { context.taint.to };

@id("pay.purpose") @owner("books") @outcome("oblige") @obligation("tell.books") @reason("they want to know")
forbid(principal, action == Action::"box.pay", resource)
when { context.task.purpose == "bonus" || context.task.depth > 1 };

@id("pay.trial") @owner("books") @mode("shadow") @outcome("deny") @reason("on trial")
forbid(principal, action == Action::"box.pay", resource) when { context.args.n > 150 };
"""
ARGS = json.dumps({"to": "bea@acme.com", "n": 200, "card": "4242-secret"})
NIGHT = "context.minuteOfDay < 360"
FACTS = '{"limit_minor": 1000}'
NOON = "2026-11-20T12:00"


def made_in(folder: Path) -> Place:
    """A workspace on disk alone: nothing was ever applied."""
    made = workspace(folder)
    made.change(f"{made.module}.py", lambda text: text + PAY)
    made.write("policies/pay.cedar", POLICIES)
    for name in ("ag", "shade", "helper"):
        made.change(f"agents/{name}.yaml", lambda text: text.replace(CAPABILITIES[0], f"box.pay, {CAPABILITIES[0]}"))
    return made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Such a workspace."""
    made = made_in(tmp_path)
    yield made
    forget(made)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The program in one that all tests share: trying changes nothing."""
    made = made_in(tmp_path_factory.mktemp("still"))
    yield Shell(made)
    forget(made)


@pytest.fixture
def shell(place: Place) -> Shell:
    """The program in it. What is asked for real is asked now, and this test may run at night."""
    place.change("policies/pay.cedar", lambda text: text.replace(NIGHT, 'context.task.purpose == "night"'))
    return Shell(place)


def tried(shell: Shell, *words: str, code: int = 0) -> Any:
    """A sound payment at noon, but for `words`."""
    given = ("--agent", "ag", "--args", ARGS, "--facts", FACTS, "--at", NOON, "--user", "rita")
    return shell.json("policy", "try", "box.pay", *given, *words, code=code)


def standing(found: Any, name: str) -> str:
    """What became of one policy."""
    each = next(each for each in found["policies"] if each["policy"] == name)
    assert each["why"]
    return str(each["standing"])


@pytest.mark.proves("policy.tried_not_touched")
def test_a_hypothetical_needs_nothing_but_files(shell: Shell, place: Place) -> None:
    """Without a store the files answer, every policy is accounted for, and not a byte is written."""
    before = sorted(path for path in place.folder.rglob("*") if "__pycache__" not in path.parts)

    found = tried(shell)

    assert (found["decision"]["verdict"], found["decision"]["because"]) == ("allow", ["all"])
    assert len(found["policies"]) == 12
    assert standing(found, "pay.limit") == "unsatisfied"
    assert standing(found, "ask") == "elsewhere"
    assert found["combined"][0] == "`all` permits it, and no forbid is satisfied"
    assert "pay.trial` is only tried, and is satisfied; in force it would tighten" in found["combined"][1]
    after = sorted(path for path in place.folder.rglob("*") if "__pycache__" not in path.parts)
    assert after == before


HYPOTHESES: list[tuple[tuple[str, ...], str, str]] = [
    (("--args", '{"to": "x", "n": 2000}', "--roles", "lead"), "deny", "pay.limit"),
    (
        ("--args", '{"to": "x", "n": 2000}', "--roles", "lead", "--facts", '{"limit_minor": 1, "vip": true}'),
        "allow",
        "all",
    ),
    (("--args", '{"to": "x", "n": 400}'), "require_approval", "pay.roles"),
    (("--args", '{"to": "x", "n": 400}', "--user", "ria"), "allow", "all"),
    (("--args", '{"to": "x", "n": 400}', "--roles", "lead,reviewer"), "allow", "all"),
    (("--at", "2026-11-20T05:59"), "escalate", "pay.night"),
    (("--at", "2026-11-20T06:59+01:00"), "escalate", "pay.night"),
    (("--budget", "EUR=49"), "deny", "pay.left"),
    (("--budget", "EUR=50", "--budget", "calls=1"), "allow", "all"),
    (("--confidence", "799"), "require_approval", "pay.sure"),
    (("--tainted", "to"), "deny", "pay.taint"),
    (("--purpose", "bonus"), "oblige", "pay.purpose"),
    (("--depth", "2"), "oblige", "pay.purpose"),
    (("--stage", "shadow"), "shadow", "interlock.stage.shadow"),
    (("--agent", "shade"), "shadow", "interlock.stage.shadow"),
    (("--agent", "helper", "--stage", "partial"), "allow", "all"),
]


@pytest.mark.proves("policy.tried_not_touched")
@pytest.mark.parametrize(("words", "verdict", "by"), HYPOTHESES)
def test_each_circumstance_counts(still: Shell, words: tuple[str, ...], verdict: str, by: str) -> None:
    """User, roles, stage, time, budget, confidence, taint, purpose and depth are those that were asked for."""
    decision = tried(still, *words)["decision"]

    assert (decision["verdict"], decision["because"]) == (verdict, [by])


@pytest.mark.proves("policy.tried_not_touched")
def test_what_is_left_is_what_a_fresh_task_has(place: Place, shell: Shell) -> None:
    """Unless said otherwise the budget is the one that the gate would find: the agent's own limit on a task included."""
    place.change("agents/ag.yaml", lambda text: text.replace("max_actions: 5000", "max_actions: 7"))
    assert shell("apply").code == 0
    made = shell.json("run", "box.pay", "--agent", "ag", "--args", '{"to": "a", "n": 60}')
    recorded = shell.json("policy", "explain", made["id"])["asked"]["around"]["budget"]

    assert recorded == {"calls": 7, "EUR": 100_000}
    assert tried(shell)["asked"]["around"]["budget"] == recorded


def test_the_time_says_that_it_is_utc(still: Shell) -> None:
    """Nobody takes the time of a hypothetical for that of their own clock."""
    said = still("policy", "try", "box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--at", NOON)

    assert "at 2026-11-20 12:00:00 UTC" in said.out


def test_an_undo_is_decided_as_one(still: Shell) -> None:
    """With `--undo` it is taken for the undo of what it undoes, and the stage's rules give way."""
    words = ("policy", "try", "box.take", "--agent", "ag", "--args", '{"n": 1}')

    plain, undo = still.json(*words), still.json(*words, "--undo")

    assert plain["decision"]["because"] == ["interlock.irreversible"]
    assert (plain["refused"], plain["notes"]) == (["`ag` has no such capability"], [])
    assert undo["refused"] == []
    assert undo["decision"]["verdict"] == "allow"
    assert undo["notes"][0].startswith("taken for the undo of `box.aput`; ")


@pytest.mark.proves("policy.explanation_hides")
def test_what_the_gate_refuses_first_leads(still: Shell) -> None:
    """What no policy is ever asked about is said in the first line, before what would follow otherwise."""
    found = still("policy", "try", "box.take", "--agent", "ag", "--args", '{"n": 1}', "--depth", "900").out.splitlines()

    assert found[0].startswith(
        "box.take  refused before policies are asked: `ag` has no such capability; tasks of `ag`"
    )
    assert found[1] == "  otherwise it would be: require approval  by interlock.irreversible"


def test_a_role_that_nobody_holds_is_noted(still: Shell) -> None:
    """A misspelt role is asked with as it is given, and said to be nobody's."""
    found = still.json("policy", "try", "box.put", "--agent", "ag", "--args", '{"n": 1}', "--roles", "reviewr,lead")

    assert found["notes"] == ["nobody holds the role `reviewr`; did you mean `reviewer`?"]


def test_an_empty_name_is_nobody(still: Shell) -> None:
    """An option that names a person and names none is a mistake, and no other person is taken for it."""
    for words in (("policy", "try", "box.put", "--user", ""), ("run", "box.put", "--on-behalf-of", " ")):
        said = still(*words, "--agent", "ag", "--args", '{"n": 1}')
        assert (said.code, "empty" in said.err) == (Exit.USAGE, True), said


def test_personal_and_secret_values_are_hidden_until_asked_for(still: Shell) -> None:
    """Neither words nor arguments show them; `--values` shows both; data that is only internal is never hidden."""
    words = ("policy", "try", "box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--at", NOON)

    for said in (still(*words), still(*words, "--json")):
        assert said.code == 0
        assert "acme" not in said.out
        assert "4242" not in said.out
        assert "hidden" in said.out
    for said in (still(*words, "--values"), still(*words, "--values", "--json")):
        assert "bea@acme.com" in said.out
        assert 'card is "4242-secret"' in said.out.replace("\\", "")
    assert "card is hidden (secret)" in still(*words).out
    assert still.json(*words)["asked"]["hidden"] == {"to": "personal", "card": "secret"}
    assert still.json(*words)["asked"]["arguments"]["word"] == "x"


@pytest.mark.proves("policy.tried_not_touched")
def test_facts_are_given_or_read_and_never_guessed(shell: Shell, place: Place) -> None:
    """Without facts that policies look at it is an error that names them; `--read-facts` calls nothing but the reader."""
    words = ("policy", "try", "box.pay", "--agent", "ag", "--args", ARGS, "--at", NOON)

    error = shell.json(*words, code=Exit.YOURS)["error"]
    found = shell.json(*words, "--read-facts", "--values")

    assert (error["path"], "`limit_minor`, `vip`" in error["detail"]) == ("/facts", True)
    assert "--read-facts" in error["next"]
    assert found["asked"]["facts"] == {"limit_minor": 1200, "vip": False}
    assert (place.folder / "asked.txt").read_text() == "bea@acme.com"
    assert place.effects() == []


MISTAKES: list[tuple[tuple[str, ...], str, str]] = [
    (("box.pai", "--agent", "ag"), "there is no contract `box.pai`", "did you mean `box.pay`?"),
    (("box.pay", "--agent", "agg"), "there is no agent `agg`", "did you mean `ag`?"),
    (("box.put", "--agent", "ag", "--args", '{"n": "many"}'), "/n", "interlock show"),
    (("box.put", "--agent", "ag", "--args", '{"n": 1, "m": 2}'), "/m", "interlock show"),
    (("box.put", "--agent", "ag"), "/n", "interlock show"),
    (("box.put", "--agent", "ag", "--args", "{n: 1}"), "is no JSON", "single quotes"),
    (("box.put", "--agent", "ag", "--args", '{"n": 1}', "--facts", '{"a": 1}'), "has no facts", "--facts"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", '{"limit": 1}'), "no fact `limit`", "`limit_minor`?"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", '{"limit_minor": "x"}'), "/facts/limit_minor", "show"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--tainted", "too"), "no argument `too`", "`to`?"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--budget", "EURO=5"), "`EURO`", "`EUR`?"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--budget", "5"), "is no budget", "EUR=500"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--stage", "parcial"), "no stage", "`partial`?"),
    (("box.pay", "--agent", "ag", "--args", ARGS, "--facts", FACTS, "--at", "noon"), "is no time", "2026-12-24"),
    (("box.pay", "--agent", "ag", "--bundle", "mine"), "`files` or `in-force`", "--help"),
]


@pytest.mark.parametrize(("words", "detail", "following"), MISTAKES)
def test_a_mistake_is_told_with_what_helps(still: Shell, words: tuple[str, ...], detail: str, following: str) -> None:
    """An unknown name with its nearest spelling, an argument with its field: never a traceback, never a guess."""
    said: Said = still("policy", "try", *words, "--json")

    assert said.code in (Exit.YOURS, Exit.USAGE), said
    error = said.json()["error"]
    assert detail in error["detail"]
    assert following in error["next"]


def test_a_missing_fact_fails_only_who_reads_it(still: Shell) -> None:
    """Facts may be given in part: the policy that reads the rest says which it lacks, and so it is denied."""
    found = tried(still, "--facts", "{}")

    assert found["decision"]["because"] == ["interlock.error"]
    assert standing(found, "pay.limit") == "failed"
    assert standing(found, "pay.roles") == "unsatisfied"
    assert "facts.limit_minor is missing" in found["combined"][0]


def proposed(shell: Shell, *words: str, args: str = ARGS) -> str:
    """Propose a payment for real."""
    found = shell.json("run", "box.pay", "--agent", "ag", "--args", args, "--on-behalf-of", "user:ana", *words)
    return str(found["id"])


@pytest.mark.proves("policy.explained")
def test_a_recorded_action_is_explained_by_what_decided_it(shell: Shell, place: Place) -> None:
    """The question is rebuilt from what was kept; other policies may give another answer, and that is said."""
    assert shell("apply").code == 0
    action = proposed(shell)
    place.change("policies/pay.cedar", lambda text: text.replace("context.args.n > 300", "context.args.n > 100"))

    then = shell.json("policy", "explain", action)
    files = shell.json("policy", "explain", action[-8:], "--bundle", "files")

    assert (then["decision"]["verdict"], then["same"], then["notes"]) == ("allow", True, [])
    assert then["recorded"]["bundle"] == then["bundle"]
    assert then["asked"]["facts"] == {"limit_minor": 1200, "vip": False}
    assert (files["decision"]["because"], files["same"]) == (["pay.roles"], False)
    assert "it was decided by the policies" in files["notes"][0]
    assert "another answer: allow by all" in shell("policy", "explain", action, "--bundle", "files").out
    assert shell("apply").code == 0
    assert shell.json("policy", "explain", action, "--bundle", "in-force")["bundle"] == files["bundle"]
    assert shell.json("policy", "explain", action, "--bundle", then["bundle"][:12])["same"] is True
    assert shell.json("policy", "explain", action)["same"] is True
    assert shell("verify").code == 0


def test_the_page_names_everything_a_person_needs(shell: Shell) -> None:
    """The answer, how it followed, each policy with its place, owner and reason, and what only is on trial."""
    assert shell("apply").code == 0
    args = json.dumps({"to": "bea@acme.com", "n": 400})
    action = shell.json("run", "box.pay", "--agent", "ag", "--args", args, code=Exit.WAITING)["id"]

    page = re.sub(r"(?<=\w)  +", "  ", shell("policy", "explain", action).out)

    assert page.startswith("box.pay  require approval  by pay.roles\n")
    assert "recorded  this very answer" in page
    assert "1. `all` permits it, but `pay.roles` says require approval" in page
    assert "2. 1 of role lead must agree, because `pay.roles` says so" in page
    assert "pay.roles  require approval  policies/pay.cedar:9 of books" in page
    assert "`args.n is greater than 300` is true: n is 400" in page
    assert 'not excepted: `user.roles contains "lead"` is false: roles is []' in page.replace(
        "user.roles is", "roles is"
    )
    assert "pay.trial  deny, satisfied" in page
    assert "it is about `box.put`, and this is `box.pay`" in page


def test_what_no_policy_was_asked_about_says_so(shell: Shell) -> None:
    """An action that was refused has a reason, and no explanation; an unknown one is not found."""
    assert shell("apply").code == 0
    refused = shell.json("run", "box.put", "--agent", "ag", "--args", '{"n": -1}', code=Exit.NOT_DONE)["id"]

    error = shell.json("policy", "explain", refused, code=Exit.YOURS)["error"]

    assert error["code"] == "illegal_move"
    assert "policies were not asked" in error["detail"]
    assert shell.json("policy", "explain", "0000000", code=Exit.YOURS)["error"]["code"] == "not_found"
    assert shell.json("policy", "explain", refused[:-4], code=Exit.YOURS)["error"]["code"] == "not_found"


def test_what_is_in_force_can_be_tried_too(shell: Shell, place: Place) -> None:
    """`--bundle in-force` answers by the store, whatever the files say by now; without a store it says what to do."""
    assert shell("policy", "try", "box.pay", "--agent", "ag", "--bundle", "in-force").code == Exit.OPERATOR
    assert shell("apply").code == 0
    place.change("policies/pay.cedar", lambda text: text.replace("context.args.n > 300", "context.args.n > 100"))

    assert tried(shell, "--bundle", "in-force")["decision"]["verdict"] == "allow"
    assert tried(shell)["decision"]["verdict"] == "require_approval"


def test_the_shop_explains_itself(tmp_path: Path) -> None:
    """On the shop's own files: a mail to a customer is explained, and whom it goes to stays hidden."""
    shutil.copytree(Path(interlock_demo.__file__).parent / "workspace", tmp_path / "shop")
    place = Place(tmp_path / "shop")
    mail = {"recipient": "kim@example.com", "subject": "Your return", "body": "Dear Kim"}

    found = Shell(place).json("policy", "try", "mail.send", "--agent", "support", "--args", json.dumps(mail))

    assert (found["decision"]["verdict"], found["decision"]["because"]) == ("require_approval", ["mail.word"])
    assert "kim" not in json.dumps(found).lower()
    assert all(each["why"] and each["file"].endswith(".cedar") and each["line"] for each in found["policies"])
