"""Photos as files and pixels: fetching them and decoding untrusted bytes. Knows no torch."""
