"""Pktgen: plain load through every vif, every packet accounted for, every slot foretold."""
