"""Rational functions of symbols: in lowest terms, as products, solved for one symbol."""
