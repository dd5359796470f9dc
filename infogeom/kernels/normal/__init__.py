"""Normal laws of many components: jets of their metrics by traces, in float64 and in balls."""
