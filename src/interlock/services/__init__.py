"""What we do: the steps, numbered; the rules they follow are in `domain`, the means in `adapters`."""
