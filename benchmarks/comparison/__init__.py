"""Loss and gradients of fixed workloads, by generated modules and by others, side by side."""
