"""What the command line does beyond its parsing. It decides nothing that the rooms below can decide."""
