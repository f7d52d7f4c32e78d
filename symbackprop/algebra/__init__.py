"""The search for the cheapest form: SymPy, cost, regrouping, and the order of the phases."""
