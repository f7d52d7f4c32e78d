"""Programs that compute in memory of their own: operations with destinations, live ranges, buffers."""
