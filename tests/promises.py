"""Every promise that Interlock makes: what it is called, where it was made, what it says.

A test claims one with `@pytest.mark.proves("id")`. `test_promises.py` fails when a test claims what is not here, and when
something here is claimed by no test.
"""

from typing import Final, NamedTuple


class Promise(NamedTuple):
    """One sentence that somebody may hold us to."""

    id: str
    """Dotted lower-case words: `gate.no_effect_without_intent`."""
    source: str
    """Where it was made: a page, a heading."""
    sentence: str
    """What is promised, as one sentence with a full stop."""


_ADOPT: Final = "How to adopt what you have"
_UPSTREAM: Final = "How to put an MCP server under contract"
_PEERS_MCP: Final = "The protocol's conformance suite, through the gateway"
_SIGN_IN: Final = "Sign people in"
_DEMO: Final = "README: See it"
_LIFE: Final = "The life of an action"
_CRASH: Final = "The life of an action: steps, and what a crash leaves behind"
_CONTRACT: Final = "Workspace files: contracts"
_POLICY: Final = "Workspace files: policies"
_AGENT: Final = "Workspace files: agents"
_GATEWAY: Final = "Reference: what passes the gateway"
_LEND: Final = "Lend a task to a sub-agent"
_REGISTRY: Final = "How to register an agent"
_PEOPLE: Final = "How to approve, reject or modify"
_NOTICE: Final = "How to see whether people notice"
_ROUTES: Final = "How to route approvals"
_EXCEPTION: Final = "How to raise an exception"
_FRAMEWORKS: Final = "Agents written with a framework"
_LANGCHAIN: Final = "Put it under LangChain and LangGraph"
_ADK: Final = "Put it under Google ADK"
_STRANDS: Final = "Put it under Strands"
_AUTOGEN: Final = "Put it under AutoGen"
_AG2: Final = "Put it under AG2"
_CREWAI: Final = "Put it under CrewAI"
_OPENAI_AGENTS: Final = "Put it under the OpenAI Agents SDK"
_PYDANTIC_AI: Final = "Put it under Pydantic AI"
_NOTIFY: Final = "How to notify people"
_BUDGET: Final = "How to set budgets and limits"
_MODELS: Final = "How to meter what models cost"
_RELAY: Final = "How to pass model calls through Interlock"
_TREE: Final = "How to set budgets and limits: tasks inside tasks"
_VAULT: Final = "The vault: keys"
_ERASE: Final = "How to erase a person"
_PROVEN: Final = "What is proven"
_THREAT: Final = "Threat model"
_API: Final = "Python API"
_BACKUP: Final = "How to back up and restore"
_MACHINE: Final = "Decisions: an explicit state machine on SQL"
_BRAKES: Final = "How to stop an agent"
_BREAKER: Final = "How to stop an agent: tools that stop by themselves"
_DRILL: Final = "How to stop an agent: drill"
_ORDERS: Final = "Decisions: one control record"
_UNDO: Final = "How to undo"
_PUBLISH: Final = "How to publish policies"
_PARSED: Final = "How to decide on parsed facts"
_WORKER: Final = "How to run workers and survive a crash"
_AUDIT: Final = "How to audit"
_SHOWN: Final = "How to show the log to others, and prove what is in it"
_TOKENS: Final = "Task tokens"
_RIGHTS: Final = "How to bound what a person may lend"
_GIVEN: Final = "How to bound what a person may lend: give a task tools and records"
_NORMAL: Final = "How to see what an agent normally touches"
_DOCTOR: Final = "How to look after an installation"
_CONSOLE: Final = "How to use the console"
_AFAR: Final = "How to use Interlock over HTTP"
_SERVER: Final = "Run the server"
_FIGURES: Final = "How to read the figures"
_ADMIT: Final = "How to admit programs that bear a token"

PROMISES: tuple[Promise, ...] = (
    Promise(
        "access.links_once", _SIGN_IN, "A one-time link lets in once, whoever else comes with it at the same moment."
    ),
    Promise(
        "access.secrets_kept_as_digests",
        _SIGN_IN,
        "No link, session, key or password is stored or recorded: only what it can be held against.",
    ),
    Promise("access.on_record", _SIGN_IN, "What lets somebody in, and what ends that, is an entry in the log."),
    Promise(
        "access.sessions_end",
        _SIGN_IN,
        "A session ends after twelve idle hours, after seven days, when it is revoked, and when its person loses a role.",
    ),
    Promise(
        "access.throttled",
        _SIGN_IN,
        "Passwords cannot be tried for long: tries are counted before they are looked at, in all processes together.",
    ),
    Promise(
        "access.csrf",
        _SIGN_IN,
        "Nothing is changed by what a page of somebody else's sends, nor by a form of another session.",
    ),
    Promise(
        "access.cookie",
        _SIGN_IN,
        "A session's cookie is new at every sign-in, is for this host alone, and is out of reach of scripts.",
    ),
    Promise("access.back_here", _SIGN_IN, "After signing in nobody is sent to another host."),
    Promise(
        "access.glass",
        _SIGN_IN,
        "Broken glass lets a person decide for half an hour whatever role is asked, on record, and never on their own request.",
    ),
    Promise(
        "access.glass_here",
        _SIGN_IN,
        "Broken glass widens the session it was broken in, or the machine, and no other session and no key.",
    ),
    Promise(
        "access.where_from",
        _SERVER,
        "Where a request came from is the word of a proxy that the workspace names, and of nobody else.",
    ),
    Promise(
        "access.streams_end",
        _SIGN_IN,
        "A stream of news ends within seconds of the session or key that opened it.",
    ),
    Promise(
        "access.asked_again",
        _SIGN_IN,
        "What outlasts a session takes somebody who showed within ten minutes who they are: a session left open makes no more.",
    ),
    Promise(
        "access.no_impersonation",
        _SIGN_IN,
        "Who administers the console cannot make a way in for somebody who has one, and so not come in as them.",
    ),
    Promise(
        "access.provider",
        _SIGN_IN,
        "An identity provider signs in whom it names by a verified claim, in the browser that went there, once.",
    ),
    Promise("access.names_not_told", _SIGN_IN, "Nobody learns by trying passwords which names are real."),
    Promise("access.faults", _SIGN_IN, "Nobody is let in without an entry, whichever write fails."),
    Promise(
        "access.keys",
        _SIGN_IN,
        "A key opens what its scopes and its person's roles both open by then, and not for ever.",
    ),
    # -- task tokens -----------------------------------------------------------------------------------------------
    Promise(
        "tokens.narrowing_sound",
        _TOKENS,
        "Whatever a token grants, every token that it was derived from grants: a chain that widens anything is refused whole.",
    ),
    Promise(
        "tokens.closed_world",
        _TOKENS,
        "A tool that is not named is not granted, and the arguments of one whose arguments are named are exactly those.",
    ),
    Promise(
        "tokens.unknown_denies",
        _TOKENS,
        "A constraint of a type that is not known refuses the chain it stands in, as an empty one does.",
    ),
    Promise(
        "tokens.meet",
        _TOKENS,
        "What several grants have in common is what each of them grants, and nothing else.",
    ),
    Promise(
        "tokens.attacks",
        _TOKENS,
        "Nineteen ways of making more of a token than was given, from a widened range to another algorithm, are refused.",
    ),
    Promise(
        "tokens.revoked_with_ancestor",
        _TOKENS,
        "A chain is refused when any token in it, its holder, agent, task, tree or initiator is revoked.",
    ),
    Promise(
        "tokens.time",
        _TOKENS,
        "Clocks that differ by 30 seconds are forgiven, 31 are not, with tokens and with proofs.",
    ),
    Promise(
        "tokens.sizes",
        _TOKENS,
        "Texts that are too many or too long are refused before any of them is parsed.",
    ),
    Promise(
        "tokens.cache",
        _TOKENS,
        "That a chain was verified before spares its signatures and nothing else; it is known by all of its texts, in order.",
    ),
    # -- publishing ------------------------------------------------------------------------------------------------
    Promise(
        "publish.first",
        _PUBLISH,
        "The first edition of an empty installation needs one person, whatever rule it brings.",
    ),
    Promise(
        "publish.two_persons",
        _PUBLISH,
        "Where the rule in force says so nothing but brakes changes by one person's word, the rule itself included; with the "
        "last person needed all of it is in force.",
    ),
    Promise(
        "publish.entitled",
        _PUBLISH,
        "Only different, known people in the roles named count, whoever proposed it among them.",
    ),
    Promise(
        "publish.stale",
        _PUBLISH,
        "What was proposed against something else than what is in force is never published, and says that it must be "
        "proposed again.",
    ),
    Promise("publish.idempotent", _PUBLISH, "Proposing the same again gives the same publication, and writes nothing."),
    Promise("publish.withdraw", _PUBLISH, "What was withdrawn is never published."),
    Promise("publish.race", _PUBLISH, "People who agree at once publish once."),
    Promise(
        "publish.rule_can_be_met", _PUBLISH, "A rule that the people there are could not meet never comes into force."
    ),
    Promise(
        "publish.whole",
        _PUBLISH,
        "Whatever fails on the way, what is in force, the publications and the log say the same.",
    ),
    Promise(
        "publish.owners",
        _PUBLISH,
        "Where owners are asked, a change that may loosen a contract that cannot be undone or is of high or critical risk "
        "waits for its owner.",
    ),
    Promise(
        "publish.swap",
        _PUBLISH,
        "Once a publish has returned no process decides anything under what was in force before.",
    ),
    Promise(
        "publish.held",
        _PUBLISH,
        "What waits for a person is decided again under new policies: before a yes counts, and before it is dispatched.",
    ),
    Promise(
        "engine.alarm",
        _PUBLISH,
        "Where compiled policies and the library disagree the library's answer stands, it is recorded, and the library "
        "answers in every process from then on.",
    ),
    Promise(
        "engine.back",
        _PUBLISH,
        "An alarm stands until a person who may publish ends it, with a reason, on record.",
    ),
    # -- contracts and arguments -----------------------------------------------------------------------------------
    Promise("sdk.ticket_across_processes", _API, "The ticket of an action can be waited for in another process."),
    Promise(
        "sdk.interrupt_loses_nothing",
        _API,
        "A program that is interrupted while it waits leaves its action to be taken up, and under the same key finds it.",
    ),
    Promise(
        "sdk.outcomes",
        _API,
        "Every outcome is a value that `propose` gives and, where it is not done, an exception that a call raises.",
    ),
    Promise(
        "sdk.key_survives_restart",
        _API,
        "The same idempotency key gives the first action's outcome in a program started later.",
    ),
    Promise(
        "contract.acts_says_how_it_is_undone",
        _CONTRACT,
        "A contract that acts is accepted only if it names its reversal or says why there is none.",
    ),
    Promise(
        "contract.arguments_are_closed",
        _CONTRACT,
        "A field that the contract does not name is refused wherever in the arguments it stands.",
    ),
    Promise(
        "contract.from_mcp",
        "How to put a tool under contract: from an MCP server",
        "A tool of an MCP server comes under a contract whose arguments are closed and whose effect, risk and reversal are "
        "said by us, whatever the server says of itself.",
    ),
    Promise(
        "contract.from_signature",
        _API,
        "A signature that leaves open what a call means is refused where it is declared, in words that say what to write.",
    ),
    Promise(
        "contract.positional_equals_keyword",
        _API,
        "However a call's arguments are given, by position, by name or by default, it is one action with one digest.",
    ),
    Promise(
        "contract.refused_with_path",
        _CONTRACT,
        "Arguments that do not fit are refused with a pointer to the field, before policy or tool look at them.",
    ),
    Promise(
        "sdk.no_call_outside_a_task",
        _API,
        "A tool under contract cannot be called outside a task.",
    ),
    Promise(
        "canonical.one_form",
        "Decisions: canonical JSON without floating-point numbers",
        "A value has one byte form, that of RFC 8785, and what has no exact form is refused and never repaired.",
    ),
    # -- the gate --------------------------------------------------------------------------------------------------
    Promise(
        "gate.absence_denies",
        _POLICY,
        "Where nothing permits an action, or no policies can be loaded, it is denied.",
    ),
    Promise(
        "gate.agent_gone",
        _AGENT,
        "An agent that is no longer in force does nothing more, and what it did can still be undone.",
    ),
    Promise(
        "gate.arguments",
        _LIFE,
        "What does not fit its contract is refused and recorded, and reaches neither policy nor tool.",
    ),
    Promise("gate.capabilities", _AGENT, "A contract that the agent's file does not list does not exist for it."),
    Promise(
        "gate.contract_changed",
        _LIFE,
        "Code that carries another version of a contract than the one in force is refused.",
    ),
    Promise("gate.errors_deny", _POLICY, "An error while facts are read or a policy is evaluated denies the action."),
    Promise("gate.intent_once", _LIFE, "One recorded intent to act starts one call, however many drive the action."),
    Promise(
        "gate.irreversible",
        "Glossary: stage",
        "What cannot be undone is never done unattended, whatever stage or policy say.",
    ),
    Promise(
        "gate.limits",
        _BUDGET,
        "Repeats, depth, number of actions, prohibited contracts and a task's end hold without any policy.",
    ),
    Promise("gate.owners", _AGENT, "An agent without all four owners stays in shadow whatever its file says."),
    Promise(
        "gate.same_key",
        _API,
        "A second call with the same idempotency key and arguments gets the first one's answer, also when both come at "
        "once; with other arguments, or on behalf of somebody else, it is an error.",
    ),
    Promise(
        "gate.shadow",
        "Decisions: reads pass in shadow",
        "In shadow nothing that acts is touched, and what would have happened is recorded.",
    ),
    Promise("gate.slow_facts", _LIFE, "However long deciding takes, the lease on the call begins with the intent."),
    Promise(
        "gate.stages",
        "Glossary: stage",
        "For every effect, risk and reversibility an agent's stage does what its table says.",
    ),
    Promise(
        "gate.stop",
        "How to stop an agent",
        "From the moment a brake is pulled nothing in its scope is dispatched by any "
        "process, until it is lifted or its time is over.",
    ),
    Promise(
        "gate.verdicts", _LIFE, "Each verdict of policy has its state, and only what is allowed touches the world."
    ),
    Promise("gate.words", _API, "Words around an action that cannot be written down are refused with their place."),
    Promise(
        "dispatch.checked_again",
        _LIFE,
        "What was cleared is checked once more right before it runs: time, brakes, policy and task.",
    ),
    Promise(
        "dispatch.orders_change",
        "Decisions: one control record",
        "A change of the standing orders between the check and the intent is noticed, and the check made again.",
    ),
    Promise(
        "oversight.never_loosens",
        "Glossary: stage",
        "A stage or a reversal's approver makes a decision stricter or leaves it, never looser.",
    ),
    # -- policy ----------------------------------------------------------------------------------------------------------
    Promise(
        "policy.all_satisfied_named",
        _POLICY,
        "Every policy that was satisfied is named with the decision, permits and forbids alike.",
    ),
    Promise("policy.approval_needs_permit", _POLICY, "Nobody is asked to approve what no policy permits."),
    Promise(
        "policy.candidate_never_counts",
        "How to try a policy in shadow",
        "A policy in shadow mode grants nothing, stops nothing, and denies nothing by an error; what it would do is reported.",
    ),
    Promise(
        "policy.explained",
        "How to explain a decision",
        "Every policy considered says whether it was satisfied, and which part of it, with which values, settled that.",
    ),
    Promise(
        "policy.explanation_agrees",
        "How to explain a decision",
        "An explanation calls satisfied, and failed, exactly what the engine does.",
    ),
    Promise(
        "policy.explanation_hides",
        "How to explain a decision",
        "Values of a data class that is not open stay out of an explanation unless the reader asks for them.",
    ),
    Promise(
        "policy.promoted_alone",
        "How to try a policy in shadow",
        "Promoting a policy takes its `@mode` away, dropping it takes the policy with its comments; no other byte changes.",
    ),
    Promise(
        "policy.candidate_figures",
        "How to try a policy in shadow",
        "A candidate's figures are those of deciding again, with it in force, what was decided beside it.",
    ),
    Promise(
        "policy.tried_not_touched",
        "How to explain a decision",
        "Trying a hypothetical decides as the gate would, and records and touches nothing.",
    ),
    Promise(
        "policy.decides_by_arguments_and_facts",
        _POLICY,
        "A policy decides by the values of arguments and facts, and the decision says by which policy.",
    ),
    Promise("policy.deny_overrides", _POLICY, "A deny wins over every permit and every softer outcome, in any order."),
    Promise(
        "policy.engine_watched",
        _POLICY,
        "An engine that disagrees with its oracle is found out and answers nothing more.",
    ),
    Promise("policy.engines_agree", _POLICY, "Compiled policies give the same answers as cedarpy, errors included."),
    Promise(
        "policy.groups_hold",
        _POLICY,
        "Rules on an agent or on a group of contracts hold for every member, releases nobody has seen yet included.",
    ),
    Promise(
        "policy.measures_what_is_bounded",
        _POLICY,
        "A policy that compares a number, a list or a pattern which the contract leaves open is refused.",
    ),
    Promise(
        "policy.planted_faults",
        "The policy language: what is refused",
        "Each of the planted faults keeps a bundle from being formed, with the policy, the place of the word and what was meant.",
    ),
    Promise(
        "policy.overflow_refused",
        "The policy language: what is refused",
        "A policy whose arithmetic could leave 64 bits, for any arguments that its contract lets through, is refused.",
    ),
    Promise(
        "policy.dead_refused",
        "The policy language: what is refused",
        "A policy that can never apply is refused, and one that changes nothing is a warning.",
    ),
    Promise(
        "policy.bad_input_bounded",
        "The policy language: what is refused",
        "Policies that are malformed, huge or deeply nested are refused in bounded time, and never end the process.",
    ),
    Promise(
        "policy.format_keeps",
        "The policy language: one form",
        "Formatting keeps every policy and every comment, and writes no file that does not parse.",
    ),
    Promise(
        "policy.refused_at_load",
        _POLICY,
        "What is wrong with a policy keeps the whole bundle out of force, and is said with file and line.",
    ),
    Promise(
        "policy.unknown_nodes_refused",
        _POLICY,
        "What the engine does not know of the language is refused at load.",
    ),
    Promise(
        "policy.unknown_contract_denies",
        _POLICY,
        "What is not in the bundle as a contract is denied, though a policy permits everything.",
    ),
    # -- people ----------------------------------------------------------------------------------------------------------
    Promise(
        "approval.survives_upgrade",
        _PEOPLE,
        "What waits for people outlives a change of tools, agents and policies, and is done once when it is approved afterwards.",
    ),
    Promise(
        "approval.bound",
        _PEOPLE,
        "A person's word counts for exactly what was shown; whatever changed since is decided and asked again.",
    ),
    Promise(
        "approval.entitled",
        _PEOPLE,
        "Neither the initiator of an action nor anybody without a role that was asked can approve, reject or modify it.",
    ),
    Promise(
        "approval.executes_once", _PEOPLE, "An approved action is executed once, wherever and whenever it was approved."
    ),
    Promise("approval.expires", _PEOPLE, "Silence is a no: when its time is over a held or approved action expires."),
    Promise(
        "approval.modify",
        _PEOPLE,
        "Modified arguments are validated, decided and paid for like any, and exactly they are executed.",
    ),
    Promise("approval.quorum", _PEOPLE, "A quorum is of different people, and every policy that asks is heard."),
    Promise("approval.rejects", _PEOPLE, "One no of anybody who was asked ends the action."),
    Promise("approval.single_use", _PEOPLE, "An approval is counted once, however many come at the same time."),
    Promise(
        "approval.survives_downtime",
        _PEOPLE,
        "An approval given while nothing runs is executed once when a worker comes back.",
    ),
    Promise(
        "routing.walked",
        _ROUTES,
        "Each reminder, each going on and each end comes once and in time, in whatever process, however long all slept.",
    ),
    Promise(
        "routing.widens",
        _ROUTES,
        "A question that goes on asks more people, none instead of others: no rule about who may answer is taken away by it.",
    ),
    Promise(
        "routing.overdue",
        _ROUTES,
        "What is parked is late and not over: it stays open, with its budget, while its task does.",
    ),
    Promise(
        "confidence.thresholds",
        _CONTRACT,
        "Where a contract asks how sure an agent is, one that is less sure, or does not say, does not act by itself.",
    ),
    Promise(
        "exception.asks",
        _EXCEPTION,
        "What an agent raises waits for a person, whatever policies permit, and not for whom it is.",
    ),
    Promise(
        "exception.answer", _EXCEPTION, "The answer to an exception is a person's: an agent that brings one is refused."
    ),
    Promise(
        "exception.measured",
        _EXCEPTION,
        "Exceptions are counted among the reasons why people are asked, and an answer is no correction of what was asked for.",
    ),
    Promise(
        "exception.survives",
        _EXCEPTION,
        "An exception goes on waiting when the program that raised it dies; under its key there is one of it, and its answer.",
    ),
    Promise(
        "exception.default",
        _EXCEPTION,
        "Where nobody answers an exception in time what the policy says for that is the answer, once; silence is no yes.",
    ),
    Promise(
        "exception.answered",
        _EXCEPTION,
        "Whoever is asked answers exactly what they were shown, once, and what they say is what the agent gets.",
    ),
    Promise(
        "routing.rota_missing",
        _ROUTES,
        "Of which role a policy counts hours on call that nobody wrote down is said wherever rotas are shown.",
    ),
    # -- notifications ---------------------------------------------------------------------------------------------------
    Promise(
        "notify.nothing_missed",
        _NOTIFY,
        "What a channel asks for and is in the log is told on it, whatever died in between, and of what was before it nothing.",
    ),
    Promise(
        "notify.at_least_once",
        _NOTIFY,
        "A message is sent until it arrives or is listed as given up, under one id, however many processes there are.",
    ),
    Promise(
        "notify.on_call",
        _NOTIFY,
        "A person's channel tells what asks a role of theirs, of a role with a rota while they are on call for it or nobody is.",
    ),
    Promise(
        "notify.resent",
        _NOTIFY,
        "What was given up is listed with why, and goes on its way again, under the id it had, when an administrator says so.",
    ),
    Promise(
        "notify.signed",
        _NOTIFY,
        "A webhook's message is signed over its id, its time and every byte of it.",
    ),
    Promise(
        "notify.no_secret",
        _NOTIFY,
        "No secret of a channel stands in a file, and none in a log, an error or a message.",
    ),
    # -- budgets ---------------------------------------------------------------------------------------------------------
    Promise("budget.limit_lowered", _BUDGET, "Lowering a limit takes nothing back; it only lets nothing new in."),
    Promise(
        "budget.exact",
        _BUDGET,
        "What ends without an effect gives back exactly what it reserved, and what is modified reserves what it now costs.",
    ),
    Promise(
        "tree.reserved",
        _TREE,
        "A limit of a task inside another is reserved there, and what is left of it goes back once.",
    ),
    Promise(
        "tree.nearest", _TREE, "A task without a limit of its own draws on the nearest task around it that has one."
    ),
    Promise(
        "tree.exact",
        _TREE,
        "A tree of tasks never spends more than its root may, whatever fails and in whatever order.",
    ),
    Promise(
        "tree.closed_with", _TREE, "What is inside a task is closed with it, and admits nothing more from that moment."
    ),
    Promise("tree.over", _TREE, "A task inside another whose program died is closed when its time is over."),
    Promise(
        "tree.bounds", _TREE, "How deep tasks nest, how many are open at once in one, and who may recur are limits."
    ),
    Promise(
        "tree.failures",
        _TREE,
        "A task that failed inside another is told to whoever leaves that one without having looked.",
    ),
    Promise("tree.gather", _TREE, "What is gathered all ends, and every failure of it is told."),
    Promise(
        "rate.exact",
        "How to set budgets and limits: rates",
        "No span as long as a rate's holds more calls than it says, whichever processes make them; what does not happen takes "
        "no room.",
    ),
    Promise(
        "rate.told", "How to set budgets and limits: rates", "A refusal says the limit and when there is room again."
    ),
    Promise(
        "budget.renews",
        _BUDGET,
        "A budget of an hour or a day refuses with what is left and when it renews, and renews then.",
    ),
    Promise("budget.release", _BUDGET, "A budget of each release begins anew with every release."),
    Promise(
        "budget.noticed",
        _BUDGET,
        "The action with which a budget is used up to its soft share says so in its entry, once.",
    ),
    Promise(
        "budget.told",
        _BUDGET,
        "Reaching a soft share makes one notice, stored with what reached it, whichever process that was in.",
    ),
    # -- models ----------------------------------------------------------------------------------------------------------
    Promise(
        "use.reserved",
        _MODELS,
        "What a model may take at most is reserved before it is asked; what it took is spent, and the rest goes back.",
    ),
    Promise(
        "use.exact", _MODELS, "Uses of many processes at once never reserve more than a budget holds, killed anywhere."
    ),
    Promise(
        "use.aliases",
        _MODELS,
        "Under whatever name a model is asked, it counts on the budget of its name in the price list.",
    ),
    Promise("use.models", _MODELS, "An agent runs on the models that its file names, and on no other."),
    Promise("use.priced", _MODELS, "Where a budget of money holds, a model whose price is not known is not asked."),
    Promise("use.more", _MODELS, "What a use took beyond what was reserved counts, and nothing new begins meanwhile."),
    Promise("use.lost", _MODELS, "A use that nobody settles in time counts as all that was reserved."),
    Promise(
        "relay.passed",
        _RELAY,
        "A question passes with every value of its body, and its answer comes back byte by byte, whole or as a stream.",
    ),
    Promise(
        "relay.clients",
        _RELAY,
        "OpenAI's own client works with another base URL and key, raises its own errors, and repeats nothing that may cost.",
    ),
    Promise("relay.keys_apart", _RELAY, "The program's token reaches no provider, and the provider's key no program."),
    Promise(
        "relay.metered",
        _RELAY,
        "What a model may take is reserved before it is asked, and settled by its provider's word.",
    ),
    Promise(
        "relay.recorded",
        _RELAY,
        "The log says who was asked and which model answered, with digests of the question and of what was given.",
    ),
    Promise(
        "relay.settled_honestly",
        _RELAY,
        "Where nobody says what an answer took, or what is said cannot be so, all that was reserved counts.",
    ),
    Promise(
        "relay.fallback",
        _RELAY,
        "Somebody else is asked only where the route says so and nothing was given yet, as a use of its own.",
    ),
    Promise("relay.budget", _RELAY, "A question that does not fit a budget is not sent, however many come at once."),
    Promise(
        "relay.deny",
        _RELAY,
        "No model is asked without a token for models, a route, and an agent that may run on it and is not stopped.",
    ),
    Promise("relay.listed", _RELAY, "A program is shown the models that its agent may run on, and no others."),
    Promise("relay.task", _RELAY, "All that one bearer asks is in one task, which says by what it was opened."),
    Promise(
        "relay.secrets", _RELAY, "Secrets in a question are masked before it leaves, or refused, as the workspace says."
    ),
    Promise(
        "relay.once",
        _RELAY,
        "A question that comes back under its idempotency key gets the first one's answer, and no model is asked again.",
    ),
    Promise(
        "relay.stopped",
        _RELAY,
        "An answer goes on only while whoever asked would be let in, in an open task, unstopped and with a budget.",
    ),
    Promise("relay.left", _RELAY, "A program that goes away ends its question at the provider, and all of it counts."),
    Promise(
        "relay.bounded",
        _RELAY,
        "Floods, silence, garbage and packed answers of a provider end within bounds, as errors of OpenAI's shape.",
    ),
    Promise(
        "use.bounds",
        _MODELS,
        "A model is asked only in an open task, by a proven instance of an active agent on which no brake stands.",
    ),
    Promise(
        "budget.records",
        _BUDGET,
        "Records an action touches are counted by kind from what its contract says it touches.",
    ),
    Promise("budget.time", _BUDGET, "Time is reserved by the contract's timeout and spent by what the action took."),
    Promise("budget.never_over", _BUDGET, "Actions of many processes at once never reserve more than a budget holds."),
    Promise(
        "budget.unknown_cost",
        _BUDGET,
        "An action whose cost does not come out as a number of units is refused, never free.",
    ),
    # -- execution -------------------------------------------------------------------------------------------------------
    Promise("steps.named", _CRASH, "Every step of the table is reached by the code, and the code reaches no other."),
    Promise("steps.crash", _CRASH, "A crash after each named step leaves nothing doubled, lost or stuck."),
    Promise("settlement.never_blind", _LIFE, "A machine never repeats what can neither be repeated nor asked."),
    Promise("settlement.asks_first", _LIFE, "Whatever has a lookup is asked before it is left to a person."),
    Promise("action.moves", _LIFE, "What may follow what is one table, complete, and nothing else is possible."),
    Promise("action.intent_first", _LIFE, "No way to `done` leads past a recorded intent to act."),
    Promise(
        "action.exactly_once",
        _LIFE,
        "Whatever fails or dies, in whatever order, an effect is in the world once or not at all, or its action says `unknown`.",
    ),
    Promise(
        "settle.person",
        "How to settle an unknown action",
        "What a person says of an unknown action, and how they know, ends it, with evidence, budget and that person's name.",
    ),
    Promise("execution.attempts", _LIFE, "After five ambiguous attempts no machine tries again."),
    Promise("execution.blind_once", _LIFE, "A blind action is attempted once."),
    Promise(
        "execution.breaker",
        _LIFE,
        "Ten unclear answers in a row stop a contract for all processes, on record, for half a minute.",
    ),
    Promise(
        "execution.by_class",
        _LIFE,
        "However a call goes wrong, its class of idempotency leaves one effect or none and an end that says which, or `unknown`.",
    ),
    Promise(
        "execution.crash",
        _CRASH,
        "A process that dies around a call is settled by another exactly as an answer that never came.",
    ),
    Promise("execution.late_answer", _LIFE, "An answer that comes late speaks for its own attempt only."),
    Promise(
        "execution.left_behind",
        _WORKER,
        "What a program leaves behind that died in a tool that only it has, any worker settles once its lease is over: by "
        "asking, or as unknown; only a program that has the tool repeats it.",
    ),
    Promise("execution.lease", _LIFE, "A lease that cannot cover the tool's timeout starts no call."),
    Promise(
        "execution.output",
        _LIFE,
        "Whatever a tool returns is recorded, and said where it is not what the contract promised.",
    ),
    Promise(
        "execution.postcondition",
        _LIFE,
        "An action whose postcondition does not hold is unknown until a person settles it.",
    ),
    Promise(
        "execution.quarantine",
        _LIFE,
        "A lookup is asked, and its no believed, only when the first attempt can no longer land.",
    ),
    Promise("execution.refusal_of_a_repeat", _LIFE, "A refused repeat says nothing of the attempt before it."),
    Promise("execution.retention", _LIFE, "A keyed action is repeated only while the target keeps the key."),
    Promise(
        "execution.zombie",
        _LIFE,
        "A process that was stopped in its call and woke after another took over leaves one effect.",
    ),
    Promise(
        "two_phase.abort",
        _LIFE,
        "What may no longer run between prepare and commit is aborted, and what was reserved is released.",
    ),
    Promise(
        "two_phase.order", _LIFE, "A two-phase action is prepared, then committed with what preparing gave, each once."
    ),
    Promise("crash.no_double", _CRASH, "A process killed at any step leaves one effect or none."),
    Promise("crash.nothing_lost", _CRASH, "A process killed at any step leaves a state from which others go on."),
    Promise("crash.undo_no_double", _CRASH, "A process killed at any step of an undo leaves one undo or none."),
    Promise(
        "crash.unknown_visible",
        _CRASH,
        "Where nobody can know whether an action happened, it says so and waits for a person.",
    ),
    # -- effectors -------------------------------------------------------------------------------------------------------
    Promise(
        "effector.http_answers",
        _CONTRACT,
        "For a tool behind HTTP a 2xx means that it landed, a refusal that nothing happened, and whatever else leaves it open.",
    ),
    Promise(
        "effector.http_request",
        _CONTRACT,
        "An action becomes one request with the path, body, key, attempt, fence and deadline that contract and call say.",
    ),
    Promise("effector.lookup_failure_is_unsure", _CONTRACT, "A lookup that fails proves nothing."),
    Promise(
        "effector.no_effect",
        _API,
        "Only a promise of the tool's own that nothing happened makes an action failed at once.",
    ),
    Promise("effector.no_path_escape", _CONTRACT, "No argument can leave its place in the path of a request."),
    Promise("effector.not_begun", _CONTRACT, "A call that was never begun did not happen, and never begins later."),
    Promise("effector.own_answer", _CONTRACT, "An answer is never taken for that of another call."),
    Promise(
        "effector.secrets_from_environment",
        _CONTRACT,
        "`${NAME}` in a header is read from the environment of the process that calls, and never stored or repeated.",
    ),
    Promise(
        "effector.target_missing",
        _CONTRACT,
        "A tool that cannot be found is the operator's fault, is named, and is not called.",
    ),
    Promise(
        "effector.timeout",
        _CONTRACT,
        "A call that does not answer within the contract's timeout is answered for, as unsure.",
    ),
    Promise(
        "effector.unsure_by_default",
        _CONTRACT,
        "Whatever a tool does that is neither an answer nor a promise leaves it open whether it happened.",
    ),
    # -- store -----------------------------------------------------------------------------------------------------------
    Promise("store.waiting_is_free", _MACHINE, "What waits costs no writes."),
    Promise(
        "store.unsure",
        _MACHINE,
        "Where nobody knows whether a change was stored, it is read before anything is said or done.",
    ),
    Promise("store.too_new", _BACKUP, "A file of a newer version is refused and not touched."),
    Promise("store.tenants_apart", _MACHINE, "Tenants of one file have each their own records, keys, claims and log."),
    Promise(
        "store.survives_kill",
        _MACHINE,
        "What the store said is stored is stored, whole, whenever its process is killed.",
    ),
    Promise("store.read_only", _BACKUP, "A file or folder that may not be written is refused at opening."),
    Promise(
        "store.processes_share",
        "Decisions: two file locks make a turnstile",
        "Several processes share one file, and every change counts once.",
    ),
    Promise(
        "store.nobody_starves",
        "Decisions: two file locks make a turnstile",
        "However busily others write, each change is stored within a second.",
    ),
    Promise("store.migrates", _BACKUP, "An older file is brought up to date with all that is in it."),
    Promise(
        "store.full_disk",
        _BACKUP,
        "On a full disk changes are refused, what was stored stays readable, and with room the store goes on.",
    ),
    Promise(
        "store.fault_pairs",
        _MACHINE,
        "Whichever write fails, stored or not, nothing is doubled or lost and the gate stays closed until the store works.",
    ),
    Promise("store.corrupt", _BACKUP, "A file that is damaged or not ours is refused and not touched."),
    Promise(
        "store.busy", _BACKUP, "Who waits for a store that somebody else holds is told in time, and nothing was stored."
    ),
    Promise("store.all_or_nothing", _MACHINE, "A change is stored whole or not at all."),
    Promise(
        "store.compare_and_set",
        _MACHINE,
        "A record is saved only if it is still as it was read.",
    ),
    Promise(
        "store.one_action_per_idempotency_key",
        _MACHINE,
        "There is one action to an agent's idempotency key.",
    ),
    Promise(
        "store.one_claimer_each",
        _MACHINE,
        "Due work goes to one claimer for as long as its lease runs.",
    ),
    # -- erasure ---------------------------------------------------------------------------------------------------------
    Promise(
        "erasure.gone",
        _VAULT,
        "What is erased is gone in every process, and what stands beside it is as it was before.",
    ),
    Promise(
        "erasure.proof_stays",
        _VAULT,
        "After an erasure the log verifies, and says which clear texts went with it and whose not.",
    ),
    Promise(
        "erasure.key_stays_used",
        _VAULT,
        "The idempotency key of an erased action stays used: a repeat executes nothing.",
    ),
    Promise("erasure.no_trace", _VAULT, "No key and no clear text of what was erased is in any byte of any file."),
    Promise(
        "erasure.replayed",
        _VAULT,
        "Restored from before an erasure, store and vault are erased again before anything is read.",
    ),
    Promise(
        "erasure.crash",
        _VAULT,
        "A process killed at any step of an erasure leaves nothing erased, or the next start ends it.",
    ),
    Promise(
        "erasure.again",
        _BACKUP,
        "What was restored whole from before erasures is erased again by a list of them that was kept outside, once.",
    ),
    Promise(
        "erasure.looked_once",
        _VAULT,
        "What a vault knows to be erased is looked for in a store once, in one reading, however many share the vault.",
    ),
    Promise(
        "erasure.again_whole", _BACKUP, "A list of erasures from which some were taken is never carried out as whole."
    ),
    Promise("erasure.again_believed", _BACKUP, "A list of erasures that this log did not sign destroys nothing."),
    Promise("erasure.late", _VAULT, "What is recorded about something after it was erased says nothing private of it."),
    Promise(
        "erasure.open_words", _VAULT, "No words of a caller's own stand in the open, where no erasure could take them."
    ),
    Promise(
        "erasure.agents",
        _ERASE,
        "Why an agent was suspended or retired goes with a person whom it names, and the agent stays as it is.",
    ),
    Promise("erasure.brakes", _ERASE, "Words of a brake that name the person go with them, and the brake stands."),
    Promise(
        "erasure.scheduled",
        _ERASE,
        "What is over the time of its class is proposed by a worker, once, and goes when two persons agree.",
    ),
    Promise(
        "loss.acknowledged",
        _BACKUP,
        "What is lost and acknowledged is told as that by every verifier, and what is lost later is found again.",
    ),
    Promise("loss.two_persons", _BACKUP, "A loss is acknowledged by two persons, and only of what is lost."),
    Promise("erasure.logs_quote_nothing", _ERASE, "What a worker logs quotes no private value of an action."),
    Promise("erasure.two_persons", _ERASE, "Nothing is erased by one person alone, or by anybody unknown."),
    Promise("erasure.subject", _ERASE, "What is about a person goes, and nothing that is about another."),
    Promise(
        "erasure.agreed_is_erased", _ERASE, "What was proposed is what goes: what came after it is left, and named."
    ),
    Promise(
        "erasure.repeat_names_nobody",
        _ERASE,
        "A refused repeat of an erased action opens no task in the person's name.",
    ),
    Promise(
        "erasure.sign_in",
        _ERASE,
        "How a person signs in, and their keys, are erased once they hold no role, and nobody takes them for somebody new.",
    ),
    Promise(
        "erasure.agent_keys",
        _ERASE,
        "Keys by which agents worked for a person are erased with them; one that counts is named as still needed.",
    ),
    Promise("erasure.words_beside", _ERASE, "What people wrote beside it goes too, from the log's entries as well."),
    Promise("erasure.unsettled_stays", _ERASE, "What somebody still needs is left, and named."),
    Promise("erasure.hold", _ERASE, "While a legal hold names it nothing is erased."),
    Promise("erasure.retention", _ERASE, "Of a class goes what ended longer ago than its time, and no more."),
    Promise("erasure.no_digest", _ERASE, "No entry has a digest of anything private that could be guessed back."),
    Promise(
        "erasure.loss_is_found", _VAULT, "What is gone without an erasure that the log tells of is found, and named."
    ),
    # -- the vault -------------------------------------------------------------------------------------------------------
    Promise(
        "vault.keys",
        _VAULT,
        "A key of the vault is given once, opens what it sealed, and is bound to what that is about.",
    ),
    Promise(
        "vault.sealed",
        _VAULT,
        "What may be personal or secret can be read in no byte of the store, and by nobody without the vault.",
    ),
    Promise(
        "vault.swept",
        _VAULT,
        "A store that an earlier version wrote in the clear is sealed when it is opened, down to the last byte.",
    ),
    Promise(
        "vault.forgets", _VAULT, "A shredded key cannot be derived from anything that is left, and every other one can."
    ),
    Promise(
        "vault.no_trace",
        _VAULT,
        "No key, and no secret above a shredded one, is left in any byte of the vault's files.",
    ),
    Promise("vault.old_copies", _VAULT, "After an erasure no older copy of the vault's file can be read."),
    Promise(
        "vault.crash",
        _VAULT,
        "A process killed at any step of exchanging the key over the keys leaves a vault that works.",
    ),
    # -- evidence --------------------------------------------------------------------------------------------------------
    Promise(
        "log.agrees",
        _PROVEN,
        "Whatever fails or dies, log and store tell the same of every action, and the log verifies.",
    ),
    Promise(
        "evidence.always_recordable",
        _PROVEN,
        "What cannot be written down is recorded as left out, with the reason, and stops nothing.",
    ),
    Promise(
        "evidence.body_cannot_speak_for_the_gate",
        _PROVEN,
        "Nothing in an entry's body can stand for what the gate says of it.",
    ),
    Promise(
        "evidence.checkpoints_signed", _PROVEN, "Every checkpoint is a note signed by the log, over its size and root."
    ),
    Promise(
        "evidence.commitment_binds",
        _PROVEN,
        "A commitment opens to one name and one value, behind a salt that cannot be guessed.",
    ),
    Promise(
        "evidence.entries_signed",
        _PROVEN,
        "Every entry is a DSSE envelope around an in-toto Statement, signed by the gate.",
    ),
    Promise(
        "evidence.both_verifiers",
        "How to verify the log: the whole log",
        "Both verifiers name the same first entry where a gate's key signed what cannot be, and find nothing in what is so.",
    ),
    Promise("evidence.envelope_one_form", _PROVEN, "An envelope has one written form, and any other is refused."),
    Promise("evidence.erasure_keeps_proof", _PROVEN, "With every clear text erased the log verifies as before."),
    Promise(
        "evidence.insider_found",
        _THREAT,
        "A gap in a stream or an action and a false commitment show even where the gate itself signed them.",
    ),
    Promise(
        "evidence.key_errors",
        _BACKUP,
        "A key that is missing, damaged, readable by others or of another pair is named, and nothing runs.",
    ),
    Promise(
        "evidence.foreign_programs",
        _PROVEN,
        "Programs that are not ours find log, proofs, entries and disclosures good, and reject each that was worked on.",
    ),
    Promise(
        "battery.parsers",
        _THREAT,
        "Whatever bytes a parser of the evidence is given, it reads them or refuses them in words, within bounds.",
    ),
    Promise(
        "battery.bytes",
        _THREAT,
        "Any byte of the log, of a packet, of a proof or of a key file that is changed is found.",
    ),
    Promise(
        "battery.rows",
        _THREAT,
        "Rows dropped, exchanged, doubled, moved or cut, a file emptied, keys exchanged and histories made anew are found.",
    ),
    Promise(
        "battery.words",
        _THREAT,
        "A word that was put under other arguments, moved, repeated or made up in the store lets nothing run.",
    ),
    Promise("battery.probes", _THREAT, "What other gates let through when they were tried, this one does not."),
    Promise("evidence.keys_kept", _BACKUP, "Keys are never overwritten."),
    Promise(
        "evidence.keys_private",
        _BACKUP,
        "Private keys are their owner's alone, whatever the umask.",
    ),
    Promise("evidence.log_only_grows", _PROVEN, "The log is only ever added to, entry after entry."),
    Promise("evidence.one_log_key", _PROVEN, "A log goes on only with the key it is at."),
    Promise(
        "evidence.packet_offline",
        _PROVEN,
        "An action's packet verifies with the public keys alone, and no byte of it can change unseen.",
    ),
    Promise(
        "evidence.private_committed",
        _PROVEN,
        "Values that may be personal or secret stand in no leaf, only commitments to them.",
    ),
    Promise(
        "evidence.rollback_found",
        _THREAT,
        "A log that was put back to an earlier state does not continue a checkpoint that was kept.",
    ),
    Promise("evidence.same_transaction", _PROVEN, "A fact is stored in the transaction of the state that it is about."),
    Promise("evidence.store_agrees", _PROVEN, "A state in the store that the log does not tell of is found."),
    Promise(
        "evidence.tampering_found",
        _THREAT,
        "A byte changed in any entry, tile or checkpoint is found, and the first finding says where.",
    ),
    Promise("evidence.verify_complete", _PROVEN, "An untouched log verifies with every signature checked."),
    Promise(
        "log.history_cannot_be_edited",
        _PROVEN,
        "No proof can make a log whose history was edited continue the one before.",
    ),
    Promise(
        "log.parsers_closed",
        _THREAT,
        "Whatever bytes a stranger sends as a note, proof, envelope, bundle or disclosure, they have one reading or are refused.",
    ),
    Promise(
        "log.proof_offline",
        _PROVEN,
        "From a proof file and the log's public key alone an entry is shown to be in the log, and nothing else is.",
    ),
    Promise("log.tiles_are_c2sp", _PROVEN, "The log's tiles have the paths, widths and hashes of C2SP tlog-tiles."),
    Promise("log.tree_is_rfc6962", _PROVEN, "Roots and proofs are those of RFC 6962."),
    # -- files -----------------------------------------------------------------------------------------------------------
    Promise(
        "adopt.finds_servers",
        _ADOPT,
        "The servers of every client's configuration are found, and how they are reached.",
    ),
    Promise(
        "adopt.finds_tools", _ADOPT, "The tools of a program are found in each framework, by name, arguments and place."
    ),
    Promise(
        "adopt.holds",
        _ADOPT,
        "What is written for what was found passes `check`, in shadow, every guess marked as one.",
    ),
    Promise(
        "adopt.injects_nothing",
        _ADOPT,
        "No name and no words of what was found write a field, a file or a line of their own.",
    ),
    Promise(
        "adopt.overwrites_nothing",
        _ADOPT,
        "A workspace is there as a whole or not at all, and nothing is written over.",
    ),
    Promise(
        "adopt.connects",
        _ADOPT,
        "Servers are begun or reached where somebody says so; what they offer is accepted and guessed.",
    ),
    Promise(
        "adopt.rewrites_safely", _ADOPT, "A client's configuration is changed at once, and is kept beside as it was."
    ),
    Promise(
        "adopt.shadow",
        _ADOPT,
        "What is adopted acts on nothing until its stage is raised; what it would have done is on record.",
    ),
    Promise("adopt.runs_nothing", _ADOPT, "What is looked at is read; it is neither run nor imported."),
    Promise(
        "adopt.stays_inside",
        _ADOPT,
        "Looking follows no link out of the project, waits for nothing, and ends, whatever it holds.",
    ),
    Promise("adopt.hides_secrets", _ADOPT, "No secret of a configuration is copied: a variable stands in its place."),
    Promise("adopt.guess_never_light", _ADOPT, "A tool that may act is never guessed to read."),
    Promise(
        "adopt.guess_only_graver", _ADOPT, "What a tool says of itself makes the guess about it graver, never lighter."
    ),
    Promise(
        "gateway.conforms",
        _PEERS_MCP,
        "What a server passes of the protocol's conformance suite by itself, it passes through the gateway.",
    ),
    Promise(
        "gateway.conforms_to_servers",
        _PEERS_MCP,
        "What the protocol's conformance suite asks of clients, as far as it applies to Interlock towards servers, passes.",
    ),
    Promise("gateway.inspector", _PEERS_MCP, "The MCP Inspector lists and calls tools through the gateway."),
    Promise(
        "gateway.real_servers",
        _PEERS_MCP,
        "Servers that others made are listed, read and written to through the gateway, in both eras.",
    ),
    Promise(
        "workspace.init_passes_check",
        "README: put it under an agent",
        "What `interlock init` makes passes `interlock check` without a warning.",
    ),
    Promise(
        "workspace.any_text_is_read",
        "Workspace files",
        "Whatever is in a file, reading it gives values or problems with their places, and never fails otherwise.",
    ),
    Promise(
        "workspace.every_problem_with_its_place",
        "Workspace files",
        "What is wrong in a file is said with line and column.",
    ),
    Promise(
        "tau2.as_recorded",
        "Contributing: daily commands",
        "Every call of the public benchmark ends through the gate as the benchmark recorded it.",
    ),
    Promise(
        "tau2.equals_direct_run",
        "Contributing: daily commands",
        "Through the gate the benchmark's database ends as in a run without it.",
    ),
    Promise(
        "tau2.rules_refuse",
        "Contributing: daily commands",
        "Each hard rule of the benchmark refuses its violation alone.",
    ),
    Promise(
        "tau2.undo_restores",
        "Contributing: daily commands",
        "Undoing a task of the benchmark, or all a release did, restores the database byte for byte.",
    ),
    # -- brakes ----------------------------------------------------------------------------------------------------------
    Promise(
        "brakes.scopes",
        _BRAKES,
        "A brake holds everything in its scope and nothing else: everything, a tenant, agent, release, contract, cohort, running "
        "process, task with its sub-tasks, or person.",
    ),
    Promise(
        "brakes.modes",
        "How to stop an agent: three modes",
        "A stop decides and dispatches nothing, a pause dispatches nothing and loses nothing, a drain takes nothing new and "
        "finishes what was accepted; each is asked at the decision and again at dispatch.",
    ),
    Promise(
        "brakes.approvals",
        "How to stop an agent: three modes",
        "A yes that comes while a brake holds is kept, and carried out when the brake lets it.",
    ),
    Promise("brakes.user", _BRAKES, "Whom a brake on a person is on stands in sealed words alone."),
    Promise("brakes.listed", _BRAKES, "What each brake holds back right now is counted."),
    Promise(
        "brakes.processes",
        _BRAKES,
        "Once a stop is committed no process begins another call in its scope, whatever is under way, at the decision, at "
        "dispatch, in two phases or after an approval; and a stop whose process dies holds or was never pulled.",
    ),
    Promise(
        "breaker.shared",
        _BREAKER,
        "All processes count unclear answers of a contract and of its target together, each in the commit that records it, and "
        "heed what any of them opened.",
    ),
    Promise(
        "breaker.probe",
        _BREAKER,
        "When a breaker's pause is over exactly one call of all processes is let through; its answer closes the breaker or opens "
        "it for longer, and one that dies is replaced when its time is over.",
    ),
    Promise(
        "drill.measured",
        _DRILL,
        "A drill stops its scope for real, and records how long after the brake's commit the last dispatch began and ended.",
    ),
    Promise(
        "drill.lifted",
        _DRILL,
        "However a drill ends, its brake is lifted on record: by itself, or by a worker once its time is over.",
    ),
    # -- orders ----------------------------------------------------------------------------------------------------------
    Promise(
        "release.behaviour",
        "Glossary: release",
        "Whatever makes an agent act differently makes another release, and how far it may go does not.",
    ),
    Promise("registry.whole", _ORDERS, "A workspace is brought into force whole or not at all."),
    Promise("registry.stop_exists", "How to stop an agent", "A brake on something that does not exist is an error."),
    Promise(
        "registry.recorded",
        _ORDERS,
        "Every change of what is in force is an entry of the log, and none is lost to another.",
    ),
    Promise(
        "registry.race", _ORDERS, "Of two who apply at once each applies its whole workspace, and both are on record."
    ),
    # -- tasks -----------------------------------------------------------------------------------------------------------
    Promise("task.release", "Glossary: release", "A task keeps the release it was opened under."),
    Promise(
        "task.misspelt",
        "Bound what a person may lend",
        "A tool, an argument or a kind of records that there is not is refused when a task is given or forbidden it.",
    ),
    Promise("task.narrows", _BUDGET, "A task inside a task may be narrower and never wider."),
    Promise(
        "task.closed_once",
        "How to set budgets and limits: see and end a task",
        "Whoever closes a task, and whatever fails or dies meanwhile: it is closed and recorded as closed once, or not at all.",
    ),
    Promise(
        "task.seen",
        "How to set budgets and limits: see and end a task",
        "Every open task is listed with whom it is for, until when, and what is left of its budgets, and a person can end it.",
    ),
    Promise(
        "run.no_end_without_end",
        "What is proven: what it does not show",
        "A run that was killed is known as far as it goes; only one whose end is recorded counts as ended.",
    ),
    Promise(
        "cli.keys_given",
        "The command line: keys, times and files",
        "Wherever a command takes a public key it takes the key's line or the file that holds it, and no gate's key for a log's.",
    ),
    Promise(
        "cli.exit_codes",
        "The command line: exit codes",
        "A mistake of one kind ends with one exit code, whichever command it was made in.",
    ),
    Promise(
        "audit.query_hostile",
        "How to audit: ask the evidence",
        "Whatever agents write, whoever writes meanwhile, whatever became of the index: the answer is right, or an error.",
    ),
    Promise("task.bounds", _BUDGET, "A task lasts no longer than its agent's file allows."),
    # -- undo ------------------------------------------------------------------------------------------------------------
    Promise("undo.window", _UNDO, "The window in which an action can be undone holds for retries too."),
    Promise("undo.scope_closed", _UNDO, "A scope that is being undone is closed to new actions first."),
    Promise("undo.reverse_order", _UNDO, "What was done in a scope is undone in the reverse order of its effects."),
    Promise(
        "undo.tree",
        _UNDO,
        "Undoing a task undoes everything inside it, of whatever agent, last effect first, whoever dies on the way.",
    ),
    Promise("undo.once", _UNDO, "A scope that is asked for twice is undone once."),
    Promise("undo.not_of_an_undo", _UNDO, "An undo is not itself undone."),
    Promise("undo.key", _UNDO, "No idempotency key an agent can choose keeps its actions from being undone."),
    Promise("undo.in_flight", _UNDO, "What is in flight when its scope is undone is undone when it lands."),
    Promise("undo.gated", _UNDO, "Every undo is an action of its own, with a decision and evidence of its own."),
    Promise("undo.denied", _UNDO, "An undo that policy denies or a person rejects leaves the original saying so."),
    Promise("undo.closed_task", _UNDO, "Once a closed task is being undone, what still waits in it is voided."),
    Promise("undo.brakes", _UNDO, "Brakes do not hold undos back."),
    Promise(
        "undo.blocks",
        _UNDO,
        "An undo that failed or is unknown blocks the ones before it and says why, until a person has dealt with it.",
    ),
    Promise("undo.asked", _UNDO, "Only what was done can be undone, and asking for anything else is an error."),
    Promise("undo.approver", _UNDO, "An undo whose reversal names an approver waits for that role."),
    # -- workers ---------------------------------------------------------------------------------------------------------
    Promise(
        "worker.store",
        _WORKER,
        "A store that is not sure whether it stored something does not end a worker, and doubles nothing.",
    ),
    Promise("worker.poison", _WORKER, "An action that cannot be driven stops no other."),
    Promise("worker.places", _WORKER, "What a process cannot reach is left to one that can."),
    Promise("worker.idle", _WORKER, "A worker that waits only for people is idle."),
    Promise("worker.fair", _WORKER, "A long undo keeps no other work waiting."),
    Promise("worker.drives", _WORKER, "Whatever is due is driven once, by however many workers."),
    Promise("race.once", _CRASH, "Agents, workers and people racing on one file do each action exactly once."),
    Promise(
        "demo.assistant_through_gateway",
        _DEMO,
        "The shop's assistant is an MCP client that comes through the gateway with a token of the customer it helps.",
    ),
    Promise("demo.day", _DEMO, "A day of the shop ends well only when every promise was kept."),
    Promise("demo.fails_when_broken", _DEMO, "A doubled refund or a forged entry ends the day with an error."),
    Promise("demo.floor", _DEMO, "A discount below a flagship's floor is denied and its price stands."),
    Promise("demo.slow_seller", _DEMO, "Ten thousand of a slow seller are held, and nothing is ordered."),
    Promise("demo.kills_are_real", _DEMO, "The payment service is asked more often than it pays."),
    Promise(
        "demo.auditor",
        _DEMO,
        "An auditor without Interlock verifies the day's evidence, and sees an edited copy of it.",
    ),
    Promise("demo.keep", _DEMO, "A kept day can be explored, and the demo overwrites nothing."),
    Promise(
        "demo.shared_budget",
        _DEMO,
        "A team's workers pay together no more than their task was lent; the rest is refused.",
    ),
    Promise("demo.stopped", _DEMO, "While a cohort of four processes is stopped nothing happens that it does."),
    Promise("demo.payments_survive_kill", _DEMO, "A payment service killed at any moment pays each key once."),
    Promise("demo.invariants_see", _DEMO, "Each invariant of the shop sees its own kind of damage."),
    # -- command line ----------------------------------------------------------------------------------------------------
    Promise(
        "cli.check_line_and_column",
        "Workspace files",
        "`interlock check` says a mistake in any file with its line and column, and `interlock apply` refuses it.",
    ),
    Promise(
        "cli.trouble_is_named",
        "The command line: exit codes",
        "Trouble with keys, store or disk is named with what to do, nothing runs, and the exit code is the operator's.",
    ),
    Promise(
        "cli.one_json_value",
        "The command line",
        "With `--json` a command prints exactly one JSON value, an error included, and no mistake of a user gives a traceback.",
    ),
    Promise(
        "cli.journey",
        "The command line",
        "Every command works in the order in which a person meets it, from an empty folder to a verified log.",
    ),
    # -- policy tests ----------------------------------------------------------------------------------------------------
    Promise(
        "policy.tests_run_on_both_engines",
        "How to test a policy",
        "Every policy test is run on both engines, and fails where they disagree, whatever it expects.",
    ),
    Promise(
        "policy.threshold_edit_breaks_a_test",
        "How to test a policy",
        "An edit that changes what a test expects fails that test, and keeps the policies out of force.",
    ),
    Promise(
        "policy.capability_permitted",
        "How to test a policy",
        "A capability that no policy permits is told by `interlock check`, where it is written.",
    ),
    Promise(
        "policy.tests_ask_as_the_gate",
        "How to test a policy",
        "A policy test that says its stage expects what the gate would decide, with what the agent's file asks.",
    ),
    Promise(
        "policy.coverage_gate",
        "How to test a policy",
        "A policy that no test makes true, or a failing test, keeps a workspace out of force unless it says otherwise.",
    ),
    Promise(
        "policy.test_files_with_places",
        "How to test a policy",
        "Whatever is wrong in a policy test's file is said with line and column and the nearest spelling.",
    ),
    Promise(
        "policy.starters_are_tested",
        "How to begin with tested policies",
        "What `interlock policy new` writes passes its check and its tests, which make each policy true, on both engines.",
    ),
    Promise(
        "policy.matrix_has_a_test_a_cell",
        "How to begin with tested policies: the oversight matrix",
        "Every cell of the oversight matrix is decided as its table says, before any contract of its kind exists.",
    ),
    # -- parsed facts ----------------------------------------------------------------------------------------------
    Promise(
        "parsing.domains",
        _PARSED,
        "A domain is read of a recipient argument if and only if a recipient has it; what is no plain address denies.",
    ),
    Promise(
        "parsing.hosts",
        _PARSED,
        "A URL whose host two programs could read differently is not read, and denies.",
    ),
    Promise(
        "parsing.change",
        _PARSED,
        "A change in thousandths is rounded away from zero, so that no limit is undercut.",
    ),
    Promise(
        "parsing.sql",
        _PARSED,
        "Of SQL every statement's kind is found, also inside another, or the text is not read and denies.",
    ),
    Promise(
        "parsing.unreadable_denies",
        _PARSED,
        "A parsed fact that cannot be read denies the action, with a reason that names the argument and not its value.",
    ),
    Promise(
        "parsing.asked_again",
        _PARSED,
        "Parsed facts are kept with the action as private values, so that its decision can be asked again without a parser.",
    ),
    Promise(
        "sdk.confidence",
        "How to decide on parsed facts: how sure the agent is",
        "`confidence=` is the agent's own word, recorded as such, and never taken for an argument of the tool.",
    ),
    Promise(
        "whatif.looser_exactly",
        "How to see what would change: what looser means",
        "Looser is exact: a decision that asks less in any respect is loosened, one that only asks more never is, "
        "and identical ones differ nowhere.",
    ),
    Promise(
        "library.as_the_command_line",
        "The Python API: policies",
        "A program can do with policies what the command line can, by the same code and with the same answers.",
    ),
    Promise(
        "store.unreadable_is_named",
        _API,
        "A stored record that cannot be read is named by an error that says what to do, and ends the program with 4.",
    ),
    Promise(
        "store.readable_again",
        _API,
        "A record that could not be read again once it is stored is not stored, and nothing of its change is.",
    ),
    Promise(
        "library.typed_at_the_edge",
        _API,
        "An argument of another type than a public method asks for, or out of its bounds, is refused under its name, and "
        "nothing is written.",
    ),
    Promise(
        "library.everywhere",
        "The Python API: policies",
        "Every tool for policies works on the policies of the shop and of a public retail benchmark.",
    ),
    Promise(
        "whatif.same_question",
        "How to see what would change: what was done",
        "Recorded decisions are put to two bundles as the very same questions, through the code that "
        "decides, and whatever cannot be asked again is counted with its reason.",
    ),
    Promise(
        "whatif.consent",
        "How to see what would change: whose consent it needs",
        "Loosening what cannot be undone, or what is of high or critical risk, is listed apart "
        "with the owner whose consent it needs.",
    ),
    Promise(
        "whatif.no_loosening_missed",
        "How to see what would change: what could be done",
        "Where the search says that no request is treated more loosely, there is none that evaluates; "
        "what it finds is put to both engines before it is believed.",
    ),
    Promise(
        "whatif.invariants",
        "How to see what would change: prove what must always hold",
        "An invariant is proved over all requests there could be, or refuted with one.",
    ),
    Promise(
        "log.published_whole",
        _SHOWN,
        "Whatever dies while the log's files are published, and whenever, the checkpoint that is shown has every tile "
        "and every entry it covers beside it.",
    ),
    Promise(
        "log.shows_nothing_wrong",
        _SHOWN,
        "Nothing is shown of a log whose entries, tiles and signed checkpoint do not belong together.",
    ),
    Promise(
        "log.shows_one_history",
        _SHOWN,
        "Once a checkpoint is shown, another history, a shorter one included, is never shown in its place, however many "
        "publish at once.",
    ),
    Promise(
        "log.served",
        _SHOWN,
        "Everything that a reader of the log needs is served as the format has it: what never changes to be kept for ever, "
        "the checkpoint to be asked for again.",
    ),
    Promise(
        "log.serves_nothing_else",
        _SHOWN,
        "Nothing but the log's files can be had from its server, under one spelling each; nothing can be written, and no "
        "error says what is behind it.",
    ),
    Promise(
        "log.entry_proof",
        _SHOWN,
        "A proof of one entry is checked with two public keys and nothing else; one that was changed is refused, and a "
        "damaged log gives none.",
    ),
    Promise(
        "log.continues",
        _SHOWN,
        "A log is proven to begin with any of its pasts, and one that begins otherwise or is shorter than a kept checkpoint "
        "is named.",
    ),
    Promise(
        "audit.verified_alone",
        _AUDIT + ": check it without us",
        "An export is verified by one file that needs the standard library and PyNaCl, and nothing of ours.",
    ),
    Promise(
        "audit.trust_is_brought",
        _AUDIT + ": check it without us",
        "The keys of an export prove nothing about it: without a key of the auditor's own it is never said to verify.",
    ),
    Promise(
        "audit.tampering_found",
        _AUDIT + ": check it without us",
        "Whatever is changed, left out, added, renumbered or signed by another key is found, and the first of it is named.",
    ),
    Promise(
        "audit.disclosures",
        _AUDIT + ": check it without us",
        "A clear text counts only where it was committed to, and one that should be there and is not was erased under an entry.",
    ),
    Promise(
        "audit.keys_followed",
        _AUDIT + ": check it without us",
        "Keys are followed from one that is trusted through changes that the old key and the new one signed, and none counts "
        "outside of its time.",
    ),
    Promise(
        "audit.quorum",
        _AUDIT + ": check it without us",
        "Where witnesses are asked for, a quorum of them has seen the log, and recently where that is asked for, too.",
    ),
    Promise(
        "audit.time_sandwich",
        _AUDIT + ": check it without us",
        "An entry whose time contradicts the anchors around it is found, and an anchor over another log, too.",
    ),
    Promise(
        "audit.bad_input",
        _AUDIT + ": check it without us",
        "Hostile exports end in a verdict or a typed refusal, in bounded memory, and lead nowhere outside of themselves.",
    ),
    Promise(
        "audit.readable",
        "The format of an export: lists",
        "Each figure that people read in an export is computed again from its log; what is left for reading alone is named.",
    ),
    Promise(
        "audit.sealed",
        "The format of an export: the signature of the whole",
        "An export is signed as a whole: what was taken out of it, put into it or changed on its way is found.",
    ),
    Promise(
        "audit.archive",
        "The format of an export: the archive",
        "An archive that other programs could unpack to other files than were verified is refused.",
    ),
    Promise(
        "audit.export_whole",
        _AUDIT + ": hand the evidence over",
        "An export appears complete or not at all, replaces nothing, and holds no clear text that was not asked for.",
    ),
    Promise(
        "evidence.runs",
        "The format of the evidence: runs",
        "A run is told with its beginning, its end and its count; what comes after the end, or does not fit the count, is found, "
        "and a run without an end is named as a prefix.",
    ),
    Promise(
        "sdk.said_beside",
        "How to use it from a program: what the agent expects, and which trace it belongs to",
        "What an agent says of figures and trace is recorded as its own word, and nothing is decided by it.",
    ),
    Promise(
        "evidence.packet_complete",
        "The format of the evidence: what the entries of an action say",
        "A packet tells request, behaviour part by part, on whose behalf, decision and what it leaned on, budgets, people's "
        "words, effect and way back.",
    ),
    Promise(
        "evidence.said_once",
        "The format of the evidence: what the entries of an action say",
        "What an entry of an action said, no later one says again.",
    ),
    Promise(
        "evidence.whose_word",
        "The format of the evidence: what the entries of an action say",
        "Every field that is not the gate's own observation is named with whose word it is.",
    ),
    Promise(
        "evidence.agreement_follows",
        "The format of the evidence: what the entries of an action say",
        "Whether an effect agrees with the decision follows from the two, at every end an action can come to.",
    ),
    Promise(
        "audit.query_exact",
        _AUDIT + ": ask the evidence",
        "The index finds exactly the actions that looking at every entry would, newest first.",
    ),
    Promise(
        "audit.query_derived",
        _AUDIT + ": ask the evidence",
        "The index is made from the log alone: lost, damaged or over another log, it is made again and answers the same.",
    ),
    Promise(
        "audit.query_forgets",
        _AUDIT + ": ask the evidence",
        "No name of a person or record stands in the index, and what it is told to forget is found by neither any more.",
    ),
    Promise(
        "audit.touches",
        "Workspace files: contracts",
        "A contract names the records that an action touches by its arguments, or is refused.",
    ),
    Promise(
        "keys.introduced",
        "How to rotate keys",
        "The first entry of a log introduces its keys, and no later one can.",
    ),
    Promise(
        "keys.followed",
        "How to rotate keys",
        "Who trusts any key of a log can follow its keys to all others, in the log and in a packet, and to no stranger.",
    ),
    Promise(
        "keys.endorsed",
        "How to rotate keys",
        "A key replaces another only where both have signed that, for that place in that log.",
    ),
    Promise(
        "keys.retained",
        _BACKUP,
        "A checkpoint that was kept says what its signature means where the log was restored from before a change of keys.",
    ),
    Promise(
        "keys.windows",
        "How to rotate keys",
        "A key signs only what lies between the entry that put it in force and the one that replaced it.",
    ),
    Promise(
        "keys.stolen_old_key",
        "How to rotate keys",
        "A key that was replaced deceives nobody who trusts one of its successors.",
    ),
    Promise(
        "keys.old_refused",
        "How to rotate keys",
        "From the moment a key is replaced, every process that holds the old one is refused.",
    ),
    Promise(
        "erasure.behind",
        "How to back up and restore: restore",
        "A store older than an erasure its vault knows of says so to whoever looks, and what records it again.",
    ),
    Promise(
        "keys.people",
        "How to rotate keys: replace them",
        "Keys are replaced, retired, recovered and restored only by somebody named in people.yaml.",
    ),
    Promise(
        "keys.suspect",
        "How to rotate keys: a key that may have been lost",
        "What a key signed after it was declared lost is named by every verification.",
    ),
    Promise(
        "keys.recovered",
        "How to rotate keys: when it was interrupted",
        "Wherever a rotation dies, it is ended or undone going by the log, and no key that the log is at is lost.",
    ),
    Promise(
        "keys.backup",
        "How to rotate keys: back up and restore",
        "A backup opens with its passphrase only, unaltered, restores exactly the signing keys, and replaces nothing.",
    ),
    Promise(
        "audit.replayed",
        _AUDIT + ": decide again",
        "A recorded decision comes out again from the record by the policies that made it, or it is said what differs; what the "
        "policies in force say otherwise is told with its reason.",
    ),
    Promise(
        "witness.cosignature",
        "How to run a witness",
        "A cosignature counts for exactly the checkpoint and the time it was made for, and for no other by a bit.",
    ),
    Promise(
        "witness.consistent",
        "How to run a witness",
        "A witness cosigns one history of a log, whoever asks for another, in whatever order and however many at once.",
    ),
    Promise(
        "witness.durable",
        "How to run a witness",
        "What a witness cosigned it remembers, before the cosignature leaves it, over restarts, kills and failing disks.",
    ),
    Promise(
        "witness.evidence",
        "How to run a witness",
        "Two checkpoints of one size that a log signed are kept, and prove the fork to anybody who knows the log's key.",
    ),
    Promise(
        "witness.quorum",
        "How to run a witness",
        "A policy is met by enough witnesses and no fewer; what is not exactly a policy is refused.",
    ),
    Promise(
        "audit.receipts",
        _AUDIT + ": read it",
        "A COSE receipt leads from its entry to the root of the export, and is signed by the log's key.",
    ),
    Promise(
        "audit.records",
        "The format of an export: agent audit records",
        "However an action went, its agent audit record is valid to a reader of that format, and signed by the log's key.",
    ),
    Promise(
        "anchor.recorded",
        "How to run a witness: anchor the log",
        "A head that the quorum cosigned is recorded with what they signed, and counts for whoever trusts them.",
    ),
    Promise(
        "anchor.quorum",
        "How to run a witness: anchor the log",
        "Fewer than the quorum anchor nothing, and count for nobody who demands more.",
    ),
    Promise(
        "anchor.alarm",
        "How to run a witness: anchor the log",
        "A log that was put back or forked since a witness saw it is an alarm at the next anchor, and none is recorded.",
    ),
    Promise(
        "anchor.sandwich",
        "How to run a witness: anchor the log",
        "An entry whose time does not lie between the anchors around it is named.",
    ),
    Promise(
        "anchor.fresh",
        "How to run a witness: anchor the log",
        "A verifier that sets a greatest age is not satisfied by an older anchor, nor by a log cut back behind a younger one.",
    ),
    Promise(
        "anchor.own_log",
        "How to run a witness: anchor the log",
        "An anchor counts only as an entry of the log it covers: moved, hidden, made up or worked on it is a finding.",
    ),
    Promise(
        "anchor.stamped",
        "How to run a witness: anchor the log",
        "A time stamp of a trusted authority over exactly this checkpoint counts, and no other does.",
    ),
    Promise(
        "keys.second",
        "How to rotate keys: a second algorithm",
        "Where there is a key of a second algorithm every checkpoint is signed under it, too, and a verifier can demand that.",
    ),
    Promise(
        "output.secrets",
        "How to filter what an agent gets back",
        "A secret of a published shape in a result, or in why a tool failed, is masked unless the contract keeps secrets.",
    ),
    Promise(
        "output.ordinary",
        "How to filter what an agent gets back",
        "A result in which nothing is found is given as the very same value.",
    ),
    Promise(
        "output.again",
        "How to filter what an agent gets back",
        "Filtering what was filtered takes nothing.",
    ),
    Promise(
        "output.personal",
        "How to filter what an agent gets back",
        "Personal data of the kinds that a contract names is masked, as far as check digits and grammar confirm it.",
    ),
    Promise(
        "output.fields",
        "How to filter what an agent gets back",
        "Members that a contract names are dropped or masked, through lists and under any name.",
    ),
    Promise(
        "output.exact",
        "How to filter what an agent gets back",
        "A server's result is filtered as the value that came, however it is written, and the rest is given exactly.",
    ),
    Promise(
        "output.named",
        "How to filter what an agent gets back",
        "A rule that names what the result schema has not is refused, with its place.",
    ),
    Promise(
        "output.refused",
        "How to filter what an agent gets back",
        "Where a contract refuses secrets the action is done and recorded as done, and the agent gets nothing of its result.",
    ),
    Promise(
        "output.linear",
        "How to filter what an agent gets back",
        "The time it takes grows with the length of the result, whatever stands in it.",
    ),
    Promise(
        "output.everywhere",
        "How to filter what an agent gets back",
        "However an action came to its end, the agent and every repeat get the filtered result.",
    ),
    Promise(
        "output.nowhere",
        "How to filter what an agent gets back",
        "What was taken is in no file of the store in clear.",
    ),
    Promise(
        "output.undo",
        "How to filter what an agent gets back",
        "An undo reads the result as it came.",
    ),
    Promise(
        "output.told",
        "How to filter what an agent gets back",
        "The outcome's entry says what was taken where, with digests before and after, which both verifiers check.",
    ),
    Promise(
        "registry.version",
        _AGENT,
        "A version of an agent is known by its digest, which a field that the file does not use is no part of.",
    ),
    Promise(
        "registry.owners",
        _AGENT,
        "With an owner who is nobody in people.yaml an agent is raised no stage, and nothing of it is escalated.",
    ),
    Promise(
        "registry.approvals",
        _AGENT,
        "The role that an agent's file asks for a contract is asked for every use of it, whatever policies say.",
    ),
    Promise(
        "bearing.key_lets_in",
        _ADMIT,
        "Whoever bears an agent key is its agent, for whom and for what the key says, within its bounds; tasks and log say so.",
    ),
    Promise(
        "bearing.secrets_kept_nowhere",
        _ADMIT,
        "A token that was borne stands in no record, entry or error, nor does what could be made into it.",
    ),
    Promise("bearing.none_other", _ADMIT, "Only the key itself lets in; whatever else is refused in the same words."),
    Promise(
        "bearing.ends",
        _ADMIT,
        "A key lets nobody in after its time, its revocation, or with its agent; what came through it ends with it.",
    ),
    Promise(
        "bearing.revoke_race",
        _ADMIT,
        "Who was let in before a revocation opens nothing after it, in whatever process.",
    ),
    Promise("bearing.surface", _ADMIT, "A token opens what it is for, and nothing else."),
    Promise(
        "bearing.throttled",
        _ADMIT,
        "After fifty tokens from one address that were none new ones are not looked at; those that count go on.",
    ),
    Promise(
        "bearing.one_form",
        _ADMIT,
        "A token is borne once, in one header; twice, in the address or in another form it is refused unread.",
    ),
    Promise(
        "bearing.faults",
        _ADMIT,
        "A store that fails while a key is made or revoked leaves one that is there and told of, or none.",
    ),
    Promise(
        "oauth.lets_in",
        _ADMIT,
        "An access token that its issuer made for exactly this resource lets a client of the file in as its agent.",
    ),
    Promise(
        "oauth.refuses",
        _ADMIT,
        "A token that is forged, endless, over, of another issuer, audience, type, algorithm or client lets nobody in.",
    ),
    Promise("oauth.scopes", _ADMIT, "Scopes open their tools and no others; who needs more is told which would do."),
    Promise(
        "oauth.records",
        _ADMIT,
        "A task gets the record that the token's subject names; a subject that would be read as a pattern names none.",
    ),
    Promise(
        "oauth.revoked",
        _ADMIT,
        "Revoking a client, an agent or a user takes the tokens that were made before, and the tasks that came of them.",
    ),
    Promise(
        "oauth.keys_bounded",
        _ADMIT,
        "An issuer's keys are asked for within bounds; while they cannot be had nobody is let in.",
    ),
    Promise("oauth.metadata", _ADMIT, "Whose tokens count is published where clients look for it, and nothing else."),
    Promise(
        "dpop.proven",
        _ADMIT,
        "A token that is bound to a key counts with a proof by that key, of this very request, and no other way.",
    ),
    Promise("dpop.once", _ADMIT, "A proof counts once, in whatever process, and never if it cannot be remembered."),
    Promise(
        "bearing.no_passing_on",
        _ADMIT,
        "What a client bears ends at the gateway: no server, record, file or answer holds it.",
    ),
    Promise(
        "upstream.credentials",
        _ADMIT,
        "A server is called by an account of our own: a token for that server, had apart, renewed before its end or once on 401.",
    ),
    Promise(
        "upstream.never_shown",
        _ADMIT,
        "Whoever asks for a call never reads the credential it is made with, not even where the server writes it back.",
    ),
    Promise(
        "bearing.streams_end",
        _ADMIT,
        "Who is not let in any more hears no more: streams that are open end within seconds.",
    ),
    Promise(
        "identity.each_call",
        "How to give an agent an identity",
        "Every action of an agent's says which running instance proved to ask for it.",
    ),
    Promise(
        "identity.credential_counts",
        "How to give an agent an identity",
        "A credential counts for its agent, tenant and release, within its hour, and for nothing else.",
    ),
    Promise(
        "identity.stolen_credential",
        "How to give an agent an identity",
        "A credential is worth nothing without the key it was given to.",
    ),
    Promise(
        "identity.replay",
        "How to give an agent an identity",
        "A proof counts once, in whatever process it comes again.",
    ),
    Promise(
        "identity.renewed",
        "How to give an agent an identity",
        "A credential is renewed by itself before it expires.",
    ),
    Promise(
        "identity.own_task",
        "How to give an agent an identity",
        "Nobody but the instance that opened a task acts in it or ends it, unless another takes it over, which the log says.",
    ),
    Promise(
        "identity.outside",
        "How to give an agent an identity",
        "From outside the process nobody acts in, ends or reads of a task not bound to it, nor is recognised by being here.",
    ),
    Promise(
        "identity.bootstrap_once",
        "How to give an agent an identity",
        "A bootstrap token lets one instance be one agent, once, in whatever processes it is shown; nothing of it is kept.",
    ),
    Promise(
        "identity.key_replaced",
        "Rotate keys",
        "Credentials by a replaced identity key count for the hour they have left, and not once it is declared lost.",
    ),
    Promise(
        "identity.vouched",
        "How to give an agent an identity",
        "A token of others lets an instance in if its issuer signed it for us, while it lasts, as the agents of its subject.",
    ),
    Promise(
        "identity.no_confusion",
        "How to give an agent an identity",
        "Which key and algorithm a token of others is checked with follows from what its issuer publishes, never from the token.",
    ),
    Promise(
        "lend.within",
        _LEND,
        "Whoever a task is handed to acts within what was handed on: tools, arguments, budgets, time.",
    ),
    Promise(
        "lend.holder",
        _LEND,
        "A task that was handed on admits calls of the key it was handed to alone, and none without its tokens.",
    ),
    Promise(
        "lend.evidence",
        _LEND,
        "The log says by which tokens a task was opened and which keys held them, and of each action in it the token.",
    ),
    Promise(
        "lend.offline",
        _LEND,
        "What was handed on without asking is opened when it first comes, once, however many come at once and wherever one dies.",
    ),
    Promise(
        "lend.narrower",
        _LEND,
        "Nobody hands on more than there is: not of an argument, a tool, a budget or of time.",
    ),
    Promise(
        "lend.forged",
        _LEND,
        "Nobody is made a delegator, or a holder, whom the control plane did not recognise as that agent.",
    ),
    Promise(
        "lend.renewed",
        _LEND,
        "Whoever holds a task shows tokens that count for as long as the task lasts.",
    ),
    Promise(
        "lend.failures",
        _LEND,
        "A failure in a task that was handed to another process reaches whoever handed it on.",
    ),
    Promise(
        "lend.revoked",
        _LEND,
        "What is revoked takes all that was handed on from it: the next call is refused anywhere, and what waits is voided.",
    ),
    Promise(
        "lend.attacks",
        _LEND,
        "The nineteen ways of making more of a token, a forged delegator and a garbage signature are refused by the gate.",
    ),
    Promise(
        "registry.states",
        _REGISTRY,
        "What is suspended begins nothing and what waits goes on waiting; of what is retired it is voided; both can be undone.",
    ),
    Promise(
        "registry.who",
        _REGISTRY,
        "Owners and operators suspend, the decision owner lets act again, and retiring takes that owner and one other person.",
    ),
    Promise(
        "registry.stays",
        _REGISTRY,
        "A state outlives the file: an agent that is taken out and comes back is as it was left.",
    ),
    Promise(
        "registry.told",
        _REGISTRY,
        "Every change of a state is an entry in the log.",
    ),
    Promise(
        "registry.crash",
        _REGISTRY,
        "However a retirement is cut short it is whole or not at all, and what waits is voided by any worker.",
    ),
    Promise(
        "registry.suspended_at_once",
        _REGISTRY,
        "Once a suspension returned nothing is decided or begun in any process.",
    ),
    Promise(
        "registry.card",
        _REGISTRY,
        "Every line of an operating contract is read from what is in force.",
    ),
    Promise(
        "registry.reader",
        _REGISTRY,
        "Whatever an agent file holds, it is read or refused with its place.",
    ),
    Promise(
        "rights.bounded",
        _RIGHTS,
        "An agent does nothing for somebody that this one may not lend, in whatever task and however deep.",
    ),
    Promise(
        "rights.nearest",
        _RIGHTS,
        "The nearest counts: what is said of a name, else of its roles together, else of its kind; others lend nothing.",
    ),
    Promise(
        "rights.at_once",
        _RIGHTS,
        "A right that was taken back is gone for what is proposed, what waits for a person and what is about to run.",
    ),
    Promise(
        "rights.published",
        _RIGHTS,
        "Rights are part of what is published: they take the people that this takes, and more of them loosens a contract.",
    ),
    Promise(
        "task.tools",
        _GIVEN,
        "A task that was given tools uses no others, and with no other arguments.",
    ),
    Promise(
        "task.data",
        _GIVEN,
        "A task that was given records touches no others: a kind, a record or a contract that is not said is refused.",
    ),
    Promise(
        "task.folders",
        _GIVEN,
        "No path leads out of a folder that a task was given, however whoever opens it reads it.",
    ),
    Promise(
        "task.narrower",
        _GIVEN,
        "A task inside another is given no more than that one, and is for the same initiator.",
    ),
    Promise(
        "task.given_private",
        _GIVEN,
        "What a task was given stands in the log behind commitments, and goes with the person it was for.",
    ),
    Promise(
        "policy.earlier_bundles",
        "The policy language: context",
        "Policies in force go on deciding under a version in which policies see more, until others are published.",
    ),
    # -- what is normal of an agent ----------------------------------------------------------------------------------
    Promise(
        "baseline.flags",
        _NORMAL,
        "What departs from an agent's baseline in force is flagged as it is decided, by what it departs in, and kept with it.",
    ),
    Promise(
        "baseline.enough",
        _NORMAL,
        "Before enough was seen of a thing nothing is flagged for it, and how much was seen is said.",
    ),
    Promise(
        "baseline.let_through",
        _NORMAL,
        "A baseline is learned from what was let through: what was refused, denied or rejected makes nothing normal.",
    ),
    Promise(
        "baseline.tested",
        _NORMAL,
        "Whoever asks what is normal is told how often it would have been wrong about the agent's own past.",
    ),
    Promise(
        "baseline.people",
        _NORMAL,
        "What is normal of an agent is put in force, and out of it, by as many people as publishing takes, on record.",
    ),
    Promise(
        "baseline.stays",
        _NORMAL,
        "A baseline stays whatever is applied, until another is learned, it is given up, or its agent goes.",
    ),
    Promise(
        "baseline.pace",
        _NORMAL,
        "A process flags an agent whose actions it decides at more than twice the pace of its busiest hour.",
    ),
    Promise(
        "baseline.first",
        _NORMAL,
        "What was unusual about an action is fixed when it is proposed, whenever people agree to it.",
    ),
    Promise(
        "baseline.owners",
        _NORMAL,
        "Where a policy on a grave contract looks at what is unusual, another baseline takes the contract's owner.",
    ),
    Promise(
        "approval.dossier",
        _PEOPLE,
        "A reviewer sees why they are asked, what will change, how like cases went and who else decides; each surface the same.",
    ),
    Promise(
        "approval.inbox",
        _PEOPLE,
        "What waits is listed by deadline, of the same minute the riskiest first on a page; paging neither repeats nor skips.",
    ),
    Promise(
        "approval.target",
        _PEOPLE,
        "A yes to critical risk types what it is about, compared exactly, whatever the surface.",
    ),
    Promise(
        "approval.shown",
        _PEOPLE,
        "A word names the digest of all that the person was shown, and the log holds what that was.",
    ),
    Promise(
        "approval.changed",
        _PEOPLE,
        "When what a contract declares to change is another by the time of the yes, the yes is refused and it is asked anew.",
    ),
    Promise(
        "approval.pace",
        _PEOPLE,
        "Nobody says yes more often than the workspace lets one person, in whatever process.",
    ),
    Promise(
        "approval.asked",
        _PEOPLE,
        "A question to the agent decides nothing; only an instance that acts in the task answers it, and once.",
    ),
    Promise(
        "approval.batch",
        _PEOPLE,
        "Only like actions below critical are decided in one go, once the one drawn was opened; no naming of sets draws another.",
    ),
    Promise(
        "approval.corrections",
        _PEOPLE,
        "What people changed, refused or noted can be exported with what came of it, and what is erased is in no export.",
    ),
    Promise(
        "approval.handed",
        _PEOPLE,
        "Whoever hands a decision on is silent until they take it back, and it never comes to whoever asked for the action.",
    ),
    Promise(
        "approval.lent",
        _PEOPLE,
        "Who holds none of the roles asked answers only where policy lets it be handed to them, in place of one who does.",
    ),
    Promise(
        "vigilance.alike",
        _NOTICE,
        "An item known to be bad has, before people, in record and log, what a real action has, and nothing else.",
    ),
    Promise(
        "vigilance.never_done",
        _NOTICE,
        "An item known to be bad is never executed and reserves nothing; the first word ends it, and is told what was wrong.",
    ),
    Promise(
        "vigilance.chance",
        _NOTICE,
        "Chance puts items before people, one at most of a contract, and only what people would be asked about.",
    ),
    Promise(
        "vigilance.told",
        _NOTICE,
        "Of items known to be bad only the measure of who spoke on them tells; no other figure, precedent or correction does.",
    ),
    # -- the doctor ------------------------------------------------------------------------------------------------
    Promise(
        "doctor.whole",
        _DOCTOR,
        "Of an installation that works the doctor says that nothing is wrong, and ends with 0.",
    ),
    Promise(
        "doctor.finds",
        _DOCTOR,
        "What is broken (keys, store, log, clock, files, worker) is found, with what mends it; the exit code says whose it is.",
    ),
    Promise(
        "doctor.every",
        _DOCTOR,
        "A probe that fails or gives no answer is a finding, and keeps no other from being asked.",
    ),
    # -- figures -----------------------------------------------------------------------------------------------------
    Promise(
        "figures.exact",
        _FIGURES,
        "Every figure is what counting all entries anew gives, whatever the steps, processes and crashes it was read in.",
    ),
    Promise(
        "figures.sure",
        _FIGURES,
        "How sure agents said they are is held against what people made of it and what became of that, tenth by tenth.",
    ),
    Promise(
        "figures.persons",
        _FIGURES,
        "No name of a person stands in the file of figures; of an erased action nobody is told to have spoken.",
    ),
    Promise(
        "figures.precedents",
        _FIGURES,
        "Like cases that people ruled on are found without reading others, the last ruling first.",
    ),
    Promise(
        "figures.warm",
        _FIGURES,
        "A page never waits for figures to be read: they are read beside it, in small steps, and it says how far.",
    ),
    # -- the console's pages ---------------------------------------------------------------------------------------
    Promise(
        "console.text",
        _CONSOLE,
        "Whatever agents wrote is text on every page: no markup of theirs, nothing that hides or turns reading round.",
    ),
    Promise(
        "console.servers",
        _CONSOLE,
        "Each tool of a server is shown as it stands beside what was accepted of it; how a server is reached, without a secret.",
    ),
    Promise(
        "console.offered",
        _CONSOLE,
        "What somebody may not do is not offered to them on a page, and refused if they ask for it all the same.",
    ),
    Promise(
        "console.for_all",
        _CONSOLE,
        "No page breaks a rule of WCAG that axe knows, in light, in the dark or on a phone, or asks another server for anything.",
    ),
    Promise(
        "console.task_times",
        _CONSOLE,
        "Of every action a task's page tells what it waited for, without a gap: people, a worker, its tool, its undo.",
    ),
    Promise(
        "console.as_shown",
        _CONSOLE,
        "A word in the console is on exactly what was shown; where that changed it is a 409 that says what is different.",
    ),
    Promise(
        "console.live",
        _CONSOLE,
        "Pages hear of what changes, on every load, and nothing that somebody types is lost to it.",
    ),
    Promise(
        "console.recomputed",
        _CONSOLE,
        "An action's evidence is recomputed on request, and what was altered is said not to verify.",
    ),
    Promise(
        "console.together",
        _CONSOLE,
        "Only what a page showed of each of several is decided on together, after one drawn by lot was shown whole.",
    ),
    Promise(
        "console.by_keyboard",
        _CONSOLE,
        "What people decide, they can decide by keyboard, where one key alone decides nothing, and without a script.",
    ),
    Promise(
        "remote.same_surface",
        _AFAR,
        "A program that opens a server's address has the outcomes, tickets, tasks and errors of one that opens the folder.",
    ),
    Promise(
        "remote.same_errors",
        _AFAR,
        "An error that a server tells is the very class, with its words and members, that it is in the server's own process.",
    ),
    Promise(
        "remote.once",
        _AFAR,
        "A request or an answer that is lost on the way is made up for without anything happening twice.",
    ),
    Promise(
        "remote.closed",
        _AFAR,
        "Where no control plane answers nothing runs, nothing is kept to be asked later, and it is said whose fault it is.",
    ),
    Promise(
        "remote.renewed",
        _AFAR,
        "A program is renewed before its credential is over, and recognised anew after; who is not recognised gets nothing.",
    ),
    Promise(
        "remote.believes_nobody",
        _AFAR,
        "Of what answers nothing is believed that is not a control plane's answer, in its form, of its size and in its time.",
    ),
    Promise(
        "remote.address",
        _AFAR,
        "A program speaks to others through TLS with a certificate that it trusts, and in the clear to its own machine alone.",
    ),
    Promise(
        "remote.any_language",
        "How to use Interlock from any language",
        "The programs that are shown, with curl and in TypeScript, enrol, act, wait for people and close, against a real server.",
    ),
    Promise(
        "remote.own_tools",
        _AFAR,
        "A tool that only a program far away has runs there, once, when the server hands out its call, to who holds the task.",
    ),
    Promise(
        "remote.many",
        _AFAR,
        "However many calls a program makes at once, from threads or a loop, each happens once, on few connections, and it is "
        "recognised once.",
    ),
    Promise(
        "remote.own_crash",
        _AFAR,
        "Whoever is killed around such a call: no blind effect twice, nothing lost, and what nobody reported is found out.",
    ),
    Promise(
        "server.every_door_asks",
        _SERVER,
        "Every route of API and console opens for those whose roles give the permission, and for nobody else.",
    ),
    Promise(
        "server.owners_consent",
        "How to publish policies: Ask the owner of what is grave",
        "An owner who publishes nothing agrees over HTTP to what loosens their contract and to nothing else, and not with a key "
        "that was made to look.",
    ),
    Promise(
        "server.proof_alone",
        _SERVER,
        "From afar an agent's program gets what its proof opens; no session, no overheard call and no word of its own gets more.",
    ),
    Promise(
        "server.key_once",
        _SERVER,
        "A request with an idempotency key is carried out once, in all processes together and after any crash.",
    ),
    Promise(
        "server.ends_well",
        _SERVER,
        "Told to end, the server finishes answers and calls of tools it began, and begins none; told twice, it ends at once.",
    ),
    Promise(
        "server.killed_between",
        _SERVER,
        "A server that is killed after it answered a yes loses nothing: the next does what was agreed to, once.",
    ),
    Promise(
        "server.shown_or_refused",
        _SERVER,
        "A word on what is no longer what was shown is refused, with the view as it now is; of two at once one counts.",
    ),
    Promise(
        "server.bounded",
        _SERVER,
        "Slow, silent and greedy clients are let go of; streams that nobody reads cost no memory that grows.",
    ),
    Promise(
        "server.one_reading",
        _SERVER,
        "A path, a header or a body that two readers could read differently, or that is too large, is refused unparsed.",
    ),
    Promise(
        "frameworks.once",
        _FRAMEWORKS,
        "A framework's call runs its function once; the same call of the same run gets its result, in whatever process.",
    ),
    Promise(
        "frameworks.own-function",
        _FRAMEWORKS,
        "Calls of one tool at once run each their own function, on the loop and in the context of whoever asked.",
    ),
    Promise(
        "frameworks.no",
        _FRAMEWORKS,
        "What is denied, unfit or in shadow never reaches a framework's function, and the model is told why and what to do.",
    ),
    Promise(
        "frameworks.default-deny",
        _FRAMEWORKS,
        "A framework's tool that no contract in force names never runs.",
    ),
    Promise(
        "frameworks.approved-arguments",
        _FRAMEWORKS,
        "What a framework's function gets are the arguments that were agreed to, never what the model said instead.",
    ),
    Promise(
        "frameworks.no-id",
        _FRAMEWORKS,
        "Calls of a framework that have no id are told apart by what they do: alike in one run, they are one.",
    ),
    Promise(
        "frameworks.same-id",
        _FRAMEWORKS,
        "Two different calls of one run under one id are never taken for one another: the second one touches nothing.",
    ),
    Promise(
        "frameworks.hostile",
        _FRAMEWORKS,
        "Whatever a model says (names, arguments, ids), and whoever else is at work, nothing gets past a framework's adapter.",
    ),
    Promise(
        "frameworks.pause",
        _FRAMEWORKS,
        "A call that is held and paused is the same action when it is made again, and runs once when it is agreed to.",
    ),
    Promise(
        "frameworks.tell",
        _FRAMEWORKS,
        "A model that was told to wait and asks again with the same arguments asks for the same action.",
    ),
    Promise(
        "frameworks.raised",
        _FRAMEWORKS,
        "A framework's function that raises may have acted: it is not run again for the same call, and the model is told so.",
    ),
    Promise(
        "frameworks.rendered",
        _FRAMEWORKS,
        "Whatever a framework's function returns can be written down, by one rule.",
    ),
    Promise(
        "frameworks.filtered",
        _FRAMEWORKS,
        "What the gate takes of a result reaches a framework by no other way.",
    ),
    Promise(
        "frameworks.in-process-file",
        _FRAMEWORKS,
        "A contract file says `run: in_process`, and nothing but `run` may.",
    ),
    Promise(
        "action.withdrawn",
        _LIFE,
        "What waits is taken back by whoever asked for it, on record; what began goes on.",
    ),
    Promise(
        "gateway.both_eras",
        _GATEWAY,
        "A client of any version of the protocol calls what the agent may use, and every call is an action on record.",
    ),
    Promise(
        "gateway.offered",
        _GATEWAY,
        "What a client is shown is what its agent and its task may use now, under names it can take.",
    ),
    Promise(
        "gateway.no_is_a_result",
        _GATEWAY,
        "A no is a result that says why, in words for the model and in a code for programs, and nothing happens.",
    ),
    Promise("gateway.shadow", _GATEWAY, "A client whose agent is in shadow touches nothing, and is told so."),
    Promise(
        "gateway.unknown",
        _GATEWAY,
        "What may or may not have happened is said as that, and no answer invites a second call.",
    ),
    Promise(
        "gateway.ticket",
        _GATEWAY,
        "A call that waits for a person can be answered with a ticket, which gives the result once they agreed.",
    ),
    Promise(
        "gateway.own_tickets",
        _GATEWAY,
        "A ticket is answered to whoever proposed it: another key, and a token that lacks its tool, are told there is none.",
    ),
    Promise(
        "gateway.waits",
        _GATEWAY,
        "A call that waits for a person can wait itself, and tells whoever asks for progress that it does.",
    ),
    Promise(
        "gateway.once",
        _GATEWAY,
        "Calls with one idempotency key have one effect and one answer, at once, later and after a restart.",
    ),
    Promise(
        "gateway.killed",
        _GATEWAY,
        "A gateway that is killed in a call does nothing twice, loses nothing, and leaves tickets that can be asked about.",
    ),
    Promise("gateway.stdout", _GATEWAY, "Nothing but the protocol is ever written on standard output."),
    Promise(
        "gateway.ends_well",
        _GATEWAY,
        "When its client goes or somebody ends it, the gateway closes its task and ends without an error.",
    ),
    Promise(
        "gateway.no_open_door",
        _GATEWAY,
        "Over HTTP nothing is answered without a token that counts, asked anew at every request.",
    ),
    Promise(
        "gateway.bound_sessions",
        _GATEWAY,
        "A session is heard from the bearer who began it alone; to anybody else it is not there.",
    ),
    Promise(
        "gateway.head",
        _GATEWAY,
        "Under another name, from a stranger's page, or with more than fits, a request is refused before anything is read of it.",
    ),
    Promise(
        "gateway.resumed",
        _GATEWAY,
        "Who comes back to a broken stream reads what was missed, for a while, and of their own session only.",
    ),
    Promise("gateway.many", _GATEWAY, "Sessions at once get each its own answers, each on its own record."),
    Promise(
        "gateway.elicits",
        _GATEWAY,
        "The person at the client hears that a call waits, for whom and until when; nothing answered there agrees to anything.",
    ),
    Promise(
        "gateway.own_calls",
        _GATEWAY,
        "A client takes back its own calls alone, whatever others of its key call theirs.",
    ),
    Promise(
        "gateway.heard",
        _GATEWAY,
        "Who would not be let in any more is told so in the answer they wait for, and takes nothing back by that.",
    ),
    Promise(
        "gateway.steps_up",
        _GATEWAY,
        "A token that lacks the scope of what is asked for is told which scope would do, and can come again with it.",
    ),
    Promise(
        "gateway.bounded",
        _GATEWAY,
        "What one client has under way, waits for or leaves behind is bounded, and the one too many hears what to do.",
    ),
    Promise(
        "gateway.cancelled",
        _GATEWAY,
        "A call its client cancels is withdrawn while it waits, and goes on and is recorded once it began.",
    ),
    Promise(
        "gateway.upstream_exact",
        _GATEWAY,
        "What a server's tool gave reaches the client exactly as it came, but for what was masked, under a label of ours.",
    ),
    Promise(
        "gateway.upstream_gate",
        _GATEWAY,
        "A call of a server's tool takes the life of any action: held, agreed to, done once under one key.",
    ),
    Promise(
        "gateway.drift",
        _GATEWAY,
        "A tool of which its server says something else than what was accepted is neither offered nor called.",
    ),
    Promise(
        "gateway.resources",
        _GATEWAY,
        "Resources and prompts are had by actions: only what a server's file lets pass, bounded by policy, filtered, on record.",
    ),
    Promise(
        "gateway.asked_back",
        _GATEWAY,
        "What a server asks back reaches a client only where the server's file, the agent, policy and the client all say so.",
    ),
    Promise(
        "gateway.asked_as_agreed",
        _GATEWAY,
        "The client is asked what the gate agreed to, as somebody may have altered it, and nothing that the gate was not shown.",
    ),
    Promise(
        "gateway.asked_within",
        _GATEWAY,
        "What a server asks is put within the call it asks it in, or, where that cannot be known, refused.",
    ),
    Promise(
        "gateway.subscribed",
        _GATEWAY,
        "A client of either era hears that a resource is another from a server of either era, until it wants to hear no more; "
        "what one lets go of others go on hearing of.",
    ),
    Promise(
        "gateway.questions",
        _GATEWAY,
        "What a reviewer asks about a held call is told with its ticket, answered by whoever proposed it, once, and shown.",
    ),
    Promise(
        "gateway.logs",
        _GATEWAY,
        "What a server logs reaches a client that set a level, from that level on, without secrets, under the server's name.",
    ),
    Promise(
        "gateway.hostile_client",
        _GATEWAY,
        "Whatever a client writes, however long, the gateway answers or drops it, holds its size and goes on.",
    ),
    Promise(
        "gateway.told_of_changes",
        _GATEWAY,
        "A client hears that its list of tools changed, and what a brake took is neither listed nor done.",
    ),
    Promise(
        "langchain.governed",
        _LANGCHAIN,
        "Every tool call of an agent or a tool node goes through the gate, and runs with what was agreed to or not at all.",
    ),
    Promise(
        "langchain.pause",
        _LANGCHAIN,
        "A held call interrupts the graph; resuming it agrees to nothing, the record in the control plane does.",
    ),
    Promise(
        "langchain.once",
        _LANGCHAIN,
        "No crash, retry, fork or cancellation of a graph makes a call have its effect twice.",
    ),
    Promise(
        "google-adk.governed",
        _ADK,
        "Every tool call of a runner's agents goes through the gate, and runs with what was agreed to or not at all.",
    ),
    Promise(
        "google-adk.once",
        _ADK,
        "No crash, retry or cancellation of an ADK invocation makes a call have its effect twice, resumed or run again.",
    ),
    Promise(
        "google-adk.pause",
        _ADK,
        "A held call ends an ADK run with a request for a confirmation, which agrees to nothing; refusing it runs nothing.",
    ),
    Promise(
        "strands.governed",
        _STRANDS,
        "Every tool call of a Strands agent goes through the gate, and runs with what was agreed to or not at all.",
    ),
    Promise(
        "strands.once",
        _STRANDS,
        "No crash, retry or cancellation of a Strands agent makes a call have its effect twice, resumed or run again.",
    ),
    Promise(
        "strands.pause",
        _STRANDS,
        "A held call ends a Strands run with an interrupt; whatever it is resumed with agrees to nothing.",
    ),
    Promise(
        "autogen.governed",
        _AUTOGEN,
        "Every tool of a governed workbench runs with what was agreed to or not at all, and leaves no agent waiting for ever.",
    ),
    Promise(
        "autogen.once",
        _AUTOGEN,
        "An AutoGen run that is killed or cancelled and run again under its name has each effect once at most.",
    ),
    Promise(
        "ag2.governed",
        _AG2,
        "Every tool call of an AG2 agent goes through the gate, and runs with what was agreed to or not at all.",
    ),
    Promise(
        "ag2.once",
        _AG2,
        "An AG2 turn that is killed or cancelled and run again under its name has each effect once at most.",
    ),
    Promise(
        "crewai.governed",
        _CREWAI,
        "Every call of a governed tool goes through the gate, and runs with what was agreed to or not at all.",
    ),
    Promise(
        "crewai.once",
        _CREWAI,
        "A crew that is killed or cancelled and run again under its name has each effect once at most.",
    ),
    Promise(
        "crewai.retries",
        _CREWAI,
        "What CrewAI tries again, be it a task or a tool, is not done again.",
    ),
    Promise(
        "frameworks.afar",
        _FRAMEWORKS,
        "A framework is governed from afar as it is in one process: each call runs its own function, once.",
    ),
    Promise(
        "frameworks.fractions",
        _FRAMEWORKS,
        "A fraction is decided on as the text of its digits, and the function gets the number.",
    ),
    Promise(
        "openai-agents.governed",
        _OPENAI_AGENTS,
        "Function tools of an agent, and of those it hands over to, act through the gate; what cannot be governed is refused.",
    ),
    Promise(
        "openai-agents.pause",
        _OPENAI_AGENTS,
        "A held call is an interruption of the run; the SDK's approval agrees to nothing, the record in the control plane does.",
    ),
    Promise(
        "openai-agents.once",
        _OPENAI_AGENTS,
        "No crash, resumption from JSON or cancellation makes a call have its effect twice.",
    ),
    Promise(
        "pydantic-ai.governed",
        _PYDANTIC_AI,
        "The calls of all toolsets of an agent go through the gate, and run with what was agreed to, as the tool's own types.",
    ),
    Promise(
        "pydantic-ai.pause",
        _PYDANTIC_AI,
        "A held call is deferred; the framework's approval agrees to nothing, the record in the control plane does.",
    ),
    Promise(
        "pydantic-ai.once",
        _PYDANTIC_AI,
        "No crash, resumption from messages or cancellation makes a call have its effect twice.",
    ),
    Promise(
        "upstream.gated",
        _UPSTREAM,
        "A tool of an MCP server is an action like any other: bound, decided, done once under its key, proven.",
    ),
    Promise(
        "upstream.labelled",
        _UPSTREAM,
        "A result of a server is labelled with where it came from, in the outcome and in the evidence.",
    ),
    Promise(
        "upstream.careful",
        _UPSTREAM,
        "A tool of which nobody here spoke is external, critical and irreversible: it never runs unattended.",
    ),
    Promise(
        "upstream.drift",
        _UPSTREAM,
        "A tool of which its server says something else than what was accepted is not called.",
    ),
    Promise(
        "upstream.drift_told",
        _UPSTREAM,
        "That a server says something else of a tool than what was accepted stands in the log once for each definition that was "
        "found, whichever process saw it.",
    ),
    Promise(
        "upstream.drift_accepted",
        _UPSTREAM,
        "Who accepted which definition of a tool stands in the log before it counts.",
    ),
    Promise(
        "upstream.one_spelling",
        _UPSTREAM,
        "However a text of a value is spelled, it is one argument: policies, records, approvals and what is sent have one text.",
    ),
    Promise(
        "upstream.killed",
        _UPSTREAM,
        "A call to a server that is killed in its midst is unknown, is made once, and the next call reaches the server anew.",
    ),
    Promise(
        "upstream.hidden",
        _UPSTREAM,
        "What a server is given as a secret is masked in whatever it says: results, news, errors, and its last words in the log.",
    ),
    Promise(
        "upstream.reviewed",
        _UPSTREAM,
        "A review accepts what somebody said yes to, tool by tool; whoever leaves in the middle of it accepted nothing.",
    ),
    Promise(
        "upstream.exact",
        "Decisions: what a server said is pinned",
        "Arguments and results pass through their texts exactly: a number comes out as the number it was, or is not sent.",
    ),
    Promise(
        "upstream.any_schema",
        "Decisions: what a server said is pinned",
        "Of any schema of a server's arguments a contract comes, and what fits the schema fits the contract.",
    ),
    Promise(
        "upstream.unsure",
        "Decisions: a server's word that it failed",
        "A call that left this machine and brought no result is unsure; that nothing happened is said of what was not sent.",
    ),
    Promise(
        "upstream.bounded",
        _UPSTREAM,
        "A server that floods, hangs, sends 100 MB or no end costs its own call, bounded memory and bounded time.",
    ),
    Promise(
        "upstream.no_orphans",
        _UPSTREAM,
        "A server's program ends with all it began when we end, however we end.",
    ),
)
