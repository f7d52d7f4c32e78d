"""Sums weighted by what adds up: slopes of sigmoids, and values less their own weighted mean."""
