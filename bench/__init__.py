"""Figures of the lab against their floors, their aims and two peers; and the soak."""
