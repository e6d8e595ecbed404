"""A control plane behind a network, as an agent's program reaches it."""
