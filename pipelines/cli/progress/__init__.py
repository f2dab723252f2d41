"""How a run is shown while it lasts: a live board on a terminal, plain lines elsewhere. Both only listen."""
