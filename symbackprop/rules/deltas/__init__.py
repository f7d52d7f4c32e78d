"""Rules of Kronecker deltas: those of lookups, and sums that meet in one."""
