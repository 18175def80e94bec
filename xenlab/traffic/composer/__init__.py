"""The skb composer: batches of layouts sent by a kernel module, and what arrived of them."""
