"""Why money was made or lost: the split, statistics, pictures and the report. Reads Runs and nothing else."""
