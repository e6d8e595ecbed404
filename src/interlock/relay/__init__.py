"""Model calls through Interlock: what speaks OpenAI's API to agents, and asks the models that the workspace has routes to."""
