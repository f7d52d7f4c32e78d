"""Whether formulas, or whole models, are equal: claims and pairs of models before their judges."""
