"""What every HTTP surface of ours has in common: who asks, what they may, headers, limits, errors, live streams."""
