"""Limits and pre-trade checks between what a strategy wants and what is sent."""
