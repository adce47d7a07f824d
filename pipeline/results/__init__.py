"""Result files, and the numbers that are computed from them."""
