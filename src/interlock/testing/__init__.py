"""What tests of Interlock and of programs built on it stand on: real adapters, and suites that any adapter must pass."""
