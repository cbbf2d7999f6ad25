"""Sources of events and venues put together: replay of recordings, generated order flow."""
