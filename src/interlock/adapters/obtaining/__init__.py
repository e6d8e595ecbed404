"""Credentials for servers behind the gateway: obtained apart, kept in memory alone, put on at the last moment."""
