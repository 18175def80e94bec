"""What any Linux can see and do, asked through a Shell."""
