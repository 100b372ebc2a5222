"""Pictures and page of a trace."""
