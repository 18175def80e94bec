"""Smoke: every link carries verified traffic, every vif is negotiated, every console is clean."""
