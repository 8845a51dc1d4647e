"""Public certificates of the load balancers: who renews them, when, and how all of them come to serve the same one."""
