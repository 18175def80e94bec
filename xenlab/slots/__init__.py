"""The slot model: what a layout costs in ring slots, and what must become of it."""
