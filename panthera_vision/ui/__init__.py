"""What both web apps share and what has nothing to do with their framework."""
