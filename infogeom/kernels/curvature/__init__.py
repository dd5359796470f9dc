"""From jets to tensors, in any arithmetic."""
