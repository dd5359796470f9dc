"""A metric at points: what each form of metric offers on the way to numbers."""
