"""What dom0 can see and do of Xen: xl, xenstore and the vifs."""
