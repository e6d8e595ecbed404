"""Benchmarks: programs that measure the product and print what they saw."""
