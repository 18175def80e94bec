"""The shipped suites: pytest files that `xenlab test` runs inside a lab."""
