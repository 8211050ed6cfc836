"""The benchmark: what a gateway costs per request and per event, beside nginx in the same run. `README.md` is for users.

The gateway under test is any program (`systems/*.toml`); what asks and what answers is C (`native/`), so that it is not what is
measured. Python starts, pins, samples and reports."""
