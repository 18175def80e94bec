"""The byte movers: local processes, SSH to dom0, SSH over a vchan to each domU."""
