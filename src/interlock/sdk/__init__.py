"""The agent's side: what stands in the code of whoever writes tools and agents."""
