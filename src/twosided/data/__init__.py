"""Recorded market data in the formats people own; everything comes out as the same event record."""
