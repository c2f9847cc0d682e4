"""The signed-request service: wallet sessions that ask servers and record what they say."""
