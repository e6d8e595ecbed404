"""A public retail benchmark's tasks, played through the gate.

The benchmark (tau2-bench, MIT) brings a database of users, orders and products, 114 tasks with the actions that
solve them, and a policy written for people. Here are tools of our own over that database (`retail`, `tools`), each
write with its reversal; the facts policies read (`facts`); the written policy's hard rules as Cedar
(`workspace/policies`); and the run that compares all of it with a direct run (`run`).
"""
