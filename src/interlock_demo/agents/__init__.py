"""Four scripted agents. Each acts through the SDK alone and takes every answer as it comes: done, denied, held, refused."""
