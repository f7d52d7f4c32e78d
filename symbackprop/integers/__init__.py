"""Integer expressions: linear forms, mixed radix, bounds, and the conditions around a read."""
