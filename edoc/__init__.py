"""edoc: sealed document exchange between the offices of a state."""
