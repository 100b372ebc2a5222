"""The environment variable that names the file of the NSS key log, for libcurl and for programs of stacks."""

KEY_LOG_VARIABLE = "SSLKEYLOGFILE"
