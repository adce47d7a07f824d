"""What result files hold, and the numbers that are computed from them."""
