"""A workspace of a few files, to change one thing in."""

from pathlib import Path

from interlock.adapters.workspace import Problem, Workspace, cross_check, read_workspace

SEND = """\
name: mail.send
version: 1.10
description: Sends one mail.
owner: support-team
effect: external
risk: medium
arguments:
  to: {type: string, maxLength: 200}
  text: string
  copies: {type: integer, minimum: 1, default: 1}
result:
  mail_id: string
idempotency: {keyed: {retention: 24h}}
reversal:
  contract: mail.recall
  arguments: {mail_id: $result.mail_id, why: undone}
  within: 1h30m
  approver: lead
run:
  http:
    url: https://mail.example/send/{to}
    headers: {Authorization: "Bearer ${MAIL_TOKEN}"}
lookup: {http: https://mail.example/sent}
facts: {python: "mailing.facts:about", schema: {known: boolean, mails_today: integer}}
postcondition: {python: "mailing.checks:arrived"}
two_phase:
  prepare: {python: "mailing.phases:prepare"}
  abort: {python: "mailing.phases:abort"}
cost: {unit: EUR, amount: 5}
data: {to: personal}
timeout: 10s
"""

RECALL = """\
name: mail.recall
effect: external
risk: low
arguments:
  type: object
  properties: {mail_id: {type: string}, why: {type: string}}
  required: [mail_id]
idempotency: conditional
reversal: {none: it is back}
run: {python: "mailing:recall"}
"""

AGENT = """\
name: support
purpose: answer customers
scope: {includes: [mails], excludes: [refunds], data: [customers]}
owners: {decision: ana, policy: ben, data: cleo, engineering: dan}
stage: partial
stages: {mail.send: assisted}
capabilities: [mail.send]
restrictions: [no promises]
runtime: {max_depth: 2, max_repeats: 5, max_actions: 50, max_task: 1h, models: [one]}
approvals: {within: 4h, notify: [ana]}
behaviour:
  prompt_file: support.txt
  model: one
  parameters: {temperature: 0.20, top_k: 40, stream: no}
  memory: none
  escalation: ask ana
budgets: {EUR: 5000, calls: 100}
metrics: [{name: answered, target: 95 %}]
escalation_triggers: [anger]
compliance: [privacy]
"""

FILES = {
    "interlock.yaml": "tenant: acme\nbudgets: {EUR: 100000}\n",
    "people.yaml": "ana: [lead, reviewer]\nben: lead\ncleo: data\ndan: code\n",
    "agents/support.yaml": AGENT,
    "agents/support.txt": "Be kind.\r\nBe short.\n",
    "contracts/send.yaml": SEND,
    "contracts/recall.yaml": RECALL,
    "policies/mail.cedar": "permit(principal, action, resource);\n",
}


Files = dict[str, str | bytes | None]


def written(folder: Path, changes: Files | None = None) -> Path:
    """The workspace with other files; None leaves one out."""
    for name, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def read(folder: Path, changes: Files | None = None) -> Workspace:
    """The workspace with other files, read."""
    return read_workspace(written(folder, changes))


def problems(folder: Path, changes: Files | None = None) -> list[Problem]:
    """All that is wrong with it, each file by itself and all together."""
    workspace = read(folder, changes)
    return [*workspace.problems, *cross_check(workspace, workspace.contracts)]


def edited(file: str, old: str, new: str) -> Files:
    """One file with something else in it."""
    assert FILES[file].count(old) == 1, old
    return {file: FILES[file].replace(old, new)}
