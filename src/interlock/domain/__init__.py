"""What is true: values and the rules over them. No clock, no chance, no I/O."""
