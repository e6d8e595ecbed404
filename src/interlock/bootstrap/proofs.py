"""A proof of one entry, held against public keys: those somebody was given, else the workspace's."""

from collections.abc import Sequence
from pathlib import Path

from interlock.adapters.cosigners import check_cosigner
from interlock.adapters.keys import verify
from interlock.bootstrap.anchors import policy_in
from interlock.bootstrap.connecting import public_keys
from interlock.domain.cosignature import cosignatures
from interlock.domain.entry_proof import EntryProof, check_entry_proof
from interlock.domain.note import NoteError, VerifierKey, parse_proof


def check_proof(
    proof: EntryProof,
    folder: Path,
    *,
    log_keys: Sequence[VerifierKey] = (),
    gate_keys: Sequence[VerifierKey] = (),
    policy: Path | None = None,
) -> tuple[str, ...]:
    """The names of those whose cosignatures count by `policy`, a C2SP tlog-policy file, once the proof holds.

    Without any keys those of the workspace in `folder` are taken. Raises ContractError for the policy, WorkspaceError and
    KeyFileError; NoteError, ProofError and DsseError where the proof does not hold.
    """
    rule = None if policy is None else policy_in(policy)
    if not log_keys and not gate_keys:
        keys = public_keys(folder)
        check_entry_proof(proof, (keys.log_key,), keys.gate_keys, keys.verify)
    else:
        check_entry_proof(proof, log_keys, gate_keys, verify)
    if rule is None:
        return ()
    found = cosignatures(parse_proof(proof.text.encode()).checkpoint, rule.keys, check_cosigner)
    if not rule.met(each.key for each in found):
        names = ", ".join(f"`{each.key.name}`" for each in found) or "nobody"
        raise NoteError(f"of those whom the policy names, {names} has cosigned its checkpoint, which is not enough")
    return tuple(each.key.name for each in found)
