"""What counting costs a call: one gateway counts and leaves it, turn by turn, under W1's load."""
