"""Past one machine's memory: customer-disjoint partitions, fed to the same kernels.

Needs the extra ``parquet``.
"""

from .features import streamed_features
from .hashing import customer_hash, hash_bucket, sampled
from .partitions import Partitions, partition_events

__all__ = [
    "Partitions",
    "customer_hash",
    "hash_bucket",
    "partition_events",
    "sampled",
    "streamed_features",
]
