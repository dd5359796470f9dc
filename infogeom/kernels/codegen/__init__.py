"""From expressions to source: knows no metric."""
