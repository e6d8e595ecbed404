"""What is offered over HTTP: the log to whoever verifies it, and a witness to the logs it watches."""
