"""Raw results and counter snapshots become a Measurement: flows, hop accounts, negotiation."""
