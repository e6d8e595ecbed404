"""Run with the folder of agent-evidence-vectors: what its reader says of each envelope on standard input, one a line."""

import json
import sys
from importlib import import_module

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = []
# The reader takes its Ed25519 from this module.
import_module("agent_evidence_vectors.run_vectors")
auditrecord = import_module("agent_evidence_vectors.auditrecord")
asked = json.load(sys.stdin)
policy = auditrecord.Policy(asked["predicateType"], asked["key"])
for each in asked["envelopes"]:
    report = auditrecord.verify(each.encode(), policy)
    print(json.dumps([report.verdict, *report.codes]))
