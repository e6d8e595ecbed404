"""The shop at work behind the console, for as long as somebody looks."""
