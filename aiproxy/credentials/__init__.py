"""What signs a request to an upstream: keys, and logins whose token is asked for, kept and renewed.

`base` is the contract, `token` what every login with a token has in common, `token_endpoint` the OAuth exchange; each kind of
login adds the grant that only it knows."""
