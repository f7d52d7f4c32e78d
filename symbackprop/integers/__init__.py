"""Integer expressions: linear forms, mixed radix, what is known of them, and the conditions around a read."""
