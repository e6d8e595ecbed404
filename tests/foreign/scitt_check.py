"""Run where scitt-cose is: what its verifier says of each receipt on standard input, one a line."""

import json
import sys
from importlib import import_module

asked = json.load(sys.stdin)
verify = import_module("scitt_cose.receipt").verify_receipt
for each in asked["receipts"]:
    found = verify(bytes.fromhex(each["receipt"]), leaf_entry_hex=each["leaf"], log_public_key_pem=asked["key"])
    print(json.dumps([found.ok, found.failed_at, found.root, found.tree_size, found.leaf_index]))
