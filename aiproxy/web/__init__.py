"""HTTP towards our clients: the server, and the routes of each client protocol. The only package that knows Klein.

Routes read a body, call the gateway and write its frames; what a request may cost before it is understood is `server`'s."""
