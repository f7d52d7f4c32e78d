"""GradBench's objectives in the model language, its protocol, and a scoreboard beside its other tools."""
