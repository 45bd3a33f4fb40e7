"""``turnout bench``: every stage and the whole, against rivals, in one run on this machine."""
