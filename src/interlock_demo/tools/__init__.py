"""What the four agents of the shop can do. Each tool says what it risks, what a retry of it means and how it is undone."""
