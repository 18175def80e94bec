"""What was decided: from a `Topology`, every name, MAC, address and size of the lab, fixed."""
