"""Jets of metrics without a closed form: quadrature and summation, with bounds on their errors."""
