"""The day, a chapter a file. Each does what it tells, and tells what it did."""
