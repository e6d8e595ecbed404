"""What is run on this repository itself: generated pages, sizes, claims. Nothing here is shipped."""
