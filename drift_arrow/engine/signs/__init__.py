"""Signs of drift: what has become of the buckets of a collection, who reads them, and what searches find."""
