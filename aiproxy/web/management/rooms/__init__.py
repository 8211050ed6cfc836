"""The routes of the management API, in a room for each subject. A room takes what it looks at by argument and declares its routes;
what they do is done by what it was given. Errors leave as `GatewayError`s; no answer holds a secret, but a file that was asked for
by its name, or a key on the day it is made."""
