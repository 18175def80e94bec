"""libvirt: the private session daemon, the machine's XML, its start, save, restore and consoles."""
