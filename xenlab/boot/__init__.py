"""What the machine boots: command lines, xl configurations and the files that wait in dom0."""
