"""What the checkpoints of a cache may take, unless somebody says otherwise."""

DEFAULT_LIMIT_BYTES = 4 << 30
