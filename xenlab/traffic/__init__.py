"""Makes flows through a lab and reads the counters on their way: raw results, no judgement."""
