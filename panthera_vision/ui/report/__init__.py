"""What an evaluation and the data have to tell, as figures and charts for pages."""
