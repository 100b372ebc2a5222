"""Docker bed: lanes as containers of one engine, through the Docker API."""
