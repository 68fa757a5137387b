"""The web server around the page: limits for each client, the order of work, and response headers."""
