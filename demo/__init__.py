"""The demo: an emulated AWS organization on loopback and a fleet of real software in it."""
