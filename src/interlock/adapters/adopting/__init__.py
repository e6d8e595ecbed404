"""Looking at what somebody has already, to begin a workspace from it. Nothing is run, imported or reached by looking."""
