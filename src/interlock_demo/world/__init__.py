"""The shop the demo acts on: a database, a payment and mail service, and nothing that knows of a gate."""
