"""Other gateways' files to ours. One module a gateway, each a table of what its keys are called here; `taking` sees to it that
every key is mapped or named, `finishing` that the result is valid."""
