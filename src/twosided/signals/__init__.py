"""What can be read off books and trades: volatility, imbalance, micro-price. One kernel each, streaming and over arrays."""
