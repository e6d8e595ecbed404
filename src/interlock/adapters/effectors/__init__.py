"""The doors to real systems: functions that can be imported, functions of this process, and HTTP."""
