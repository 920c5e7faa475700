"""Everything that touches a disk or a network: files, records, media, videos, pool, cache, HTTP."""
