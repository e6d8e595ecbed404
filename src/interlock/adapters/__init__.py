"""How it is done: one folder or file for each port."""
