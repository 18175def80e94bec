"""Sources in userspace: xlsource, and what it sends as layouts, frames and streams."""
