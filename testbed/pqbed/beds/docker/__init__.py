"""The docker bed: lanes as containers of one engine, behind the Docker API."""
