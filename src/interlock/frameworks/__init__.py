"""Adapters that put Interlock under frameworks for agents: each imports its own framework, and none another adapter."""
