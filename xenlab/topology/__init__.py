"""What the user asks for: a YAML file, checked whole, becomes a frozen `Topology`."""
