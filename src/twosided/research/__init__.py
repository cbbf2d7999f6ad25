"""What needs engines and statistics together: calibration."""
