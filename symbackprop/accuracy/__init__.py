"""How many digits a module keeps, beside the chain rule as it was typed, on data that take digits away."""
