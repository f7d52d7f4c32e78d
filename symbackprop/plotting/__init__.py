"""What pictures show, as numbers and places, and the pictures that matplotlib draws of them."""
