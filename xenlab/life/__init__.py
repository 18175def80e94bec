"""The life of a lab: coming up (cold or from a checkpoint), getting connected, going down."""
