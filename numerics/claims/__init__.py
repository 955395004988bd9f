"""The ledger: the paper's claims, each beside a check that can fail, and what the checks found."""
