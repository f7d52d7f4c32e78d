"""One cost model: typical sizes, weights of operations, the order of contractions, what a form costs."""
