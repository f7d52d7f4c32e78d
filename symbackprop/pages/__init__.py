"""Pages of HTML: formulas in MathML, the network as SVG, the code beside, all in one file."""
