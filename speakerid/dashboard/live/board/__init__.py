"""What the Live page shows, in the numbers and words that the browser draws."""
