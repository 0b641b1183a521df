"""What the scenarios stand on: Muster's processes, the engines of the distributed form, and the sinks read back."""
