"""Numbers from expressions and laws, without a compiler."""
