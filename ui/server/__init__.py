"""The web server around the page: who may ask how much, in which order, and what is answered to everybody."""
