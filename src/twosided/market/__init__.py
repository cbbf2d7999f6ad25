"""The vocabulary: instruments, fees, the event record, books, order records and the Run. Imports no other room."""
