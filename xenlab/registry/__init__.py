"""What this host knows about its labs: directories, records, owners; survives every command."""
