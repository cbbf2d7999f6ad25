"""From quotes to orders to fills to money: order manager, queues, latency, the matching engine, the ledger."""
