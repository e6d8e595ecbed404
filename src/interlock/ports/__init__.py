"""What we need from the outside, one small Protocol a file, named for the need and not for the technology."""
