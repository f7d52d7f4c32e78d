"""The engine that is watched: rules, steps, matching, and the strategies that apply rules."""
