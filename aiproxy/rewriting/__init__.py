"""What an operator's rules change in a request on its way to an upstream: fields of its body, its system prompt. Pure: bodies
and neutral requests in, the same out. Which model and account serve it is not decided here."""
